package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestConnectAndFollow(t *testing.T) {
	inBubble(t, func(cfg *Config, _ *fakeHub) {
		cfg.Header = http.Header{"Authorization": {"Bearer other"}}
	}, func(b *bench) {
		_ = b.c.Subscribe("board:1", nil)
		l, hello := b.hub.raw()
		if hello.Connect.Token != "secret" || hello.Connect.Name != "test/1" {
			b.Errorf("connect is %+v", *hello.Connect)
		}
		if got := l.header.Get("Authorization"); got != "Bearer other" {
			b.Errorf("Authorization is %q", got)
		}
		l.reply(hello.ID, `{"session":"s-9","audience":"display","ping":5,"time":%q}`, wire.Time(time.Now().Add(time.Hour)))
		r := l.expect("subscribe")
		l.snapshot(r.ID, "k1", 105)
		l.push("ticket.called", 106, 105)
		l.push("ticket.called", 106, 105) // a duplicate is dropped
		l.push("ticket.served", 104, 103) // and so is what came before
		l.push("ticket.served", 109, 106)
		b.saw(`catchingUp; snapshot board:1 k1/105 {"at":105}; live; push ticket.called 106; push ticket.served 109`)
		if at, ok := b.c.Position("board:1"); !ok || at != (wire.Position{Epoch: "k1", Offset: 109}) {
			b.Errorf("position is %v %v", at, ok)
		}
		<-b.rec.statuses
		s := <-b.rec.statuses
		if s.State != Live || s.Session != "s-9" || s.Audience != "display" || s.Skew.Round(time.Second) != time.Hour {
			b.Errorf("status is %+v", s)
		}
	})
}

func TestResumeRecovered(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		l := b.live()
		l.push("ticket.called", 106, 105)
		lost := time.Now()
		l.cut()
		l = b.hub.next()
		r := l.expect("subscribe")
		b.wantSince(r, "k1", 106)
		b.saw("push ticket.called 106; connecting; catchingUp")
		l.recovered(r.ID, "k1", 109)
		l.push("ticket.served", 107, 106)
		b.saw("push ticket.served 107") // not live yet: 109 was promised
		l.push("ticket.served", 109, 107)
		b.saw("push ticket.served 109; live")
		for range 2 {
			<-b.rec.statuses
		}
		if s := <-b.rec.statuses; s.State != Connecting || !s.Since.Equal(lost) || s.Err == nil {
			b.Errorf("status %+v, want connecting since %v with an error", s, lost)
		}
		if s := <-b.rec.statuses; s.State != CatchingUp || !s.Since.Equal(lost) {
			b.Errorf("status %+v, want catching up since %v", s, lost)
		}
	})
}

func TestResumeBySnapshotAndOfAnotherEpoch(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.live().cut()
		l := b.hub.next()
		r := l.expect("subscribe")
		b.wantSince(r, "k1", 105)
		l.snapshot(r.ID, "k2", 3) // another life of the journal, so smaller offsets count
		l.push("ticket.called", 4, 3)
		b.saw(`connecting; catchingUp; snapshot board:1 k2/3 {"at":3}; live; push ticket.called 4`)
		l.cut()
		b.wantSince(b.hub.next().expect("subscribe"), "k2", 4)
	})
}

func TestGap(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		l := b.live()
		l.push("ticket.called", 108, 107)
		r := l.expect("subscribe")
		b.wantSince(r, "k1", 105)
		l.push("ticket.called", 109, 108) // of the subscription that is being replaced
		b.saw("catchingUp")
		l.recovered(r.ID, "k1", 109)
		l.push("ticket.created", 107, 105)
		l.push("ticket.called", 108, 107)
		l.push("ticket.called", 109, 108)
		b.saw("push ticket.created 107; push ticket.called 108; push ticket.called 109; live")

		// A hub that answers the same gap with the same gap is asked for a snapshot.
		l.push("ticket.called", 112, 111)
		r = l.expect("subscribe")
		b.wantSince(r, "k1", 109)
		l.recovered(r.ID, "k1", 112)
		l.push("ticket.called", 112, 111)
		r = l.expect("subscribe")
		b.wantSince(r, "k1", 0)
		l.snapshot(r.ID, "k1", 112)
		b.saw(`catchingUp; snapshot board:1 k1/112 {"at":112}; live`)
	})
}

