package sms

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/nowserving/nowserving/hub/ticket"
)

func TestCallbacksMustBeSigned(t *testing.T) {
	bubble(t, func(r *rig) {
		id := r.ticket("+37255512345")
		r.text(id, "hello")
		r.Wake(id)
		synctest.Wait()
		at := r.stand.last().Get("StatusCallback")
		word := func() url.Values { return url.Values{"MessageStatus": {"delivered"}} }
		changed := callback(at, word(), token)
		changed.URL.RawQuery = strings.Replace(changed.URL.RawQuery, "seq=", "seq=1", 1)
		changed.RequestURI = changed.URL.RequestURI()
		unsigned := callback(at, word(), token)
		unsigned.Header.Del("X-Twilio-Signature")
		huge := callback(at, url.Values{"MessageStatus": {strings.Repeat("x", maxCallback)}}, token)
		for name, c := range map[string]struct {
			req  *http.Request
			want int
		}{
			"other token":     {callback(at, word(), "guess"), http.StatusForbidden},
			"other message":   {changed, http.StatusForbidden},
			"no signature":    {unsigned, http.StatusForbidden},
			"too large":       {huge, http.StatusBadRequest},
			"no message":      {callback(public+StatusPath, word(), token), http.StatusBadRequest},
			"a GET":           {httptest.NewRequest(http.MethodGet, StatusPath, nil), http.StatusMethodNotAllowed},
			"unknown message": {callback(public+StatusPath+"?seq=99&ticket=1", word(), token), http.StatusNoContent},
			"unknown ticket":  {callback(public+StatusPath+"?seq=1&ticket=99", word(), token), http.StatusNoContent},
			"a system entry":  {callback(public+StatusPath+"?seq=1&ticket=1", word(), token), http.StatusNoContent},
		} {
			if code := r.call(c.req); code != c.want || r.messages(id) != "OUTGOING hello SENT" {
				t.Errorf("%s: %d, %s", name, code, r.messages(id))
			}
		}
		// The one that is right, so that the refusals above mean something.
		if code := r.call(callback(at, word(), token)); code != http.StatusNoContent || r.messages(id) != "OUTGOING hello DELIVERED" {
			t.Errorf("the right one: %d, %s", code, r.messages(id))
		}
	})
}

// The word that it arrived may come before the provider's own answer.
func TestCallbackOvertakesTheAnswer(t *testing.T) {
	bubble(t, func(r *rig) {
		id := r.ticket("+37255512345")
		r.stand.set(func(f url.Values, _ int) (int, string) {
			if code := r.call(callback(f.Get("StatusCallback"), url.Values{"MessageStatus": {"delivered"}}, token)); code != http.StatusNoContent {
				t.Errorf("callback: %d", code)
			}
			return 201, `{"sid":"SMx"}`
		})
		r.text(id, "one")
		r.Wake(id)
		synctest.Wait()
		if got := r.messages(id); got != "OUTGOING one DELIVERED" || r.docs(sentDocs) != 1 {
			t.Errorf("in the end: %s, %d ids", got, r.docs(sentDocs))
		}
	})
}

func TestInbound(t *testing.T) {
	bubble(t, func(r *rig) {
		old := r.ticket("5551 2345")
		for range 20 {
			r.ticket("5551 2345")
		}
		served := r.ticket("+372 5551 2345")
		newest := r.ticket("003725551 2345")
		other := r.ticket("+37255512346")
		r.do(1, ticket.Cancel{Ref: ticket.Ref{ID: ticket.TicketID(served)}, User: 1})
		at := public + InboundPath
		in := func(sid, from, body string) url.Values {
			return url.Values{"MessageSid": {sid}, "From": {from}, "To": {"+1"}, "Body": {body}}
		}
		for _, c := range []struct {
			form url.Values
			key  string
			want int
		}{
			{in("SM1", "+37255512345", "I am late"), token, 200},
			{in("SM1", "+37255512345", "I am late"), token, 200}, // again: it missed our answer
			{in("SM2", "+37255512345", "sorry\x00 \xff"), token, 200},
			{in("SM3", "+37255599999", "who?"), token, 200},
			{in("SM4", "nonsense", "x"), token, 200},
			{in("SM5", "+37255512345", "  "), token, 200},
			{in("SM6", "+37255512346", "forged"), "guess", 403},
			{in("", "+37255512346", "no id"), token, 400},
		} {
			if code := r.call(callback(at, c.form, c.key)); code != c.want {
				t.Errorf("%v: %d", c.form, code)
			}
		}
		media := in("SM7", "+37255512346", "")
		media.Set("NumMedia", "1")
		r.call(callback(at, media, token))
		for id, want := range map[int64]string{
			old: "", newest: "INCOMING I am late DELIVERED, INCOMING sorry \uFFFD DELIVERED", other: "INCOMING " + onlyMedia + " DELIVERED",
		} {
			if got := r.messages(id); got != want {
				t.Errorf("ticket %d has %q, want %q", id, got, want)
			}
		}
		if s := r.Stats(); s.Received != 3 {
			t.Errorf("figures are %+v", s)
		}
		r.full.Store(true)
		if code := r.call(callback(at, in("SM8", "+37255512345", "x"), token)); code != http.StatusServiceUnavailable {
			t.Errorf("a full disk: %d", code)
		}
		r.full.Store(false)
		if l := r.log.String(); strings.Contains(l, "late") || strings.Contains(l, "555") {
			t.Errorf("the log tells too much: %s", l)
		}
	})
}
