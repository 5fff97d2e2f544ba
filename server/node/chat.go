package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/store"
)

// filesFolder is where uploads are kept, beside the store.
const filesFolder = "files"

// The document that holds the key which signs links to files, sealed.
const (
	linkKeyDocs = "chat.key"
	linkKeyName = "links"
)

// buildChat makes the conversation API.
func (n *Node) buildChat(ctx context.Context) error {
	key, err := n.linkKey(ctx)
	if err != nil {
		return err
	}
	var carrier chatapi.Carrier // not the nil pointer of one
	if n.sender != nil {
		carrier = n.sender
	}
	n.chat, err = chatapi.New(chatapi.Deps{
		Carrier: carrier, Rates: chatRates(n.o.ChatRate),
		Ledger: n.ledger, Tokens: n.auth, Access: n.access, Clock: n.o.Clock, Log: n.o.Log, Effects: n.chatEffects,
		Dir: filepath.Join(n.o.Data, filesFolder), Key: key, Scanner: n.o.Scanner, Events: n.outbox, Gateway: n.texts, BaseURL: n.base,
		Hooks: n.outbox, Secrets: n.auth.ChatSecrets,
		Secure: n.o.Proxies.Secure, UserChanged: n.auth.UserChanged, Addr: n.clientIP,
	})
	if err != nil {
		return err
	}
	if n.sender != nil {
		n.sender.OnDirect(n.chat.MessageStatus)
	}
	n.teller.Attach(n.chat)
	return nil
}

// chatRates are the chat API's limits; those on tokens and on messages without a
// ticket keep their proportion to the general one.
func chatRates(general limit.Rate) chatapi.Rates {
	r := chatapi.DefaultRates()
	if general.Off() {
		return r
	}
	factor := general.PerSecond / r.General.PerSecond
	for _, one := range []*limit.Rate{&r.Token, &r.Send} {
		one.PerSecond *= factor
		one.Burst = max(1, int(float64(one.Burst)*factor))
	}
	r.General = general
	return r
}

// chatSecret is what a department's webhooks are signed with: its newest secret.
// Nothing is delivered before the credentials are open.
func (n *Node) chatSecret(department string) (string, error) {
	known, err := n.auth.ChatSecrets(department)
	if err != nil || len(known) == 0 {
		return "", err
	}
	return known[0], nil
}

// linkKey reads the key that signs links, and makes one at the first start.
func (n *Node) linkKey(ctx context.Context) ([]byte, error) {
	sealed, err := n.store.Doc(linkKeyDocs, linkKeyName)
	if errors.Is(err, store.ErrNotFound) {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw) // it never fails
		if sealed, err = n.box.Seal(linkKeyDocs, hex.EncodeToString(raw)); err != nil {
			return nil, err
		}
		if err := n.ledger.PutDocs(ctx, store.Doc{Kind: linkKeyDocs, Key: linkKeyName, Value: sealed}); err != nil {
			return nil, fmt.Errorf("keep the key of links: %w", err)
		}
		return raw, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of links: %w", err)
	}
	text, err := n.box.Open(linkKeyDocs, sealed)
	if err != nil {
		return nil, fmt.Errorf("read the key of links: %w", err)
	}
	return hex.DecodeString(text)
}

// chatDoor is the conversation API behind the limits of its own: uploads may be
// larger than anything else that comes in.
func (n *Node) chatDoor(small, large func(http.Handler) http.Handler) http.Handler {
	s, l := small(n.chat), large(n.chat)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.URL.Path, chatapi.Prefix+"files/upload") {
			l.ServeHTTP(w, r)
			return
		}
		s.ServeHTTP(w, r)
	})
}

