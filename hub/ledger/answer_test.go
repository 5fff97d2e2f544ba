package ledger

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// held opens a ledger that is not running yet, so that a test can fill its queue.
func held(t *testing.T, st store.Store, o Options) (l *Ledger, run func() error) {
	t.Helper()
	o.Clock = clock()
	l, err := Open(st, &tape{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return l, func() error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return l.Run(ctx)
	}
}

// ask puts a command into the queue and hands back where its answer comes.
func ask(t *testing.T, l *Ledger, c ticket.Command) *pending {
	t.Helper()
	p := &pending{request: Request{Location: 1, Command: c, Actor: ticket.Actor{Kind: ticket.ActorStaff, User: 1}}, done: make(chan struct{})}
	if err := l.enqueue(p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEverybodyIsAnsweredWhenACommitFails(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	st.fail = errors.New("sync failed")
	// Every command fills a commit of its own, and all of them were taken at once.
	l, run := held(t, st, Options{GroupBytes: 1})
	var asked []*pending
	for range 5 {
		asked = append(asked, ask(t, l, ticket.Create{Line: 1}))
	}
	if err := run(); !errors.Is(err, ErrUnknownOutcome) {
		t.Fatalf("run ended with %v", err)
	}
	for i, p := range asked {
		select {
		case <-p.done:
			if wire.CodeOf(p.err) != wire.Unavailable {
				t.Errorf("command %d was answered %v", i, p.err)
			}
		default:
			t.Errorf("command %d was never answered", i)
		}
	}
}

func TestARefusalIsNotAheadOfWhatItTells(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{})
	a := r.create(1, "a")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	l, run := held(t, st, Options{})
	var asked []*pending
	for range 2 { // the second is refused because of the first
		asked = append(asked, ask(t, l, ticket.CallTicket{Ref: ref(a.ID), Desk: 1}))
	}
	var once sync.Once
	st.onCommit = func([]store.Change) {
		once.Do(func() {
			select {
			case <-asked[1].done:
				t.Error("refused before the call that it lost to was durable")
			default:
			}
		})
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	<-asked[1].done
	if asked[0].err != nil || wire.CodeOf(asked[1].err) != wire.Conflict {
		t.Errorf("answered %v and %v", asked[0].err, asked[1].err)
	}

	// When the call does not come to be, neither does the refusal.
	st.fail = store.ErrFull
	l, run = held(t, st, Options{})
	b := ask(t, l, ticket.Recall{Ref: ref(a.ID)})
	serve := ask(t, l, ticket.Serve{Ref: ref(a.ID)})
	again := ask(t, l, ticket.Serve{Ref: ref(a.ID)})
	if err := run(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*pending{b, serve, again} {
		<-p.done
		if wire.CodeOf(p.err) != wire.Unavailable {
			t.Errorf("%s was answered %v", p.request.Command.Name(), p.err)
		}
	}
}

func TestARefusedCommandWritesNoDocuments(t *testing.T) {
	r := newRig(t, mem(), Options{})
	_, err := r.try(Request{Location: 1, Command: ticket.Create{Line: 99}, Docs: []store.Doc{{Kind: "credential", Key: "x", Value: []byte("y")}}})
	if wire.CodeOf(err) != wire.NotFound {
		t.Fatalf("answered %v", err)
	}
	if _, err := r.store.Doc("credential", "x"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("the document of a refused command is there (%v)", err)
	}
}
