package session

import (
	"context"
	"encoding/json"
	"math"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// maxName bounds the name that a program gives itself, in bytes.
const maxName = 64

// maxProofs bounds how often a credential is checked again because some
// credential was revoked meanwhile.
const maxProofs = 5

// handle answers one frame.
func (s *session) handle(frame []byte, now time.Time) {
	r, bad := wire.Decode(frame)
	if wait, ok := s.afford(now); !ok {
		s.fail(r.ID, &wire.Error{
			Code: wire.RateLimited, Message: "too many requests",
			RetryAfter: int(math.Ceil(max(wait.Seconds(), 1))),
		})
		return
	}
	switch {
	case bad != nil:
		s.fail(r.ID, bad)
		if r.ID == 0 {
			if s.unreadable++; s.unreadable >= s.srv.o.Limits.Unreadable {
				s.breach(wire.CloseNotJSON)
			}
		}
	case s.silence.Load() != 0:
		s.answer(&r)
	case r.Connect != nil:
		s.connect(r.ID, r.Connect)
	default:
		s.fail(r.ID, wire.Errorf(wire.Unauthenticated, "the first frame must be connect"))
	}
}

func (s *session) fail(id int64, e *wire.Error) { s.out.Send(wire.Failure(id, e)) }

// reply answers with body, or with err; nil body is an empty reply.
func (s *session) reply(id int64, body any, err error) {
	if err == nil {
		s.out.Send(wire.Reply(id, body))
		return
	}
	e := wire.AsError(err)
	if e.Code == wire.Internal {
		s.srv.o.Log.Error().Err(err).Str("session", s.name).Str("credential", s.identity.Credential).Msg("request failed")
	}
	s.fail(id, e)
}

// answer does one request of a connected session. A defect that some input
// reaches costs that request, not the node.
func (s *session) answer(r *wire.Request) {
	defer func() {
		if p := recover(); p != nil {
			s.srv.o.Log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).
				Str("session", s.name).Str("verb", r.Verb()).Msg("request panicked")
			s.fail(r.ID, wire.Errorf(wire.Internal, "something went wrong on our side"))
		}
	}()
	switch {
	case r.Connect != nil:
		s.fail(r.ID, wire.Errorf(wire.Conflict, "this session is connected already"))
	case r.Subscribe != nil:
		s.subscribe(r.ID, r.Subscribe)
	case r.Unsubscribe != nil:
		ch, bad := wire.ParseChannel(r.Unsubscribe.Channel)
		if bad != nil {
			s.fail(r.ID, bad)
			return
		}
		s.srv.o.Hub.Unsubscribe(s.out, ch)
		s.reply(r.ID, nil, nil)
	case r.Command != nil:
		// Not the connection's context: a command that was begun is finished,
		// and its client may ask again with the same key.
		done, err := s.srv.o.Gate.Commands(context.Background(), s.identity, *r.Command)
		s.reply(r.ID, done, err)
	case r.Signal != nil:
		s.reply(r.ID, nil, s.signal(r.Signal))
	case r.Receipt != nil:
		_, bad := wire.ParseChannel(r.Receipt.Channel)
		if bad != nil {
			s.fail(r.ID, bad)
			return
		}
		s.reply(r.ID, nil, s.srv.o.Gate.Receipt(s.identity, *r.Receipt))
	default:
		s.reply(r.ID, nil, nil) // ping
	}
}

func (s *session) subscribe(id int64, r *wire.Subscribe) {
	ch, bad := wire.ParseChannel(r.Channel)
	if bad != nil {
		s.fail(id, bad)
		return
	}
	audience, err := s.srv.o.Gate.Channel(s.identity, ch)
	if err != nil {
		s.reply(id, nil, err)
		return
	}
	if limit := s.srv.o.Limits.Subscriptions; s.out.Subscriptions() >= limit && !s.out.Has(ch) {
		s.fail(id, wire.Errorf(wire.TooLarge, "a session has at most %d subscriptions", limit))
		return
	}
	if ch.Kind == wire.ConsoleChannel && s.identity.Kind == auth.Staff {
		s.join(ch.ID) // before the snapshot, which then shows it
	}
	if err := s.srv.o.Hub.Subscribe(s.out, hub.Key{Channel: ch, Audience: audience}, r.Since, id); err != nil {
		s.reply(id, nil, err)
		return
	}
	s.srv.subscribed(s.identity, ch)
}

