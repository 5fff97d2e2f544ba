package chatapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/server/outbox/sms"
	"github.com/nowserving/nowserving/store"
)

// Messages without a ticket go out from here. One is written down before its call
// is answered, and stays until the gateway has it or will never take it; then it is
// kept for a while, so that what becomes of it can be told. Sending and telling are
// at least once: a crash between the gateway's answer and our note repeats them.

const (
	// messageDocs are messages that wait to be sent, sentDocs those that were.
	messageDocs = "chat.message"
	sentDocs    = "chat.sent"
)

// The statuses of a message without a ticket, in the order in which they come.
const (
	messagePending   = "Pending"
	messageSent      = "Sent"
	messageDelivered = "Delivered"
	messageRejected  = "Rejected"
	messageRead      = "Read"
)

const (
	// messageTooOld is when a message is given up.
	messageTooOld = 24 * time.Hour
	// messageKept is for how long one that was sent is known.
	messageKept = 7 * 24 * time.Hour
	// messagesAtOnce are under way at a time: a bulk sender's 500 a minute with a
	// gateway that takes a second for each.
	messagesAtOnce    = 8
	firstMessagePause = 5 * time.Second
	lastMessagePause  = 10 * time.Minute
)

// Carrier brings messages without a ticket out. sms.ErrRefused is final; any other
// error may go away.
type Carrier interface {
	DirectChannels() []string
	SendDirect(ctx context.Context, m sms.Direct) error
}

// storedMessage is a message's document.
type storedMessage struct {
	messageJSON
	At time.Time `json:"at"`
}

// messenger is what is kept in memory of messages on their way.
type messenger struct {
	wake chan struct{}
	mu   sync.Mutex // protects failed
	// failed says when a message that could not be sent is tried again.
	failed map[string]retryAt
	// telling orders what becomes of messages, so that it only goes forward.
	telling sync.Mutex
}

type retryAt struct {
	times int
	next  time.Time
}

func newMessenger() *messenger {
	return &messenger{wake: make(chan struct{}, 1), failed: map[string]retryAt{}}
}

