package queueapi

import (
	_ "embed"
	"math"
	"strconv"
	"strings"

	"github.com/zsefvlol/timezonemapper"
)

// The tables of the tz database, which are in the public domain: a time zone's
// country and its principal place, and the names of countries.
var (
	//go:embed zone.tab
	zoneTable string
	//go:embed country.tab
	countryTable string
)

// atlas tells a time zone from coordinates, and countries' names.
type atlas struct {
	zones     map[string][]zonePlace // by country
	countries map[string]string      // name by code
}

type zonePlace struct {
	name      string
	lat, long float64
}

func readAtlas() *atlas {
	a := &atlas{zones: map[string][]zonePlace{}, countries: map[string]string{}}
	for line := range strings.Lines(countryTable) {
		if code, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			a.countries[code] = name
		}
	}
	// What the table abbreviates, people would not.
	a.countries["US"], a.countries["GB"] = "United States", "United Kingdom"
	for line := range strings.Lines(zoneTable) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		split := 1 + strings.IndexAny(f[1][1:], "+-")
		lat, ok1 := degrees(f[1][:split], 2)
		long, ok2 := degrees(f[1][split:], 3)
		if ok1 && ok2 {
			a.zones[f[0]] = append(a.zones[f[0]], zonePlace{f[2], lat, long})
		}
	}
	return a
}

// degrees reads ±DDMM, ±DDDMM, ±DDMMSS or ±DDDMMSS.
func degrees(s string, whole int) (float64, bool) {
	if len(s) < 1+whole+2 {
		return 0, false
	}
	sum, unit := 0.0, 1.0
	for _, part := range []string{s[1 : 1+whole], s[1+whole : 3+whole], s[3+whole:]} {
		if part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0, false
		}
		sum += float64(n) / unit
		unit *= 60
	}
	if s[0] == '-' {
		sum = -sum
	}
	return sum, true
}

// zone is the time zone of a place in a country. Where the map of zones has none
// of that country (at sea, beyond a border that the map draws roughly, under a
// name that changed) it is the zone of the country's nearest principal place. ""
// for an unknown country.
func (a *atlas) zone(country string, lat, long float64) string {
	mapped := timezonemapper.LatLngToTimezoneString(lat, long)
	best, name := math.Inf(1), ""
	for _, z := range a.zones[country] {
		if z.name == mapped {
			return mapped
		}
		east := math.Abs(z.long - long)
		east = min(east, 360-east) * math.Cos((z.lat+lat)/2*math.Pi/180)
		if d := east*east + (z.lat-lat)*(z.lat-lat); d < best {
			best, name = d, z.name
		}
	}
	return name
}

// country is a country's name; codes that the table does not know stand for
// themselves.
func (a *atlas) country(code string) string {
	if name := a.countries[code]; name != "" {
		return name
	}
	return code
}
