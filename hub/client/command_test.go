package client

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

type answer struct {
	reply wire.CommandReply
	err   error
}

func (b *bench) do(ctx context.Context, cmd wire.Command) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		reply, err := b.c.Do(ctx, cmd)
		out <- answer{reply, err}
	}()
	return out
}

func TestCommandIsSentAgainWithTheSameKey(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		call := wire.Command{Name: "ticket.call", Params: json.RawMessage(`{"ticket":"17","desk":3}`)}
		got := b.do(context.Background(), call) // before there is a link
		l := b.hub.next()
		first := l.expect("command").Command
		if first.Key == "" || first.Name != "ticket.call" || string(first.Params) != `{"ticket":"17","desk":3}` {
			b.Fatalf("sent %+v", *first)
		}
		l.cut() // no answer
		l = b.hub.next()
		r := l.expect("command")
		if r.Command.Key != first.Key {
			b.Fatalf("sent again with key %q, want %q", r.Command.Key, first.Key)
		}
		l.reply(r.ID, `{"offset":106,"ticket":{"id":"17"}}`)
		a := <-got
		if a.err != nil || a.reply.Offset != 106 || string(a.reply.Ticket) != `{"id":"17"}` {
			b.Fatalf("answer %+v", a)
		}
		l.cut()
		l = b.hub.next()
		synctest.Wait()
		select {
		case r := <-l.asked:
			b.Fatalf("an answered command was sent again: %+v", r)
		default:
		}
	})
}

func TestCommandFails(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		l := b.hub.next()
		got := b.do(context.Background(), wire.Command{Name: "ticket.call", Key: "mine"})
		r := l.expect("command")
		if r.Command.Key != "mine" {
			b.Errorf("key %q, want the caller's", r.Command.Key)
		}
		l.fail(r.ID, wire.Errorf(wire.Conflict, "A-42 was already called to desk 2"))
		if a := <-got; wire.CodeOf(a.err) != wire.Conflict {
			b.Errorf("error %v, want conflict", a.err)
		}

		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if a := <-b.do(ctx, wire.Command{Name: "ticket.call"}); !errors.Is(a.err, context.DeadlineExceeded) {
			b.Errorf("error %v, want the deadline", a.err)
		}
		l.expect("command")
		l.cut()
		l = b.hub.next()
		synctest.Wait()
		select {
		case r := <-l.asked:
			b.Fatalf("a command that nobody waits for was sent again: %+v", r)
		default:
		}
	})
}

func TestCommandThatIsNotOfTheProtocolStaysHere(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.hub.next()
		for want, cmd := range map[wire.Code]wire.Command{
			wire.BadRequest: {Name: "x", Params: json.RawMessage(`{`)},
			wire.TooLarge:   {Name: "x", Params: json.RawMessage(`"` + strings.Repeat("y", wire.MaxFrame) + `"`)},
		} {
			if _, err := b.c.Do(context.Background(), cmd); wire.CodeOf(err) != want {
				b.Errorf("error %v, want %s", err, want)
			}
		}
		if _, err := b.c.Do(context.Background(), wire.Command{Name: "x", Key: strings.Repeat("k", 129)}); wire.CodeOf(err) != wire.BadRequest {
			b.Errorf("a long key: %v", err)
		}
	})
}

func TestCommandsEndWithTheClient(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		l := b.hub.next()
		got := b.do(context.Background(), wire.Command{Name: "ticket.call"})
		l.expect("command")
		b.stop()
		if a := <-got; !errors.Is(a.err, ErrStopped) {
			b.Errorf("error %v, want ErrStopped", a.err)
		}
	})
}

func TestSignalsAndReceipts(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		if b.c.Signal("ticket:17", "typing") {
			b.Error("a signal was taken without a link")
		}
		l := b.live()
		if !b.c.Signal("ticket:17", "typing") || !b.c.Receipt(wire.Receipt{Channel: "board:1", Offset: 105, Painted: true}) {
			b.Fatal("not taken")
		}
		s := l.expect("signal")
		if *s.Signal != (wire.Signal{Channel: "ticket:17", Name: "typing"}) {
			b.Errorf("signal %+v", *s.Signal)
		}
		r := l.expect("receipt")
		if *r.Receipt != (wire.Receipt{Channel: "board:1", Offset: 105, Painted: true}) {
			b.Errorf("receipt %+v", *r.Receipt)
		}
		l.reply(s.ID, `{}`)
		l.fail(r.ID, wire.Errorf(wire.Forbidden, "no")) // nobody minds
		l.send(`{"push":"signal","channel":"board:1","time":"2026-11-21T10:42:05.120Z","data":{"name":"typing"}}`)
		l.push("ticket.called", 106, 105)
		b.saw("push signal 0; push ticket.called 106")
	})
}

func TestSubscriptionsComeAndGo(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		l := b.live()
		if err := b.c.Subscribe("nonsense", nil); err == nil {
			b.Error("a channel without a form was taken")
		}
		_ = b.c.Subscribe("board:1", nil) // there already
		_ = b.c.Subscribe("display:4", &wire.Position{Epoch: "k1", Offset: 90})
		r := l.expect("subscribe")
		if r.Subscribe.Channel != "display:4" || *r.Subscribe.Since != (wire.Position{Epoch: "k1", Offset: 90}) {
			b.Fatalf("subscribe %+v", *r.Subscribe)
		}
		l.fail(r.ID, &wire.Error{Code: wire.Unavailable, Message: "later", RetryAfter: 3})
		asked := time.Now()
		r = l.expect("subscribe")
		if took := time.Since(asked); took != 3250*time.Millisecond {
			b.Errorf("asked again after %v", took)
		}
		l.fail(r.ID, wire.Errorf(wire.Forbidden, "no"))
		b.saw("catchingUp; refused display:4 forbidden; live")

		b.c.Refetch("board:1")
		r = l.expect("subscribe")
		b.wantSince(r, "", 0)
		l.snapshot(r.ID, "k1", 105)
		b.saw(`catchingUp; snapshot board:1 k1/105 {"at":105}; live`)

		b.c.Unsubscribe("board:1")
		if got := l.expect("unsubscribe").Unsubscribe.Channel; got != "board:1" {
			b.Errorf("unsubscribed %s", got)
		}
		l.push("ticket.called", 106, 105)
		b.saw("")
		l.cut()
		b.hub.next()
		b.saw("connecting; catchingUp; live") // nothing wanted: current at once
		if _, ok := b.c.Position("board:1"); ok {
			b.Error("a position of a channel that was given up")
		}
	})
}
