package queueapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// weekdays are the members of a week, in the domain's order.
func weekdays() [7]string { return [7]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// The most of each that is taken: opening hours are part of a location's
// settings, which are written as a whole.
const (
	maxSpans      = 10
	maxExceptions = 400
)

// dayJSON is one day: closed, businessHours, or neither for open all day.
type dayJSON struct {
	Closed        *bool       `json:"closed"`
	BusinessHours *[]spanJSON `json:"businessHours"`
}

type spanJSON struct {
	Opens  *clockJSON `json:"opens"`
	Closes *clockJSON `json:"closes"`
}

type clockJSON struct {
	Hours   int `json:"hours"`
	Minutes int `json:"minutes"`
}

type exceptionJSON struct {
	Date         string `json:"date"`
	ClosedReason string `json:"closedReason"`
	dayJSON
}

// minute is the minute of the day; -1 when it is none. 24:00 is one.
func (c *clockJSON) minute() int {
	if c == nil || c.Hours < 0 || c.Minutes < 0 || c.Minutes > 59 || c.Hours*60+c.Minutes > 24*60 {
		return -1
	}
	return c.Hours*60 + c.Minutes
}

// day reads one day; where is the parameter that is named when it is wrong.
func (d dayJSON) day(where string) (ticket.Day, error) {
	var out ticket.Day
	if d.Closed != nil && d.BusinessHours != nil {
		return out, bad(where, where+": closed and businessHours exclude each other")
	}
	if d.Closed != nil {
		out.Closed = *d.Closed
		return out, nil
	}
	if d.BusinessHours == nil {
		return out, nil
	}
	if n := len(*d.BusinessHours); n == 0 || n > maxSpans {
		return out, bad(where, where+": businessHours has 1 to 10 entries")
	}
	for _, s := range *d.BusinessHours {
		opens, closes := s.Opens.minute(), s.Closes.minute()
		if opens < 0 || closes < 0 || opens == closes || opens == 24*60 {
			return out, bad(where, where+": opens and closes are different times of a day, hours and minutes")
		}
		out.Spans = append(out.Spans, ticket.Span{Opens: opens, Closes: closes})
	}
	return out, nil
}

// week reads a whole week; every day must be there, because it replaces all.
func readWeek(raw json.RawMessage) (week [7]ticket.Day, err error) {
	var days map[string]json.RawMessage
	if json.Unmarshal(raw, &days) != nil || days == nil {
		return week, bad("openingHours", "openingHours: each of mon to sun is an object with closed or businessHours")
	}
	for i, name := range weekdays() {
		if isNull(days[name]) {
			return week, bad(name, name+" is required")
		}
		var d dayJSON
		if json.Unmarshal(days[name], &d) != nil {
			return week, bad(name, name+" is an object with closed or businessHours")
		}
		if week[i], err = d.day(name); err != nil {
			return week, err
		}
	}
	for name := range days {
		if all := weekdays(); !slices.Contains(all[:], name) {
			return week, bad(clip(name), clip(name)+" is no day: mon, tue, wed, thu, fri, sat or sun")
		}
	}
	return week, nil
}

// readExceptions reads the list of days that differ.
func readExceptions(raw json.RawMessage) ([]ticket.Exception, error) {
	var in []exceptionJSON
	if json.Unmarshal(raw, &in) != nil || in == nil {
		return nil, bad("exceptions", "exceptions must be a list of days with date and closed or businessHours")
	}
	if len(in) > maxExceptions {
		return nil, badCode(codeSize, "exceptions", "exceptions has at most 400 entries")
	}
	out := make([]ticket.Exception, 0, len(in))
	for _, x := range in {
		if _, err := time.Parse(time.DateOnly, x.Date); err != nil {
			return nil, bad("date", "date is like 2026-12-24")
		}
		if slices.ContainsFunc(out, func(e ticket.Exception) bool { return e.Date == x.Date }) {
			return nil, badCode(codeDuplicate, "date", "date "+x.Date+" is there twice")
		}
		reason := strings.TrimSpace(x.ClosedReason)
		if utf8.RuneCountInString(reason) > 30 {
			return nil, badCode(codeSize, "closedReason", "closedReason has at most 30 characters")
		}
		if x.BusinessHours == nil && (x.Closed == nil || !*x.Closed) {
			return nil, bad("closed", "closed or businessHours is required for "+x.Date)
		}
		day, err := x.day("businessHours")
		if err != nil {
			return nil, err
		}
		out = append(out, ticket.Exception{Date: x.Date, Reason: reason, Day: day})
	}
	return out, nil
}

// putHours is PUT /locations/{id}/opening-hours.
func putHours(c *call) (any, error) {
	week, err := readWeek(c.body)
	if err != nil {
		return nil, err
	}
	return c.editHours(ticket.EditLocation{Week: ticket.Some(week)})
}

// putExceptions is PUT /locations/{id}/opening-hours/exceptions.
func putExceptions(c *call) (any, error) {
	list, err := readExceptions(c.body)
	if err != nil {
		return nil, err
	}
	return c.editHours(ticket.EditLocation{Exceptions: ticket.Some(list)})
}

func (c *call) editHours(cmd ticket.EditLocation) (any, error) {
	id, err := c.locationID()
	if err != nil {
		return nil, err
	}
	cmd.Location = id
	if _, err := c.inDirectory(id, cmd); err != nil {
		return nil, err
	}
	return answer{status: http.StatusOK}, nil
}

// inDirectory settles something of one location that the directory keeps.
func (c *call) inDirectory(location int, cmd ticket.Command) (ledger.Result, error) {
	if err := c.Access.Admin(c.id, location); err != nil {
		return ledger.Result{}, err
	}
	return c.commit(ledger.Request{Location: ledger.Directory, Command: cmd})
}