// enqueue is POST /hub/v1/tickets/{id}/enqueue {"line": 3}: a conversation joins a
// line and keeps its thread.
func (n *Node) enqueue(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, found, err := n.auth.Bearer(r)
	if !found && err == nil {
		if id, found, err = n.auth.Cookie(r); found && err == nil {
			err = n.auth.CheckWrite(r)
		}
	}
	if !found && err == nil {
		err = wire.Errorf(wire.Unauthenticated, "please sign in")
	}
	number, bad := strconv.ParseInt(p.ByName("id"), 10, 64)
	if err == nil && (bad != nil || number < 1) {
		err = wire.FieldError("id", "id is not a ticket's number")
	}
	var body struct{ Line int }
	if err == nil {
		err = ops.ReadJSON(r, &body)
	}
	command := ticket.Enqueue{Ref: ticket.Ref{ID: ticket.TicketID(number)}, Line: body.Line}
	if err == nil {
		err = n.access.Command(id, command.Name(), 0, number)
	}
	var res ledger.Result
	if err == nil {
		res, err = n.ledger.Do(r.Context(), ledger.Request{
			Command: command, Actor: Actor(id), Key: scoped(id, r.Header.Get("Idempotency-Key"), command),
		})
	}
	if err != nil {
		n.fail(w, r, err)
		return
	}
	n.ledger.View(res.Location, func(s *ticket.State) {
		ops.WriteJSON(w, http.StatusOK, map[string]any{"offset": res.Offset, "ticket": s.StaffTicket(res.Ticket)})
	})
}

// chatFail writes a failure in the conversation API's envelope.
func chatFail(w http.ResponseWriter, r *http.Request, err error) {
	e := ops.Coded(r, err)
	ops.WriteJSON(w, ops.Headers(w, e), map[string]string{"message": e.Message})
}

// demoTags are the words of the demonstration's departments.
func demoTags() []chatapi.Tag {
	return []chatapi.Tag{{Name: "Info", Color: "#1C6EA4"}, {Name: "Sales", Color: "#1E7B4F"}, {Name: "VIP", Color: "#8E44AD"}}
}

// demoReplies are what its clerks answer often.
func demoReplies() []chatapi.CannedReply {
	return []chatapi.CannedReply{
		{Title: "Greeting", Text: "Hello! How may I help you?", CategoryName: "General", Culture: "en-US", IsPublished: true},
		{Title: "Opening hours", Text: "We are open from 9 to 17, Monday to Friday.", CategoryName: "General", Culture: "en-US", IsPublished: true},
		{Title: "One moment", Text: "One moment please, I am looking into it.", CategoryName: "General", Culture: "en-US", IsPublished: true, AutoTags: []string{"Info"}},
	}
}

// chat gives the demonstration's departments what the conversation API can be
// tried with.
func (m *demoMaker) chat(d *Demo, events *outbox.Outbox) {
	if m.err != nil {
		return
	}
	set := chatapi.Settings{
		Tags: demoTags(),
		Surveys: []chatapi.Survey{{ID: 1, Title: "How was it?", Questions: []chatapi.Question{
			{ID: 1, Title: "How satisfied are you?", Type: "Rating", Mandatory: true}, {ID: 2, Title: "What could be better?", Type: "Text"},
		}}},
		Templates: []chatapi.Template{{ID: 20, Title: "Contact details", Fields: []chatapi.Field{
			{Type: "Text", Name: "Full name"}, {Type: "Date", Name: "Date of birth"}, {Type: "Checkbox", Name: "I agree"},
		}}},
		Senders: []chatapi.Sender{
			{Protocol: "WhatsApp", From: "972524646214", Free: true}, {Protocol: "SMS", From: "972526264195", Free: true},
		},
		Texts: chatapi.Texts{Introduction: "Hello! How may we assist you today?"},
	}
	for _, department := range []string{d.DepartmentID, d.DepartmentID2} {
		doc, err := chatapi.SettingsDoc(department, set)
		if err == nil {
			err = m.ledger.PutDocs(m.ctx, doc)
		}
		if err == nil {
			_, _, err = events.Register(m.ctx, outbox.Registration{Kind: outbox.ChatPoll, Name: "Polling", Department: department, Creator: "demo"})
		}
		if err != nil {
			m.err = fmt.Errorf("make the demo: conversations: %w", err)
			return
		}
	}
	for i, r := range demoReplies() {
		r.ID = i + 1
		doc, err := chatapi.ReplyDoc(d.Location, r)
		if err == nil {
			err = m.ledger.PutDocs(m.ctx, doc)
		}
		if err != nil {
			m.err = fmt.Errorf("make the demo: canned replies: %w", err)
			return
		}
	}
	for _, u := range d.Users {
		doc, err := chatapi.ProfileDoc(u.ID, chatapi.Profile{
			Type: "AGENT", Status: "Online", Roles: []string{"DepartmentAdmin", "SystemUser", "EmailSession", "webChat"},
		})
		if err == nil {
			err = m.ledger.PutDocs(m.ctx, doc)
		}
		if err != nil {
			m.err = fmt.Errorf("make the demo: conversations: %w", err)
			return
		}
	}
}
