package sms

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
)

// A message without a ticket goes out in the provider's form, and the provider's
// word of it comes back to whoever asked.
func TestDirect(t *testing.T) {
	bubble(t, func(r *rig) {
		s := r.Sender
		var told []string
		s.OnDirect(func(_ context.Context, id, status string) error {
			told = append(told, id+" "+status)
			return nil
		})
		for _, c := range []struct{ channel, to, from string }{
			{"SMS", "+37255512345", "+972526264195"}, {"WhatsApp", "whatsapp:+37255512345", "whatsapp:+972526264195"},
		} {
			err := s.SendDirect(context.Background(), Direct{
				ID: "m1", Channel: c.channel, From: "972526264195", To: "37255512345", Text: "hi", Media: []string{"https://x.example/a"},
			})
			if err != nil {
				t.Fatal(err)
			}
			f := r.stand.last()
			if f.Get("To") != c.to || f.Get("From") != c.from || f.Get("Body") != "hi" || f.Get("MediaUrl") != "https://x.example/a" {
				t.Errorf("%s: %v", c.channel, f)
			}
		}
		at := r.stand.last().Get("StatusCallback")
		for _, c := range []struct {
			word, key string
			code      int
		}{
			{"delivered", "guess", http.StatusForbidden}, {"queued", token, http.StatusNoContent}, {"sent", token, http.StatusNoContent},
			{"delivered", token, http.StatusNoContent}, {"read", token, http.StatusNoContent}, {"undelivered", token, http.StatusNoContent},
		} {
			if code := r.call(callback(at, url.Values{"MessageStatus": {c.word}}, c.key)); code != c.code {
				t.Errorf("%s: %d, want %d", c.word, code, c.code)
			}
		}
		want := []string{"m1 Sent", "m1 Delivered", "m1 Read", "m1 Rejected"}
		if len(told) != len(want) {
			t.Fatalf("told %v", told)
		}
		for i := range want {
			if told[i] != want[i] {
				t.Errorf("told %v, want %v", told, want)
			}
		}
		for _, bad := range []Direct{{Channel: "SMS", To: "123"}, {Channel: "AppleBusinessChat", To: "37255512345"}} {
			if err := s.SendDirect(context.Background(), bad); !errors.Is(err, ErrRefused) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}
