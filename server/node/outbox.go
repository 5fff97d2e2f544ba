package node

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/server/outbox/egress"
	"github.com/nowserving/nowserving/server/outbox/seal"
	"github.com/nowserving/nowserving/server/outbox/sms"
	"github.com/nowserving/nowserving/server/queueapi"
)

// TextProvider is the account of a text-message provider; without an Account,
// messages are kept and shown instead of sent.
type TextProvider struct {
	Base, Account, Token, From string
}

// buildOutbox opens the deliveries that wait. The ledger is attached once it is open.
func (n *Node) buildOutbox() error {
	var err error
	if n.box, err = seal.Load(n.o.Data); err != nil {
		return err
	}
	n.teller = chatapi.NewTeller()
	n.egress = egress.Policy{
		AllowPrivate: n.o.AllowPrivateWebhooks, AllowLoopback: n.o.Demo || n.o.AllowPrivateWebhooks,
		AnyPort: n.o.Demo || n.o.AllowPrivateWebhooks,
	}
	n.outbox, err = outbox.Open(n.store, outbox.Options{
		Clock: n.o.Clock, Box: n.box, Policy: n.egress, Log: n.o.Log, Chat: n.teller, ChatSecret: n.chatSecret,
	})
	if err != nil {
		return fmt.Errorf("open the outbox: %w", err)
	}
	n.chatEffects = chatapi.NewEffects(n.outbox)
	return nil
}

// buildTexts chooses the way out for text messages.
func (n *Node) buildTexts() error {
	p := n.o.Texts
	if p.Account == "" {
		n.kept = sms.NewKept(n.ledger)
		n.texts = n.kept
		return nil
	}
	sender, err := sms.NewSender(sms.SenderOptions{
		Ledger: n.ledger, Clock: n.o.Clock, PublicURL: n.o.PublicURL, Log: n.o.Log, WhatsApp: n.whatsApp, File: n.fileLink,
		Provider: sms.Provider{
			Base: p.Base, Account: p.Account, Token: p.Token, From: p.From, Client: egress.Client(n.egress, nil),
		},
	})
	if err != nil {
		return err
	}
	n.texts, n.sender, n.textCalls = sender, sender, sender.Handler()
	return nil
}

// fileLink is how the provider and the customer reach a message's file, "" when
// nobody outside reaches this node.
func (n *Node) fileLink(a *ticket.Attachment) string {
	if n.o.PublicURL == "" {
		return ""
	}
	return n.chat.FileLink(n.o.PublicURL, a)
}

// whatsApp is a location's number there, as its department's settings say.
func (n *Node) whatsApp(location int) string {
	number, err := n.chat.SenderOf(location, ticket.ProtocolWhatsApp)
	if err != nil {
		n.o.Log.Error().Err(err).Int("location", location).Msg("the department's senders cannot be read")
	}
	return number
}

// appPairing is pairing as programs of the queue API know it.
type appPairing struct{ pairings *hubapi.Pairings }

// Begin implements queueapi.Pairing.
func (p appPairing) Begin(context.Context) (code, secret string, err error) {
	return p.pairings.Begin(hubapi.AskerApp)
}

// Poll implements queueapi.Pairing.
func (p appPairing) Poll(_ context.Context, code, secret string) (queueapi.Paired, error) {
	done, err := p.pairings.Poll(code, secret)
	if err != nil || done == nil {
		return queueapi.Paired{}, err
	}
	return queueapi.Paired{Display: done.Display, Location: done.Location, Key: done.Token}, nil
}

// appScreens is what the queue API says of screens beside their settings.
type appScreens struct {
	auth    *auth.Authenticator
	devices *hubapi.Devices
	ledger  *ledger.Ledger
}

// Heartbeat implements queueapi.Screens. What a program says of itself beside
// that it is there, is of no use to anybody here.
func (s appScreens) Heartbeat(display int, _ json.RawMessage) {
	if location, err := s.ledger.DisplayLocation(display); err == nil {
		s.devices.Beat(location, display)
	}
}

// Revoke implements queueapi.Screens.
func (s appScreens) Revoke(ctx context.Context, by string, display int) error {
	s.devices.Forget(display)
	return s.auth.Revoke(ctx, by, "display:"+strconv.Itoa(display))
}

var (
	_ queueapi.Pairing = appPairing{}
	_ queueapi.Screens = appScreens{}
)
