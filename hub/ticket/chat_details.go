package ticket

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// MergeDetails lays given members over what is known, member by member.
func MergeDetails(old *Details, in map[string]json.RawMessage) (*Details, error) {
	if len(in) == 0 {
		return old, nil
	}
	d := Details{}
	if old != nil {
		d = *old
	}
	d.Claims = slices.Clone(d.Claims) // decoding would write into what the old version holds
	for _, name := range slices.Sorted(maps.Keys(in)) {
		v := in[name]
		if string(v) == "null" {
			continue
		}
		one, err := json.Marshal(map[string]json.RawMessage{name: v})
		if err == nil {
			if strings.EqualFold(name, "referral") { // a member that is given is given whole
				d.Referral = Referral{}
			}
			err = json.Unmarshal(one, &d)
		}
		if err != nil {
			return nil, wire.FieldError("details", "details.%s has the wrong form", clipped(name, 40))
		}
	}
	if string(d.Claims) == "null" {
		d.Claims = nil
	}
	return &d, nil
}