// stir says that there is a new message.
func (m *messenger) stir() {
	select {
	case m.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// runMessages sends what waits until ctx ends.
func (a *API) runMessages(ctx context.Context) {
	for {
		wait, err := a.SendWaiting(ctx)
		a.report(err, "messages not sent")
		timer, giveUp := a.Timer(wait)
		select {
		case <-ctx.Done():
			giveUp()
			return
		case <-a.messenger.wake:
			giveUp()
		case <-timer:
		}
	}
}

// SendWaiting sends the messages without a ticket whose turn it is, oldest first,
// and says when to come again.
func (a *API) SendWaiting(ctx context.Context) (time.Duration, error) {
	now, wait := a.Clock(), lastMessagePause
	var batch []store.Doc
	for d, err := range a.Ledger.Docs(messageDocs) {
		if err != nil {
			return wait, fmt.Errorf("read messages: %w", err)
		}
		a.messenger.mu.Lock()
		until := a.messenger.failed[d.Key].next.Sub(now)
		a.messenger.mu.Unlock()
		if until > 0 {
			wait = min(wait, until)
		} else if batch = append(batch, d); len(batch) == messagesAtOnce {
			wait = 0
			break
		}
	}
	var group sync.WaitGroup
	errs := make([]error, len(batch))
	for i, d := range batch {
		group.Go(func() { errs[i] = a.sendWaiting(ctx, d) })
	}
	group.Wait()
	return wait, cmp.Or(errors.Join(errs...), a.forgetSent(ctx, now))
}

// sendWaiting is one message's turn.
func (a *API) sendWaiting(ctx context.Context, d store.Doc) error {
	var m storedMessage
	if err := decodeDoc(d, &m); err != nil {
		return err
	}
	var err error
	switch {
	case a.Carrier == nil || !slices.Contains(a.Carrier.DirectChannels(), m.ProtocolType):
		err = sms.ErrRefused // nothing here brings messages out on that channel
	case a.Clock().Sub(m.At) > messageTooOld:
		err = sms.ErrRefused
	default:
		err = a.Carrier.SendDirect(ctx, sms.Direct{
			ID: d.Key, Channel: m.ProtocolType, From: m.From, To: m.To, Text: m.Text, Media: m.Files,
		})
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return a.noteMessage(ctx, d.Key, messageSent)
	case errors.Is(err, sms.ErrRefused):
		return a.noteMessage(ctx, d.Key, messageRejected)
	}
	a.messenger.mu.Lock()
	defer a.messenger.mu.Unlock()
	r := a.messenger.failed[d.Key]
	r.times++
	r.next = a.Clock().Add(min(firstMessagePause<<min(r.times-1, 10), lastMessagePause))
	a.messenger.failed[d.Key] = r
	a.Log.Warn().Err(err).Str("message", d.Key).Int("attempts", r.times).Msg("message not sent; trying again")
	return nil
}

// noteMessage takes a message off those that wait.
func (a *API) noteMessage(ctx context.Context, key, status string) error {
	a.messenger.telling.Lock()
	defer a.messenger.telling.Unlock()
	var m storedMessage
	if err := a.readDoc(messageDocs, key, &m); err != nil { // again: the gateway's word may have come first
		return err
	}
	if messageRank(status) > messageRank(m.Status) {
		m.Status = status
	}
	if status == messageRejected {
		if err := a.tellMessage(ctx, m); err != nil {
			return err
		}
	}
	a.messenger.mu.Lock()
	delete(a.messenger.failed, key)
	a.messenger.mu.Unlock()
	done, err := jsonDoc(sentDocs, key, m)
	if err != nil {
		return err
	}
	return a.Ledger.PutDocs(ctx, store.Doc{Kind: messageDocs, Key: key}, done)
}

// MessageStatus notes what the gateway says became of a message, and tells it on.
// One that is not known, or that had got that far before, changes nothing.
func (a *API) MessageStatus(ctx context.Context, id, status string) error {
	a.messenger.telling.Lock()
	defer a.messenger.telling.Unlock()
	var m storedMessage
	kind := sentDocs
	err := a.readDoc(kind, id, &m)
	if errors.Is(err, store.ErrNotFound) { // the word overtook our own note
		kind = messageDocs
		err = a.readDoc(kind, id, &m)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if messageRank(status) <= messageRank(m.Status) {
		return nil
	}
	m.Status = status
	if status != messageSent {
		if err := a.tellMessage(ctx, m); err != nil {
			return err
		}
	}
	doc, err := jsonDoc(kind, id, m)
	if err != nil {
		return err
	}
	return a.Ledger.PutDocs(ctx, doc)
}

func messageRank(status string) int {
	return slices.Index([]string{messagePending, messageSent, messageDelivered, messageRejected, messageRead}, status)
}

// tellMessage posts the event of a message's new status.
func (a *API) tellMessage(ctx context.Context, m storedMessage) error {
	if a.Events == nil {
		return nil
	}
	const name = "NON_TICKET_MESSAGE_STATUS"
	body, err := json.Marshal(struct {
		Event   string      `json:"_event"`
		Ticket  *int64      `json:"ticketId"`
		Message messageJSON `json:"message"`
		Unique  string      `json:"uniqueArgument"`
	}{name, nil, m.messageJSON, ""})
	if err != nil {
		return err
	}
	return a.Events.Post(ctx, m.DepartmentID, outbox.ChatEvent{Name: name, Change: body})
}

// forgetSent takes away what was sent long ago.
func (a *API) forgetSent(ctx context.Context, now time.Time) error {
	var old []store.Doc
	for d, err := range a.Ledger.Docs(sentDocs) {
		if err != nil {
			return fmt.Errorf("read messages: %w", err)
		}
		var m storedMessage
		if err := decodeDoc(d, &m); err != nil {
			return err
		}
		if now.Sub(m.At) < messageKept || len(old) == 100 { // keys go by time: the rest is younger
			break
		}
		old = append(old, store.Doc{Kind: sentDocs, Key: d.Key})
	}
	if len(old) == 0 {
		return nil
	}
	return a.Ledger.PutDocs(ctx, old...)
}

// messageKey sorts messages by when they were taken.
func messageKey(at time.Time, guid string) string {
	return fmt.Sprintf("%012x.%s", at.UnixMilli(), guid)
}

var _ Carrier = (*sms.Sender)(nil)
