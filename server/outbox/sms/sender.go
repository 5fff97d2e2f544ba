package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

const (
	// sendTimeout bounds one request to the provider.
	sendTimeout = 10 * time.Second
	// parallel is how many tickets' messages are under way at once.
	parallel = 4
	// firstPause and lastPause are between attempts, doubling.
	firstPause = 5 * time.Second
	lastPause  = 10 * time.Minute
	// tooOld is when a message is given up: "it is your turn" is wrong by then.
	tooOld = 24 * time.Hour
	// keptIDs is how long the provider's ids of messages are kept.
	keptIDs = 30 * 24 * time.Hour
	// pruneEvery is how often older ones are taken away.
	pruneEvery = 24 * time.Hour
	// actor names the gateway in the journal.
	actor = "sms"
)

// SenderOptions of a Sender. Ledger, Provider and Clock are needed.
type SenderOptions struct {
	Ledger   Ledger
	Provider Provider
	// PublicURL is how the provider reaches this server; "" for no callbacks:
	// then messages stay SENT, and none come in.
	PublicURL string
	Clock     func() time.Time
	// WhatsApp is a location's own number on WhatsApp, digits only, "" when it has
	// none; nil: no location has one.
	WhatsApp func(location int) string
	// File is a link to a message's file that works for a day and more, "" when there
	// is none; nil: there are none.
	File func(a *ticket.Attachment) string
	// Timer gives a channel that is sent to after d, and a function that gives it
	// up; nil is a timer of package time.
	Timer func(d time.Duration) (<-chan time.Time, func() bool)
	Log   zerolog.Logger
}

// Sender is the gateway to a provider.
type Sender struct {
	desk
	o    SenderOptions
	wake chan struct{}

	sent, delivered, refused, dropped, failed, received atomic.Uint64

	direct atomic.Pointer[func(ctx context.Context, id, status string) error]

	mu  sync.Mutex // protects due
	due map[int64]retry
}

// retry is when a ticket's messages are tried next.
type retry struct {
	failed int
	at     time.Time
}

// NewSender makes a Sender.
func NewSender(o SenderOptions) (*Sender, error) {
	if o.Ledger == nil || o.Clock == nil || o.Provider.Account == "" || o.Provider.Token == "" || o.Provider.From == "" || o.Provider.Client == nil {
		return nil, errors.New("sms: Ledger, Clock and a whole Provider are needed")
	}
	if o.WhatsApp == nil {
		o.WhatsApp = func(int) string { return "" }
	}
	if o.File == nil {
		o.File = func(*ticket.Attachment) string { return "" }
	}
	if o.Timer == nil {
		o.Timer = func(d time.Duration) (<-chan time.Time, func() bool) {
			t := time.NewTimer(d)
			return t.C, t.Stop
		}
	}
	return &Sender{desk: desk{ledger: o.Ledger}, o: o, wake: make(chan struct{}, 1), due: map[int64]retry{}}, nil
}

// Stats implements Gateway.
func (s *Sender) Stats() Stats {
	return Stats{
		Sent: s.sent.Load(), Delivered: s.delivered.Load(), Refused: s.refused.Load(), Dropped: s.dropped.Load(),
		Failed: s.failed.Load(), Received: s.received.Load(),
	}
}

// Carries implements Gateway.
func (s *Sender) Carries(channel string, location int) bool {
	return channel == ticket.ProtocolSMS || channel == ticket.ProtocolWhatsApp && s.o.WhatsApp(location) != ""
}