func TestRecoveredFromElsewhereIsNotBelieved(t *testing.T) {
	for name, answer := range map[string]func(l *fakeLink, id int64){
		"another epoch":   func(l *fakeLink, id int64) { l.recovered(id, "k2", 106) },
		"an older offset": func(l *fakeLink, id int64) { l.recovered(id, "k1", 104) },
		"no snapshot":     func(l *fakeLink, id int64) { l.reply(id, `{"channel":"board:1","epoch":"k1","offset":106}`) },
		"another channel": func(l *fakeLink, id int64) {
			l.reply(id, `{"channel":"board:2","epoch":"k1","offset":106,"snapshot":{}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				b.live().cut()
				l := b.hub.next()
				answer(l, l.expect("subscribe").ID)
				<-l.ended
				b.wantSince(b.hub.next().expect("subscribe"), "", 0)
				b.saw("connecting; catchingUp; connecting; catchingUp")
			})
		})
	}
}

func TestSilentHubIsLeft(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		l := b.live()
		// Pings are answered, so an hour without a change is no reason to leave.
		start := time.Now()
		select {
		case <-l.ended:
			b.Fatalf("left after %v although pings were answered", time.Since(start))
		case <-time.After(time.Hour + time.Second): // not at the moment of a ping
		}
		if quiet := time.Since(b.c.LastFrame()); quiet > 5*time.Second {
			b.Errorf("last frame %v ago, want at most one interval", quiet)
		}
		// From now on no frame goes back to the client.
		l.mute()
		quiet := b.c.LastFrame()
		<-l.ended
		if took := time.Since(quiet); took != 15*time.Second {
			b.Errorf("left %v after the last frame, want 15s", took)
		}
		l2 := b.hub.next()
		b.wantSince(l2.expect("subscribe"), "k1", 105)
		b.saw("connecting; catchingUp")
	})
}

func TestBackoffGrowsAndIsForgotten(t *testing.T) {
	var open atomic.Bool
	attempts := make(chan time.Time, 100)
	inBubble(t, func(cfg *Config, h *fakeHub) {
		cfg.Random = func() float64 { return 1 }
		h.before = func(w http.ResponseWriter, _ *http.Request) bool {
			attempts <- time.Now()
			if open.Load() {
				return false
			}
			if len(attempts) == 3 {
				w.Header().Set("Retry-After", "7")
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
	}, func(b *bench) {
		time.Sleep(3 * time.Minute) // the bubble's time: nothing else happens in it
		open.Store(true)
		l := b.live0()
		var waits []string
		for last := <-attempts; len(attempts) > 0; {
			at := <-attempts
			waits = append(waits, at.Sub(last).String())
			last = at
		}
		got := strings.Join(waits, " ")
		if want := "500ms 1s 9s 4s 8s 16s 30s 30s 30s 30s 30s"; got != want {
			b.Errorf("waits %s, want %s", got, want)
		}
		// Live for an interval: the next failure starts small again.
		time.Sleep(5 * time.Second)
		gone := time.Now()
		l.cut()
		b.hub.next()
		if took := time.Since(gone); took != 500*time.Millisecond {
			b.Errorf("came back after %v, want 500ms", took)
		}
	})
}

func TestFinalCloseCode(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		l := b.live()
		l.close(wire.CloseRevoked)
		err := <-b.done
		b.done <- err
		var final *FinalError
		if !errors.As(err, &final) || final.Code != wire.CloseRevoked {
			b.Fatalf("Run returned %v, want final 4200", err)
		}
		b.saw("stopped")
		if _, err := b.c.Do(context.Background(), wire.Command{Name: "ticket.call"}); !errors.Is(err, ErrStopped) {
			b.Errorf("Do after the end: %v, want ErrStopped", err)
		}
	})
}

func TestReturnAfterEachCloseCode(t *testing.T) {
	for _, c := range []struct {
		code  wire.CloseCode
		since uint64
		wait  time.Duration // with random 0.5 on a link that was never steady
	}{
		{wire.CloseDrain, 105, 2500 * time.Millisecond},
		{wire.CloseIdle, 105, 250 * time.Millisecond},
		{wire.CloseConnectLate, 105, 250 * time.Millisecond},
		{wire.CloseExpired, 105, 250 * time.Millisecond},
		{wire.CloseRateLimited, 105, 250 * time.Millisecond},
		{wire.CloseTooManyConns, 105, 250 * time.Millisecond},
		{wire.CloseSlow, 0, 250 * time.Millisecond},
		{1009, 105, 250 * time.Millisecond},
		{1012, 105, 250 * time.Millisecond},
	} {
		t.Run(wire.CloseReason(c.code), func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				l := b.live()
				gone := time.Now()
				l.close(c.code)
				l = b.hub.next()
				if took := time.Since(gone); took != c.wait {
					b.Errorf("%d: came back after %v, want %v", c.code, took, c.wait)
				}
				b.wantSince(l.expect("subscribe"), "k1", c.since)
			})
		})
	}
}

func TestConnectRefused(t *testing.T) {
	t.Run("for good", func(t *testing.T) {
		inBubble(t, nil, func(b *bench) {
			l, r := b.hub.raw()
			l.fail(r.ID, wire.Errorf(wire.Unauthenticated, "no"))
			l.close(wire.CloseBadToken)
			err := <-b.done
			b.done <- err
			var final *FinalError
			if !errors.As(err, &final) || final.Code != wire.CloseBadToken {
				b.Fatalf("Run returned %v", err)
			}
		})
	})
	t.Run("expired, and signed in again", func(t *testing.T) {
		tokens := 0
		inBubble(t, func(cfg *Config, _ *fakeHub) {
			cfg.Token = func(context.Context) (string, error) {
				tokens++
				if tokens == 2 {
					return "", errors.New("sign-in is down")
				}
				return strings.Repeat("x", tokens), nil
			}
		}, func(b *bench) {
			l, r := b.hub.raw()
			l.fail(r.ID, wire.Errorf(wire.Unauthenticated, "expired"))
			l.close(wire.CloseExpired)
			_, r = b.hub.raw()
			if r.Connect.Token != "xxx" {
				b.Errorf("the token is %q, want the third", r.Connect.Token)
			}
		})
	})
	t.Run("for now", func(t *testing.T) {
		inBubble(t, nil, func(b *bench) {
			l, r := b.hub.raw()
			start := time.Now()
			l.fail(r.ID, &wire.Error{Code: wire.Unavailable, Message: "draining", RetryAfter: 20})
			b.hub.next()
			// refusalWait for the close code, 20 s as asked, back-off.
			if took := time.Since(start); took != 22*time.Second+250*time.Millisecond {
				b.Errorf("came back after %v", took)
			}
		})
	})
}

func TestStopSaysGoodbye(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		l := b.live()
		b.stop()
		err := <-b.done
		b.done <- err
		if !errors.Is(err, context.Canceled) {
			b.Errorf("Run returned %v", err)
		}
		<-l.ended
		if code := websocket.CloseStatus(l.err); code != websocket.StatusNormalClosure {
			b.Errorf("the link ended with %v (%v)", code, l.err)
		}
		b.saw("stopped")
		if err := b.c.Run(context.Background()); err == nil {
			b.Error("a second Run must fail")
		}
	})
}

func TestNewChecksItsConfig(t *testing.T) {
	good := Config{URL: "wss://hub.test/path/ws", Handler: newRecorder(), Now: time.Now, Random: func() float64 { return 0 }}
	if c, err := New(good); err != nil || c.url != "wss://hub.test/path/ws" {
		t.Fatalf("%v", err)
	}
	for name, spoil := range map[string]func(*Config){
		"no handler": func(c *Config) { c.Handler = nil },
		"no clock":   func(c *Config) { c.Now = nil },
		"no random":  func(c *Config) { c.Random = nil },
		"scheme":     func(c *Config) { c.URL = "ftp://hub.test" },
		"no host":    func(c *Config) { c.URL = "http:///ws" },
		"query":      func(c *Config) { c.URL = "http://hub.test/ws?token=x" },
		"user":       func(c *Config) { c.URL = "http://a:b@hub.test/ws" },
		"not a URL":  func(c *Config) { c.URL = "http://[::1" },
	} {
		bad := good
		spoil(&bad)
		if _, err := New(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// live0 is live for a client that has had failures before.
func (b *bench) live0() *fakeLink {
	_ = b.c.Subscribe("board:1", nil)
	l := b.hub.next()
	l.snapshot(l.expect("subscribe").ID, "k1", 105)
	synctest.Wait()
	return l
}

func TestDefectiveFrames(t *testing.T) {
	for _, frame := range []string{
		`nonsense`, `{"push":"a","channel":"nowhere","offset":1}`, `{"id":0,"error":{"code":"bad_request","message":"?"}}`,
	} {
		inBubble(t, nil, func(b *bench) {
			l := b.live()
			l.send(frame)
			<-l.ended
			b.wantSince(b.hub.next().expect("subscribe"), "", 0)
		})
	}
	inBubble(t, nil, func(b *bench) {
		l := b.live()
		_ = l.conn.Write(context.Background(), websocket.MessageBinary, []byte(`{}`))
		<-l.ended
		b.wantSince(b.hub.next().expect("subscribe"), "", 0)
	})
}
