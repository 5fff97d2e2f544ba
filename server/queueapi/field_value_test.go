package queueapi

import (
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
)

// TestFieldValueEntries: what is refused, with which code and parameter, and what is
// taken.
func TestFieldValueEntries(t *testing.T) {
	const id = "f"
	options := []ticket.FieldOption{{ID: "a", Title: "A", Color: "red"}, {ID: "b", Title: "B"}}
	one := ticket.InputField{ID: id, Type: ticket.FieldSelect, Title: "T", Options: options}
	several := one
	several.MultiSelect = true
	of := func(kind string) ticket.InputField { return ticket.InputField{ID: id, Type: kind, Title: "T"} }
	given := func(text string) fieldValue { v := looseText(text); return fieldValue{Value: &v} }
	chosen := func(ids ...string) fieldValue { return fieldValue{Options: ids} }
	for _, c := range []struct {
		field ticket.InputField
		value fieldValue
		want  string // the values, or ! with the code and the parameter that are wrong
	}{
		{of(ticket.FieldText), given(" x "), "x"},
		{of(ticket.FieldText), fieldValue{}, "!" + codeBlank + " value"},
		{of(ticket.FieldText), given(" "), "!" + codeBlank + " value"},
		{of(ticket.FieldText), given(strings.Repeat("x", 501)), "!" + codeSize + " value"},
		{of(ticket.FieldNumeric), given("7"), "7"},
		{of(ticket.FieldNumeric), given("seven"), "!" + codeInvalid + " value"},
		{of(ticket.FieldEmail), given("ida@example.com"), "ida@example.com"},
		{of(ticket.FieldEmail), given("ida"), "!" + codeInvalid + " value"},
		{of(ticket.FieldPhone), given("+3725555555"), "+3725555555"},
		{of(ticket.FieldPhone), given("five"), "!" + codeInvalid + " value"},
		{of(ticket.FieldAttachment), given("x"), "!" + codeInvalid + " value"},
		{one, chosen("a"), "A"},
		{one, chosen("A"), "A"},
		{one, chosen(), "!" + codeBlank + " optionIds"},
		{one, given("a"), "!" + codeBlank + " optionIds"},
		{one, chosen("a", "b"), "!" + codeInvalid + " optionIds"},
		{one, chosen("c"), "!" + codeInvalid + " optionIds"},
		{several, chosen("b", "a"), "B A"},
		{several, chosen("a", "a"), "!" + codeDuplicate + " optionIds"},
		{several, chosen("a", "A"), "!" + codeDuplicate + " optionIds"},
		{several, chosen("a", "c"), "!" + codeInvalid + " optionIds"},
	} {
		out, err := c.value.entries(&c.field, "value")
		var values []string
		for _, x := range out {
			values = append(values, x.Value)
		}
		got := strings.Join(values, " ")
		if err != nil {
			f := asFault(err)
			got = "!" + f.code + " " + f.param
		}
		if got != c.want {
			t.Errorf("%s %+v: got %q (%v), want %q", c.field.Type, c.value, got, err, c.want)
		}
	}
}
