package chatapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/outbox/sms"
)

// carrier is a gateway that answers as it is told.
type carrier struct {
	mu     sync.Mutex
	answer func(m sms.Direct) error
	got    []sms.Direct
}

func (*carrier) DirectChannels() []string { return []string{"SMS", "WhatsApp"} }

func (k *carrier) SendDirect(_ context.Context, m sms.Direct) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.got = append(k.got, m)
	if k.answer == nil {
		return nil
	}
	return k.answer(m)
}

const directSMS = `{"protocolType":"SMS","from":"972526264195","to":"+972 52-1234567","text":"%s","files":["https://x.example/a.png"]}`

func (r *rig) sendWaiting() {
	r.t.Helper()
	if _, err := r.api.SendWaiting(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// fates are the statuses that were told, "text status" each.
func (r *rig) fates() string {
	r.t.Helper()
	var out []string
	for _, e := range r.get("webhooks/getevents?deleteEvents=true").json.([]any) {
		a := answer{json: e}
		if a.at("changes", 0, "_event") == "NON_TICKET_MESSAGE_STATUS" {
			out = append(out, fmt.Sprint(a.at("changes", 0, "message", "text"), " ", a.at("changes", 0, "message", "status")))
		}
	}
	return strings.Join(out, ", ")
}

// A message without a ticket goes out, and what becomes of it is told once, in
// order, even when the gateway's word comes twice or too late.
func TestMessageIsSent(t *testing.T) {
	k := &carrier{}
	r := newRig(t, func(d *Deps) { d.Carrier = k })
	if a := r.post("protocols/send", fmt.Sprintf(directSMS, "one")); a.at("status") != "Pending" || a.at("to") != "972521234567" {
		t.Fatalf("%s", a.body)
	}
	r.sendWaiting()
	r.sendWaiting()
	if len(k.got) != 1 || k.got[0].Text != "one" || k.got[0].To != "972521234567" || k.got[0].From != "972526264195" || len(k.got[0].Media) != 1 {
		t.Fatalf("the gateway got %+v", k.got)
	}
	for _, status := range []string{"Sent", "Delivered", "Delivered", "Sent", "Read"} {
		if err := r.api.MessageStatus(context.Background(), k.got[0].ID, status); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.api.MessageStatus(context.Background(), "nobody knows it", "Read"); err != nil {
		t.Errorf("an unknown message: %v", err)
	}
	if got := r.fates(); got != "one Delivered, one Read" {
		t.Errorf("told %q", got)
	}
	r.clock.Add(messageKept + time.Hour)
	r.sendWaiting()
	for d := range r.store.Docs(sentDocs) {
		t.Errorf("%s is still there", d.Key)
	}
}

// What the gateway refuses is told; what it cannot take now is tried again, for a
// day, and survives a restart.
func TestMessageFails(t *testing.T) {
	k := &carrier{answer: func(m sms.Direct) error {
		if m.Text == "bad" {
			return sms.ErrRefused
		}
		return errors.New("away")
	}}
	r := newRig(t, func(d *Deps) { d.Carrier = k })
	r.post("protocols/send", fmt.Sprintf(directSMS, "bad"))
	r.post("protocols/send", fmt.Sprintf(directSMS, "later"))
	r.sendWaiting()
	r.sendWaiting() // not its turn yet
	if len(k.got) != 2 {
		t.Fatalf("%d attempts", len(k.got))
	}
	if got := r.fates(); got != "bad Rejected" {
		t.Errorf("told %q", got)
	}
	r.clock.Add(firstMessagePause + time.Second)
	r.sendWaiting()
	if len(k.got) != 3 {
		t.Fatalf("%d attempts", len(k.got))
	}
	r.api.messenger = newMessenger() // as after a restart
	r.sendWaiting()
	if len(k.got) != 4 {
		t.Fatalf("%d attempts after a restart", len(k.got))
	}
	r.clock.Add(messageTooOld)
	r.sendWaiting()
	if got := r.fates(); got != "later Rejected" || len(k.got) != 4 {
		t.Errorf("told %q after %d attempts", got, len(k.got))
	}
}

// The gateway's word may come before its answer does.
func TestMessageStatusOvertakes(t *testing.T) {
	k := &carrier{}
	r := newRig(t, func(d *Deps) { d.Carrier = k })
	k.answer = func(m sms.Direct) error { return r.api.MessageStatus(context.Background(), m.ID, "Delivered") }
	r.post("protocols/send", fmt.Sprintf(directSMS, "one"))
	r.sendWaiting()
	if err := r.api.MessageStatus(context.Background(), k.got[0].ID, "Delivered"); err != nil {
		t.Fatal(err)
	}
	if got := r.fates(); got != "one Delivered" {
		t.Errorf("told %q", got)
	}
}

// Without a gateway nothing pretends to be on its way.
func TestMessageWithoutGateway(t *testing.T) {
	r := newRig(t)
	r.post("protocols/send", fmt.Sprintf(directSMS, "one"))
	r.sendWaiting()
	if got := r.fates(); got != "one Rejected" {
		t.Errorf("told %q", got)
	}
}
