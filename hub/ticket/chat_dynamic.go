package ticket

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

const (
	maxDynamic      = 100
	maxDynamicName  = 100
	maxDynamicValue = 4000 // bytes
)

// dynamicTypes are the types of a bot variable, the first three by the kind of its
// value. Source: conversation ticket, "dynamicParameters[].type".
func dynamicTypes() []string {
	return []string{"String", "Number", "Boolean", "Location", "Attachment"}
}

// setDynamic lays bot variables over those that are known, by name; one with the
// value null goes.
func (s *State) setDynamic(p *Private, id int64, given []DynamicParameter, now time.Time) error {
	if len(given) == 0 {
		return nil
	}
	list := slices.Clone(p.Dynamic)
	for _, d := range given {
		if err := d.check(); err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(x DynamicParameter) bool { return x.Name == d.Name })
		switch {
		case string(d.Value) == "null":
			if i >= 0 {
				list = slices.Delete(list, i, i+1)
			}
			continue
		case i >= 0:
			d.ID, d.Created = list[i].ID, list[i].Created
			list[i] = d
			continue
		}
		if d.ID == "" {
			d.ID = s.guid("dynamic/"+d.Name, id)
		}
		if d.FlowID == "" {
			d.FlowID = NoGUID
		}
		if d.Created.IsZero() {
			d.Created = now
		}
		list = append(list, d)
	}
	if len(list) > maxDynamic {
		return wire.FieldError("dynamicParameters", "dynamicParameters: at most %d", maxDynamic)
	}
	p.Dynamic = list
	return nil
}

func (d *DynamicParameter) check() (err error) {
	const field = "dynamicParameters"
	if d.Name, err = singleLine(field, d.Name, maxDynamicName); err != nil {
		return err
	}
	if d.Name == "" {
		return wire.FieldError(field, "dynamicParameters: name is missing")
	}
	if len(d.Value) == 0 || len(d.Value) > maxDynamicValue || !json.Valid(d.Value) {
		return wire.FieldError(field, "dynamicParameters: value is JSON of at most %d bytes", maxDynamicValue)
	}
	if d.Type == "" {
		d.Type = "String"
		switch c := d.Value[0]; {
		case c == 't' || c == 'f':
			d.Type = "Boolean"
		case c == '-' || c >= '0' && c <= '9':
			d.Type = "Number"
		case c == '{':
			d.Type = "Location"
		}
	}
	for _, known := range dynamicTypes() {
		if strings.EqualFold(known, d.Type) {
			d.Type = known
			return nil
		}
	}
	return wire.FieldError(field, "dynamicParameters: type is one of %s", strings.Join(dynamicTypes(), ", "))
}
