package sms

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/nowserving/nowserving/hub/ticket"
)

// Direct is a message that belongs to no ticket.
type Direct struct {
	// ID names it in the provider's callbacks.
	ID string
	// Channel is SMS or WhatsApp; From and To are numbers, digits only.
	Channel, From, To string
	Text              string
	// Media are links to files.
	Media []string
}

// ErrRefused says that a message will never arrive, whoever tries again.
var ErrRefused = errRefused

// DirectChannels are the channels that SendDirect brings messages out on.
func (s *Sender) DirectChannels() []string {
	return []string{ticket.ProtocolSMS, ticket.ProtocolWhatsApp}
}

// SendDirect hands one message to the provider. ErrRefused is final; any other
// error may go away.
func (s *Sender) SendDirect(ctx context.Context, m Direct) error {
	if !slices.Contains(s.DirectChannels(), m.Channel) {
		return ErrRefused
	}
	to, ok := Normalise("+"+m.To, "")
	if !ok {
		return ErrRefused
	}
	from := m.From
	if len(from) > 6 { // short codes go as they are
		from = "+" + from
	}
	if m.Channel == ticket.ProtocolWhatsApp {
		to, from = onWhatsApp(to), onWhatsApp(from)
	}
	form := url.Values{"To": {to}, "From": {from}, "Body": {m.Text}}
	for _, u := range m.Media {
		form.Add("MediaUrl", u)
	}
	if s.o.PublicURL != "" {
		form.Set("StatusCallback", s.o.PublicURL+StatusPath+"?"+url.Values{"message": {m.ID}}.Encode())
	}
	bounded, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	_, err := s.o.Provider.post(bounded, form)
	switch {
	case errors.Is(err, errRefused):
		s.refused.Add(1)
	case err == nil:
		s.sent.Add(1)
	}
	return err
}

// OnDirect says who is told what became of a message: "Sent", "Delivered", "Read"
// or "Rejected". An error makes the provider tell it again.
func (s *Sender) OnDirect(f func(ctx context.Context, id, status string) error) { s.direct.Store(&f) }

// directStatus translates the provider's status; "" for those that change nothing.
func directStatus(word string) string {
	return map[string]string{
		"sent": "Sent", "delivered": "Delivered", "read": "Read", "undelivered": "Rejected", "failed": "Rejected",
	}[word]
}

// maxDirectID bounds what is read as the id of a message.
const maxDirectID = 64

// tellDirect passes on what became of a message that belongs to no ticket.
func (s *Sender) tellDirect(w http.ResponseWriter, r *http.Request, form url.Values, id string) {
	told, status := s.direct.Load(), directStatus(form.Get("MessageStatus"))
	if len(id) > maxDirectID {
		http.Error(w, "which message?", http.StatusBadRequest)
		return
	}
	if told == nil || status == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := (*told)(r.Context(), id, status); err != nil {
		s.o.Log.Error().Err(err).Str("message", id).Msg("message status not noted")
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