// Wake implements Gateway. A ticket whose last message failed keeps its pause.
func (s *Sender) Wake(id int64) {
	s.mu.Lock()
	if _, known := s.due[id]; !known {
		s.due[id] = retry{}
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run implements Gateway: it sends until ctx ends, and waits for what is under way.
func (s *Sender) Run(ctx context.Context) error {
	ids, err := s.named()
	if err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	for _, id := range ids {
		s.Wake(id)
	}
	var pruned time.Time
	for ctx.Err() == nil {
		now := s.o.Clock()
		if now.Sub(pruned) >= pruneEvery {
			pruned = now
			if err := s.prune(ctx, now); err != nil {
				s.o.Log.Warn().Err(err).Msg("old message ids not removed")
			}
		}
		batch, wait := s.next(now)
		if len(batch) == 0 {
			s.pause(ctx, min(wait, pruneEvery))
			continue
		}
		var group sync.WaitGroup
		for id, r := range batch {
			group.Go(func() { s.turn(ctx, id, r) })
		}
		group.Wait()
	}
	return nil
}

// next takes the tickets whose turn it is off the list, or says how long to wait.
func (s *Sender) next(now time.Time) (batch map[int64]retry, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait = pruneEvery
	batch = map[int64]retry{}
	for id, r := range s.due {
		if d := r.at.Sub(now); d > 0 {
			wait = min(wait, d)
		} else if len(batch) < parallel {
			batch[id] = r
			delete(s.due, id)
		}
	}
	return batch, wait
}

func (s *Sender) pause(ctx context.Context, d time.Duration) {
	c, giveUp := s.o.Timer(d)
	defer giveUp()
	select {
	case <-c:
	case <-s.wake:
	case <-ctx.Done():
	}
}

// turn sends what a ticket has to send.
func (s *Sender) turn(ctx context.Context, id int64, r retry) {
	err := s.flush(ctx, id)
	if err == nil || ctx.Err() != nil {
		return // what is left is named by a document
	}
	s.failed.Add(1)
	r.failed++
	r.at = s.o.Clock().Add(min(firstPause<<min(r.failed-1, 10), lastPause))
	s.o.Log.Warn().Err(err).Int64("ticket", id).Int("attempts", r.failed).Msg("message not sent; trying again")
	s.mu.Lock()
	s.due[id] = r
	s.mu.Unlock()
}

func (s *Sender) flush(ctx context.Context, id int64) error {
	if err := s.claim(ctx, id); err != nil {
		return err
	}
	texts, err := s.unsent(id)
	if err != nil {
		return err
	}
	for _, t := range texts {
		if err := s.send(ctx, t); err != nil {
			return err
		}
	}
	return s.settle(ctx, id)
}

// send hands one message over and notes it. An error means to try again later;
// once the provider has the message there is none but the end of ctx.
func (s *Sender) send(ctx context.Context, t Text) error {
	log := s.o.Log.With().Int64("ticket", t.Ticket).Uint64("seq", t.Seq).Logger()
	if s.o.Clock().Sub(t.At) > tooOld {
		s.dropped.Add(1)
		log.Warn().Msg("message is too old; not sent")
		return nil
	}
	if !t.Valid {
		s.refused.Add(1)
		return s.note(ctx, t, ticket.TextInvalidNumber)
	}
	form := s.content(t)
	if form == nil {
		s.refused.Add(1)
		log.Warn().Int("files", len(t.attached)).Msg("message not sent: there is no link to its files (-public-url)")
		return s.note(ctx, t, ticket.TextInvalidNumber)
	}
	bounded, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	to, from := t.To, s.o.Provider.From
	if t.Channel == ticket.ProtocolWhatsApp {
		number := s.o.WhatsApp(t.Location)
		if number == "" { // it was there when the message was written; it waits until there is one again
			return errNoNumber
		}
		to, from = onWhatsApp(to), onWhatsApp("+"+number)
	}
	form.Set("To", to)
	form.Set("From", from)
	sid, err := s.o.Provider.post(bounded, form)
	switch {
	case errors.Is(err, errRefused):
		s.refused.Add(1)
		log.Info().Err(err).Msg("message refused")
		return s.note(ctx, t, ticket.TextInvalidNumber)
	case err != nil:
		return err
	}
	s.sent.Add(1)
	log.Info().Str("sid", sid).Msg("message sent")
	if sid == "" {
		return s.note(ctx, t, ticket.TextSent)
	}
	value, err := json.Marshal(sent{Ticket: t.Ticket, Seq: t.Seq, At: s.o.Clock().UTC()})
	if err != nil {
		return err
	}
	return s.note(ctx, t, ticket.TextSent, store.Doc{Kind: sentDocs, Key: sid, Value: value})
}

// maxMedia is how many files one message takes.
const maxMedia = 10

// content is a message as the provider's form has it, without its ends: WhatsApp
// shows files in the conversation, phones get links behind the text, as pages of
// ours go everywhere. Nil when there is a file without a link.
func (s *Sender) content(t Text) url.Values {
	form := url.Values{}
	body := []string{t.Body}
	for i := range t.attached {
		a := &t.attached[i]
		link := s.o.File(a)
		if link == "" {
			return nil
		}
		file := a.FileIdentifier != "" && a.URI == ""
		if t.Channel == ticket.ProtocolWhatsApp && file && len(form["MediaUrl"]) < maxMedia {
			form.Add("MediaUrl", link)
		} else {
			body = append(body, link)
		}
	}
	if text := strings.TrimSpace(strings.Join(body, "\n")); text != "" {
		form.Set("Body", text)
	}
	if callback := s.callback(t); callback != "" {
		form.Set("StatusCallback", callback)
	}
	return form
}

// errNoNumber says that a location has nothing to send from.
var errNoNumber = errors.New("sms: the location has no number on WhatsApp")

// whatsApp begins the numbers of that channel in the provider's form.
const whatsApp = "whatsapp:"

func onWhatsApp(number string) string { return whatsApp + number }

// sent is what is kept of a message that was handed over.
type sent struct {
	Ticket int64     `json:"ticket"`
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
}

// note makes a status durable, however long that takes: going on without it would
// send the message again.
func (s *Sender) note(ctx context.Context, t Text, status string, docs ...store.Doc) error {
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		_, err := s.advance(ctx, actor, t.Ticket, t.Seq, status, docs...)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.o.Log.Warn().Err(err).Int64("ticket", t.Ticket).Msg("message status not written; trying again")
		c, giveUp := s.o.Timer(pause)
		select {
		case <-c:
		case <-ctx.Done():
		}
		giveUp()
	}
}

// callback is where the provider tells what became of a message. The message is
// named in it, so that a word that comes before our own note is understood; the
// provider's signature covers it.
func (s *Sender) callback(t Text) string {
	if s.o.PublicURL == "" {
		return ""
	}
	q := url.Values{"ticket": {ticketKey(t.Ticket)}, "seq": {strconv.FormatUint(t.Seq, 10)}}
	return s.o.PublicURL + StatusPath + "?" + q.Encode()
}

// prune takes old ids away.
func (s *Sender) prune(ctx context.Context, now time.Time) error {
	var old []store.Doc
	for d, err := range s.ledger.Docs(sentDocs) {
		if err != nil {
			return err
		}
		var v sent
		if err := json.Unmarshal(d.Value, &v); err != nil {
			return fmt.Errorf("document %s is damaged", sentDocs)
		}
		if now.Sub(v.At) > keptIDs {
			old = append(old, store.Doc{Kind: sentDocs, Key: d.Key})
		}
		if len(old) == 256 { // the rest tomorrow
			break
		}
	}
	if len(old) == 0 {
		return nil
	}
	return s.ledger.PutDocs(ctx, old...)
}

// unavailable reports whether an error is about now and not about the request.
func unavailable(err error) bool {
	code := wire.CodeOf(err)
	return code == wire.Unavailable || code == wire.Internal
}

var _ Gateway = (*Sender)(nil)
