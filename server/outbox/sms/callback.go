package sms

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/outbox/sign"
)

// The paths that the provider calls.
const (
	StatusPath  = "/texts/status"
	InboundPath = "/texts/inbound"
)

const (
	// maxCallback bounds a callback's body.
	maxCallback = 64 << 10
	// maxBodyText bounds a received message, in characters: more than any provider
	// passes on.
	maxBodyText = 4000
	// onlyMedia stands for a message that has pictures or files and no text.
	onlyMedia = "\U0001F4CE"
)

// Handler answers StatusPath and InboundPath. Only what the provider has signed
// is believed.
func (s *Sender) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+StatusPath, s.signed(s.status))
	mux.HandleFunc("POST "+InboundPath, s.signed(s.inbound))
	return mux
}

// signed reads a callback and checks who sent it.
func (s *Sender) signed(handle func(http.ResponseWriter, *http.Request, url.Values)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxCallback)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "bad form", http.StatusBadRequest)
			return
		}
		// The address as the provider knows it: between it and us may be proxies.
		at := s.o.PublicURL + r.URL.RequestURI()
		form := r.PostForm
		if s.o.PublicURL == "" || form.Get("AccountSid") != s.o.Provider.Account ||
			!sign.ProviderFits(s.o.Provider.Token, at, form, r.Header.Get(sign.HeaderProvider)) {
			s.o.Log.Warn().Str("path", r.URL.Path).Msg("message callback without a valid signature")
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		handle(w, r, form)
	}
}

// status takes note of what became of a message.
func (s *Sender) status(w http.ResponseWriter, r *http.Request, form url.Values) {
	q := r.URL.Query()
	if id := q.Get("message"); id != "" {
		s.tellDirect(w, r, form, id)
		return
	}
	id, err := strconv.ParseInt(q.Get("ticket"), 10, 64)
	seq, err2 := strconv.ParseUint(q.Get("seq"), 10, 64)
	if err != nil || err2 != nil || id < 1 || seq < 1 {
		http.Error(w, "which message?", http.StatusBadRequest)
		return
	}
	status := statusOf(form.Get("MessageStatus"))
	if status == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	moved, err := s.advance(r.Context(), actor, id, seq, status)
	if err != nil && unavailable(err) {
		s.o.Log.Error().Err(err).Int64("ticket", id).Msg("message status not noted")
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	if moved {
		switch status {
		case ticket.TextDelivered:
			s.delivered.Add(1)
		case ticket.TextInvalidNumber:
			s.refused.Add(1)
			// The code says why; nothing personal is in it.
			code, _ := strconv.Atoi(form.Get("ErrorCode"))
			s.o.Log.Info().Int64("ticket", id).Uint64("seq", seq).Int("code", code).Msg("message did not arrive")
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// inbound puts a received message into the newest live ticket of its sender.
func (s *Sender) inbound(w http.ResponseWriter, r *http.Request, form url.Values) {
	sid := form.Get("MessageSid")
	if sid == "" || len(sid) > 64 {
		http.Error(w, "which message?", http.StatusBadRequest)
		return
	}
	if err := s.receive(r.Context(), sid, form); err != nil {
		if unavailable(err) {
			s.o.Log.Error().Err(err).Msg("received message not kept")
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		s.o.Log.Warn().Err(err).Str("sid", sid).Msg("received message refused")
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?><Response></Response>`)) // no automatic answer
}

func (s *Sender) receive(ctx context.Context, sid string, form url.Values) error {
	from, onApp := strings.CutPrefix(form.Get("From"), whatsApp)
	channel := ticket.ProtocolSMS
	if onApp {
		channel = ticket.ProtocolWhatsApp
	}
	id := s.owner(from, onApp)
	if id == 0 {
		s.o.Log.Info().Str("sid", sid).Msg("received message belongs to no ticket")
		return nil
	}
	text := strings.ToValidUTF8(form.Get("Body"), "\uFFFD")
	text = strings.ReplaceAll(text, "\x00", "")
	if runes := []rune(text); len(runes) > maxBodyText {
		text = string(runes[:maxBodyText])
	}
	if strings.TrimSpace(text) == "" {
		if n, _ := strconv.Atoi(form.Get("NumMedia")); n < 1 {
			return nil
		}
		text = onlyMedia
	}
	res, err := s.ledger.Do(ctx, ledger.Request{
		Command: ticket.SendMessage{
			Ref: ticket.Ref{ID: ticket.TicketID(id)}, Text: text, Protocol: channel, Status: ticket.TextDelivered,
		},
		Actor: ticket.Actor{Kind: ticket.ActorVisitor, Credential: actor},
		Key:   "sms:in:" + sid, // the provider sends again when it misses our answer
	})
	if err == nil && !res.Again {
		s.received.Add(1)
	}
	return err
}

// owner is the newest live ticket with a phone number, 0 when there is none. What
// comes on WhatsApp belongs to a conversation there.
func (s *Sender) owner(from string, onApp bool) int64 {
	number, ok := Normalise(from, "")
	if !ok {
		return 0
	}
	var newest int64
	for _, location := range s.ledger.Locations() {
		country := ""
		candidates := map[int64]string{}
		// Numbers are compared outside: that takes longer than a view may be held.
		s.ledger.View(location, func(st *ticket.State) {
			country = st.Location.Country
			for id, t := range st.Tickets {
				if onApp && t.Conversation.Protocol != ticket.ProtocolWhatsApp {
					continue
				}
				if ending(t.Private.PhoneNumber) == ending(number) {
					candidates[id] = t.Private.PhoneNumber
				}
			}
		})
		for id, entered := range candidates {
			if n, ok := Normalise(entered, country); ok && n == number && id > newest {
				newest = id
			}
		}
	}
	return newest
}