func (s *session) signal(r *wire.Signal) error {
	ch, bad := wire.ParseChannel(r.Channel)
	if bad != nil {
		return bad
	}
	if err := s.srv.o.Gate.Signal(s.identity, ch, r.Name); err != nil {
		return err
	}
	said := signalled{Name: r.Name, Session: s.name, Audience: s.identity.Kind}
	data, err := json.Marshal(said)
	if err != nil {
		return err
	}
	if said.User = s.identity.User; s.identity.Kind != auth.Staff || said.User == 0 {
		s.srv.o.Hub.Emit(ch, "signal", data, s.out)
		return nil
	}
	// Colleagues see which of them it is; a visitor only that somebody is there.
	said.UserName = s.srv.o.Gate.UserName(s.identity)
	named, err := json.Marshal(said)
	if err != nil {
		return err
	}
	s.srv.o.Hub.Emit(ch, "signal", named, s.out, hub.Staff)
	s.srv.o.Hub.Emit(ch, "signal", data, s.out, hub.Display, hub.Visitor)
	return nil
}

// signalled is the data of a signal's push.
type signalled struct {
	Name     string    `json:"name"`
	Session  string    `json:"session"`
	Audience auth.Kind `json:"audience"`
	User     int       `json:"user,omitempty"`
	UserName string    `json:"userName,omitempty"`
}

// connect lets a session in.
func (s *session) connect(id int64, c *wire.Connect) {
	for range maxProofs {
		if err := s.identify(c); err != nil {
			s.reply(id, nil, err)
			if wire.CodeOf(err) == wire.Unauthenticated {
				s.out.Close(wire.CloseBadToken)
			}
			return
		}
		now := s.srv.o.Clock()
		if e := s.identity.Expires; !e.IsZero() && !now.Before(e) {
			s.fail(id, wire.Errorf(wire.Unauthenticated, "the credential has run out"))
			s.out.Close(wire.CloseExpired)
			return
		}
		switch s.srv.enroll(s, s.seen) {
		case outdated:
			s.proved = nil
			continue
		case tooLateNo:
			s.out.Close(wire.CloseDrain)
		case crowded:
			s.fail(id, &wire.Error{Code: wire.RateLimited, Message: "too many sockets of this credential", RetryAfter: 5})
			s.breach(wire.CloseTooManyConns)
		default:
			s.welcome(id, c, now)
		}
		return
	}
	s.fail(id, &wire.Error{Code: wire.Unavailable, Message: "credentials are changing", RetryAfter: 1})
}

// identify finds out who is there: the token, or else the handshake's proof.
func (s *session) identify(c *wire.Connect) error {
	var err error
	switch {
	case c.Token != "":
		s.seen = s.srv.seen()
		s.identity, err = s.srv.o.Gate.Token(context.Background(), c.Token, s.request)
	case s.proved != nil:
		s.identity = *s.proved
	default:
		var known bool
		s.seen = s.srv.seen()
		s.identity, known, err = s.srv.handshake(s.request)
		if err == nil && !known {
			err = wire.Errorf(wire.Unauthenticated, "a token is needed")
		}
	}
	return err
}

func (s *session) welcome(id int64, c *wire.Connect, now time.Time) {
	s.request, s.proved = nil, nil // they hold kilobytes
	s.settle(now)
	s.reply(id, wire.ConnectReply{
		Session:  s.name,
		Audience: string(s.identity.Kind),
		Ping:     int(s.srv.o.Limits.ping(s.identity.Kind) / time.Second),
		Time:     wire.Time(now),
	}, nil)
	s.program = tidyName(c.Name)
	if k := s.identity.Kind; k == auth.Display || k == auth.Kiosk { // a screen is there whatever it subscribes to
		for _, l := range s.identity.Locations {
			s.join(int64(l))
		}
	}
}

// tidyName makes a client's name for itself fit to be shown.
func tidyName(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	return name
}
