package sms

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
)

// conversation opens one with a customer's number on a channel.
func (r *rig) conversation(channel, phone string) *ticket.Ticket {
	r.t.Helper()
	return r.do(1, ticket.OpenConversation{Participants: []ticket.Newcomer{{
		Type: ticket.ParticipantClient, Protocol: channel, ParticipantName: ticket.ParticipantName{Identifier: phone},
	}}}).Ticket
}

// write says something to a conversation's customer, as the doors for staff do.
func (r *rig) write(t *ticket.Ticket, text string, files ...ticket.Attachment) uint64 {
	r.t.Helper()
	m := ticket.SendMessage{Ref: ticket.Ref{ID: ticket.TicketID(t.ID)}, Text: text, Attachments: files}
	docs := Outgoing(r.Sender, t, &m)
	return r.do(1, m, docs...).Ticket.Conversation.Seq
}

// thread shows a conversation's messages: text, channel, status.
func (r *rig) thread(id int64) string {
	r.t.Helper()
	return r.shown(id, func(x *ticket.Transaction) (string, bool) {
		return x.Text + " " + x.Protocol + " " + x.Status, x.Type == ticket.TransactionMessage
	})
}

// What staff writes in a conversation on WhatsApp goes out from the branch's own
// number, the provider's word of it is noted, and the answer finds its way back.
func TestWhatsAppConversation(t *testing.T) {
	bubble(t, func(r *rig) {
		number := "972524646214"
		r.number.Store(&number)
		sms := r.conversation(ticket.ProtocolSMS, "37255512345")
		app := r.conversation(ticket.ProtocolWhatsApp, "37255512345")
		r.conversation(ticket.ProtocolSMS, "37255512345") // newer, and none of its business
		r.write(app, "hello")
		r.Wake(app.ID)
		synctest.Wait()
		got := r.stand.last()
		if got.Get("To") != "whatsapp:+37255512345" || got.Get("From") != "whatsapp:+972524646214" || got.Get("Body") != "hello" {
			t.Errorf("the provider got %v", got)
		}
		if now := r.thread(app.ID); now != "hello WhatsApp SENT" {
			t.Errorf("handed over: %s", now)
		}
		if code := r.call(callback(got.Get("StatusCallback"), url.Values{"MessageStatus": {"read"}}, token)); code != http.StatusNoContent {
			t.Errorf("callback: %d", code)
		}
		in := url.Values{"MessageSid": {"SM1"}, "From": {"whatsapp:+37255512345"}, "To": {"whatsapp:+972524646214"}, "Body": {"thanks"}}
		if code := r.call(callback(public+InboundPath, in, token)); code != http.StatusOK {
			t.Errorf("answer: %d", code)
		}
		if now := r.thread(app.ID); now != "hello WhatsApp DELIVERED, thanks WhatsApp DELIVERED" {
			t.Errorf("in the end: %s", now)
		}
		// The other channel is as it was.
		r.write(sms, "text")
		r.Wake(sms.ID)
		synctest.Wait()
		if got := r.stand.last(); got.Get("To") != "+37255512345" || got.Get("From") != from {
			t.Errorf("the provider got %v", got)
		}
	})
}

// Without a number of its own a branch sends nothing on WhatsApp; what was written
// while it had one waits for the next.
func TestWhatsAppWithoutNumber(t *testing.T) {
	bubble(t, func(r *rig) {
		app := r.conversation(ticket.ProtocolWhatsApp, "37255512345")
		if r.Carries(ticket.ProtocolWhatsApp, 1) || NewKept(r.ledger).Carries(ticket.ProtocolWhatsApp, 1) || r.Carries("Mail", 1) {
			t.Error("messages go out where nothing brings them")
		}
		m := ticket.SendMessage{Text: "x"}
		if docs := Outgoing(r.Sender, app, &m); docs != nil || m.Status != "" {
			t.Errorf("%v %+v", docs, m)
		}
		number := "972524646214"
		r.number.Store(&number)
		r.write(app, "wait")
		r.number.Store(nil)
		r.Wake(app.ID)
		synctest.Wait()
		if now := r.thread(app.ID); now != "wait WhatsApp NEW" || r.stand.bodies() != "" {
			t.Errorf("without a number: %s, sent %q", now, r.stand.bodies())
		}
		r.number.Store(&number)
		time.Sleep(lastPause)
		synctest.Wait()
		if now := r.thread(app.ID); now != "wait WhatsApp SENT" {
			t.Errorf("with one again: %s", now)
		}
	})
}

// Files go along: in the conversation on WhatsApp, as links where there are only
// words. What has no link is not sent without it.
func TestFilesGoAlong(t *testing.T) {
	letter := ticket.Attachment{ID: 1, Type: "File", FileIdentifier: "letter.pdf", OriginalFileName: "Letter.pdf"}
	form := ticket.Attachment{ID: 2, Type: "Document", FileIdentifier: "", URI: "doc/7", OriginalFileName: "Form"}
	gone := ticket.Attachment{ID: 3, Type: "File", FileIdentifier: "gone", OriginalFileName: "Gone.pdf"}
	for name, c := range map[string]struct {
		channel, text string
		files         []ticket.Attachment
		body          string
		media         []string
		refused       bool
	}{
		"WhatsApp":              {ticket.ProtocolWhatsApp, "see", []ticket.Attachment{letter}, "see", []string{public + "/files/letter.pdf"}, false},
		"WhatsApp, only a file": {ticket.ProtocolWhatsApp, "", []ticket.Attachment{letter}, "", []string{public + "/files/letter.pdf"}, false},
		"WhatsApp, a page":      {ticket.ProtocolWhatsApp, "see", []ticket.Attachment{form}, "see\n" + public + "/files/doc/7", nil, false},
		"SMS":                   {ticket.ProtocolSMS, "see", []ticket.Attachment{letter, form}, "see\n" + public + "/files/letter.pdf\n" + public + "/files/doc/7", nil, false},
		"SMS, only a file":      {ticket.ProtocolSMS, "", []ticket.Attachment{letter}, public + "/files/letter.pdf", nil, false},
		"a file that is gone":   {ticket.ProtocolWhatsApp, "see", []ticket.Attachment{letter, gone}, "", nil, true},
	} {
		bubble(t, func(r *rig) {
			number := "972524646214"
			r.number.Store(&number)
			talk := r.conversation(c.channel, "37255512345")
			r.write(talk, c.text, c.files...)
			waiting, err := NewKept(r.ledger).Waiting(1)
			if err != nil || len(waiting) != 1 || len(waiting[0].Files) != len(c.files) {
				t.Errorf("%s: waiting: %s, %v", name, jsonOf(t, waiting), err)
			}
			r.Wake(talk.ID)
			synctest.Wait()
			if c.refused {
				if now := r.thread(talk.ID); now != c.text+" "+c.channel+" INVALID_NUMBER" || r.stand.bodies() != "" {
					t.Errorf("%s: %s", name, now)
				}
				return
			}
			got := r.stand.last()
			if got.Get("Body") != c.body || got.Has("Body") != (c.body != "") || !slices.Equal(got["MediaUrl"], c.media) || got.Get("StatusCallback") == "" {
				t.Errorf("%s: the provider got %v", name, got)
			}
		})
	}
}
