package hubapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

func TestOriginsOfASite(t *testing.T) {
	s := &Site{Origins: []string{"https://shop.example", "http://127.0.0.1:*", "https://port.example:8443"}}
	for origin, want := range map[string]bool{
		"": true, "https://hub.example": true, "https://shop.example": true, "HTTPS://SHOP.example": true, "http://127.0.0.1": true, "http://127.0.0.1:81": true,
		"https://port.example:8443": true, "https://port.example": false, "http://shop.example": false, "https://shop.example:444": false,
		"https://shop.example.evil": false, "https://evil-shop.example": false, "null": false, "file://": false, "https://": false, "*": false, "http://127.0.0.1:*": false,
	} {
		r := &http.Request{Host: "hub.example", Header: http.Header{"Origin": {origin}}}
		if got := s.allows(r); got != want {
			t.Errorf("%q: %v", origin, got)
		}
	}
	open := &Site{Origins: []string{"*"}}
	if r := (&http.Request{Host: "h", Header: http.Header{"Origin": {"null"}}}); !open.allows(r) {
		t.Error("null where everybody may")
	}
}

func TestEntriesOfFields(t *testing.T) {
	low, high := 1.0, 9.0
	field := func(kind string) *ticket.InputField {
		return &ticket.InputField{
			ID: "f", Type: kind, Title: "T", Range: &ticket.FieldRange{Min: &low, Max: &high, Scale: 1},
			Options: []ticket.FieldOption{{ID: "a", Title: "A", Color: "red"}, {ID: "b", Title: "B"}},
		}
	}
	several := field(ticket.FieldSelect)
	several.MultiSelect = true
	for _, c := range []struct {
		f    *ticket.InputField
		raw  string
		want string // the values, or the field that is wrong
	}{
		{field(ticket.FieldText), `" x "`, "x"}, {field(ticket.FieldText), `""`, ""}, {field(ticket.FieldText), `["x","y"]`, "!f"},
		{field(ticket.FieldText), `"` + strings.Repeat("x", 501) + `"`, "!f"}, {field(ticket.FieldText), `7`, "!fields"}, {field(ticket.FieldText), `null`, ""},
		{field(ticket.FieldNumeric), `"5.5"`, "5.5"}, {field(ticket.FieldNumeric), `"5.55"`, "!f"}, {field(ticket.FieldNumeric), `"10"`, "!f"}, {field(ticket.FieldNumeric), `"NaN"`, "!f"},
		{field(ticket.FieldDate), `"2026-11-22"`, "2026-11-22"}, {field(ticket.FieldDate), `"22.11.2026"`, "!f"},
		{field(ticket.FieldURL), `"https://a.example/x"`, "https://a.example/x"}, {field(ticket.FieldURL), `"javascript:alert(1)"`, "!f"},
		{field(ticket.FieldSelect), `"a"`, "A"}, {field(ticket.FieldSelect), `"c"`, "!f"}, {field(ticket.FieldSelect), `["a","b"]`, "!f"},
		{several, `["a","b"]`, "A B"}, {several, `["a","a"]`, "!f"}, {several, `["a"," A"]`, "!f"},
	} {
		values, err := texts(json.RawMessage(c.raw))
		var out []ticket.Extra
		if err == nil {
			out, err = entries(c.f, values)
		}
		var got []string
		for _, x := range out {
			got = append(got, x.Value)
		}
		text := strings.Join(got, " ")
		if err != nil {
			text = "!" + wire.AsError(err).Field
		}
		if text != c.want {
			t.Errorf("%s %.40s: %q (%v), want %q", c.f.Type, c.raw, text, err, c.want)
		}
	}
}

// Who looks at a site hears of each change once, within a second, and only of the
// newest; and nobody else costs anything.
func TestFeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, waiting atomic.Int64
		waiting.Store(1) // 0: the site is gone
		f := newFeeds(func(string) (SiteConfig, bool) {
			asked.Add(1)
			return SiteConfig{Lines: []openLine{{Waiting: int(waiting.Load())}}}, waiting.Load() > 0
		})
		done := make(chan struct{})
		go func() { defer close(done); f.run(t.Context()) }()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := asked.Load(); n != 0 {
			t.Errorf("nobody looks, and it was asked %d times", n)
		}
		x, err := f.join("k", "addr")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		<-x.box // what it is at first
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(x.box) != 0 || asked.Load() != 10 {
			t.Errorf("%d changes told, asked %d times", len(x.box), asked.Load())
		}
		waiting.Store(2)
		time.Sleep(time.Second)
		synctest.Wait()
		waiting.Store(3)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := string(<-x.box); !strings.Contains(got, `"waiting":3`) || len(x.box) != 0 {
			t.Errorf("told %s and %d more", got, len(x.box))
		}
		waiting.Store(0)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := <-x.box; got != nil {
			t.Errorf("of a site that is gone: %s", got)
		}
		f.leave("k", "addr", x)
		if f.count != 0 || len(f.sites)+len(f.addrs)+len(f.last) != 0 {
			t.Error("something is left of who has left")
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	f := newFeeds(nil)
	for range maxStreamsAddr {
		if _, err := f.join("k", "one"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.join("k", "one"); wire.CodeOf(err) != wire.RateLimited {
		t.Errorf("%v", err)
	}
	if _, err := f.join("k", "two"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// The dates of pages come from strangers' browsers.
func TestPagesOfStrangers(t *testing.T) {
	for given, want := range map[string]string{
		"https://a.example/x?y=1": "https://a.example/x?y=1", "javascript:alert(1)": "", "data:text/html,x": "", "//a.example": "", "": "", "http://": "",
	} {
		b := &beginning{form: widgetForm{Page: pageOf{URL: given, Title: "\xff<T>\x00"}}}
		if got := b.details().Source; got.URI != want || want != "" && got.Title != "<T>" {
			t.Errorf("%q: %+v", given, got)
		}
	}
}

// Only what came through a widget was proved to be somebody's: what other systems
// call unique is not.
func TestWhoseAConversationIs(t *testing.T) {
	s := ticket.NewState(1)
	s.Location = &ticket.Location{ID: 1, GUID: "g"}
	created := func(credential, unique string) ticket.Event {
		return ticket.Event{
			Type: ticket.EventCreated, Ticket: 17, Facts: ticket.Facts{Actor: ticket.Actor{Kind: ticket.ActorVisitor, Credential: credential}},
			Personal: &ticket.Personal{Private: &ticket.Private{UniqueArgument: unique}},
		}
	}
	f := NewVisitEffects(nil)
	for what, c := range map[string]struct {
		e    ticket.Event
		docs int
	}{
		"proved": {created("widget:k", "u"), 2}, "unknown": {created("widget:k", ""), 0}, "another system's": {created("key:a", "u"), 0},
		"erased": {ticket.Event{Type: ticket.EventErased, Ticket: 17}, 1}, "anything else": {ticket.Event{Type: ticket.EventCalled, Ticket: 17}, 0},
	} {
		docs := f.Effects(s, c.e)
		if len(docs) != c.docs {
			t.Errorf("%s: %d documents", what, len(docs))
		}
		for _, d := range docs {
			if strings.HasSuffix(d.Kind, ":u") || d.Key == "u" {
				t.Errorf("%s: the person's own name is in %s %s", what, d.Kind, d.Key)
			}
		}
	}
}
