package ticket

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFieldEntry(t *testing.T) {
	low, high := -1.5, 9.0
	within := &FieldRange{Min: &low, Max: &high, Scale: 1}
	long := strings.Repeat("ü", MaxFieldValue)
	for _, c := range []struct {
		kind     string
		limits   *FieldRange
		text     string
		want     string // the value; "" when it is not taken
		wantLink bool
	}{
		{kind: FieldText, text: " two words ", want: "two words"},
		{kind: FieldText, text: ""},
		{kind: FieldText, text: " \t"},
		{kind: FieldText, text: long, want: long},
		{kind: FieldText, text: " " + long + " ", want: long}, // what is taken off does not count
		{kind: FieldText, text: long + "x"},
		{kind: FieldFirstName, text: "Ida", want: "Ida"},
		{kind: FieldEmail, text: "any text", want: "any text"}, // doors check its form
		{kind: FieldPhone, text: "any text", want: "any text"},
		{kind: FieldSelect, text: "a"},
		{kind: FieldAttachment, text: "a"},

		{kind: FieldNumeric, text: "-1e3", want: "-1e3"},
		{kind: FieldNumeric, text: "3.14159", want: "3.14159"},
		{kind: FieldNumeric, text: "Inf"},
		{kind: FieldNumeric, text: "NaN"},
		{kind: FieldNumeric, text: "1e999"},
		{kind: FieldNumeric, text: "three"},
		{kind: FieldNumeric, text: "1,5"},
		{kind: FieldNumeric, text: strings.Repeat("0", MaxFieldValue) + "1"},
		{kind: FieldNumeric, limits: within, text: "-1.5", want: "-1.5"},
		{kind: FieldNumeric, limits: within, text: "9", want: "9"},
		{kind: FieldNumeric, limits: within, text: "9.0", want: "9.0"},
		{kind: FieldNumeric, limits: within, text: "-1.6"},
		{kind: FieldNumeric, limits: within, text: "9.1"},
		{kind: FieldNumeric, limits: within, text: "1.25"},
		{kind: FieldNumeric, limits: within, text: "1.20"},
		{kind: FieldNumeric, limits: within, text: "125e-2"}, // as many decimals in another form
		{kind: FieldNumeric, limits: within, text: "0x1p-2"},
		{kind: FieldNumeric, limits: &FieldRange{}, text: "1e9"},
		{kind: FieldNumeric, limits: &FieldRange{}, text: "1000000000", want: "1000000000"},
		{kind: FieldNumeric, limits: &FieldRange{}, text: "1.5"},

		{kind: FieldDate, text: "2026-02-28", want: "2026-02-28"},
		{kind: FieldDate, text: "2026-02-29"},
		{kind: FieldDate, text: "28.02.2026"},
		{kind: FieldURL, text: "https://example.com/a?b", want: "https://example.com/a?b", wantLink: true},
		{kind: FieldURL, text: "HTTP://example.com", want: "HTTP://example.com", wantLink: true},
		{kind: FieldURL, text: "javascript:alert(1)"},
		{kind: FieldURL, text: "javascript://example.com/%0aalert(1)"},
		{kind: FieldURL, text: "https:///a"},
		{kind: FieldURL, text: "example.com"},
	} {
		f := InputField{ID: "f", Type: c.kind, Title: "T", Range: c.limits}
		want := Extra{}
		if c.want != "" {
			want = Extra{Title: "T", Value: c.want, Field: "f"}
		}
		if c.wantLink {
			want.URL = c.want
		}
		if got, ok := f.Entry(c.text); got != want || ok != (c.want != "") {
			t.Errorf("%s %+v %.40q: got %+v, %v", c.kind, c.limits, c.text, got, ok)
		}
	}
}

func TestFieldChosen(t *testing.T) {
	f := InputField{ID: "f", Type: FieldSelect, Title: "T", Options: []FieldOption{{ID: "a", Title: "A"}, {ID: "b", Title: "B", Color: "#ff0000"}}}
	if got := f.Chosen(f.Option("B")); got != (Extra{Title: "T", Value: "B", Color: "#ff0000", Field: "f"}) {
		t.Errorf("got %+v", got)
	}
}

// TestFieldEntryKeepsItsPromises: whatever is taken is one the field allows, is what
// was written, and is taken again.
func TestFieldEntryKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.Ptr(rapid.Float64Range(-1000, 1000), true)
		f := InputField{ID: "f", Title: "T", Type: rapid.SampledFrom([]string{
			FieldFirstName, FieldLastName, FieldEmail, FieldPhone, FieldText, FieldURL, FieldDate, FieldNumeric, FieldSelect, FieldAttachment,
		}).Draw(t, "type")}
		if rapid.Bool().Draw(t, "bounded") {
			f.Range = &FieldRange{Min: bound.Draw(t, "min"), Max: bound.Draw(t, "max"), Scale: rapid.IntRange(0, 3).Draw(t, "scale")}
		}
		text := rapid.OneOf(
			rapid.String(), rapid.StringMatching(`\s?[+-]?[0-9]{0,4}(\.[0-9]{0,4})?([eE]-?[0-9])?`), rapid.StringMatching(`20[0-9]{2}-[01][0-9]-[0-3][0-9]`),
			rapid.StringMatching(`(http|https|javascript|data)://?[a-z.]{0,5}/?`), rapid.StringMatching(`.{495,505}`),
		).Draw(t, "text")
		x, ok := f.Entry(text)
		if !ok {
			if x != (Extra{}) {
				t.Fatalf("not taken, but gives %+v", x)
			}
			return
		}
		if x.Value != strings.TrimSpace(text) || x.Value == "" || utf8.RuneCountInString(x.Value) > MaxFieldValue || x.Field != f.ID || x.Title != f.Title {
			t.Fatalf("%q became %+v", text, x)
		}
		if again, ok := f.Entry(x.Value); !ok || again != x {
			t.Fatalf("%+v became %+v, %v", x, again, ok)
		}
		switch f.Type {
		case FieldSelect, FieldAttachment:
			t.Fatalf("a %s was written", f.Type)
		case FieldURL:
			if lower := strings.ToLower(x.URL); x.URL != x.Value || !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
				t.Fatalf("a link to %q", x.URL)
			}
		case FieldNumeric:
			within(t, f.Range, x.Value)
		}
	})
}

func within(t *rapid.T, r *FieldRange, value string) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		t.Fatalf("%q is no number", value)
	}
	if r == nil {
		return
	}
	steps := n * math.Pow10(r.Scale)
	if r.Min != nil && n < *r.Min || r.Max != nil && n > *r.Max || math.Abs(steps-math.Round(steps)) > 1e-6 {
		t.Fatalf("%q is not within %+v", value, r)
	}
}
