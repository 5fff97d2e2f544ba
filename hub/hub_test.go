package hub

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// bubble runs f with a hub in a synctest bubble, and stops the hub.
func bubble(t *testing.T, o Options, f func(t *testing.T, h *Hub, j *journal)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		h, stop := start(t, j, o)
		defer stop()
		f(t, h, j)
	})
}

func subscribe(t *testing.T, h *Hub, key Key, since *wire.Position) (*client, *Outbox) {
	t.Helper()
	c := newClient(t)
	o := h.NewOutbox(c)
	if err := c.subscribe(h, o, key, since, 1); err != nil {
		t.Fatal(err)
	}
	return c, o
}

func TestSubscribeThenPushes(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		j.add(h, board1, 5) // nobody wants it: it is in the snapshot
		if h.Wants(board1) {
			t.Error("wanted by nobody")
		}
		c, _ := subscribe(t, h, board1, nil)
		if !h.Wants(board1) || h.Wants(console1) {
			t.Error("Wants does not know who is there")
		}
		j.add(h, board1, 7)
		j.add(h, board1, 9)
		synctest.Wait()
		if got := c.seen["board:1"]; fmt.Sprint(got) != "[7 9]" || c.pos["board:1"] != 9 {
			t.Errorf("got %v", got)
		}
	})
}

// The bytes are those of wire: a reply put together from shared pieces must
// not differ from one that was marshalled.
func TestReplyBytes(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		j.add(h, board1, 5)
		c, _ := subscribe(t, h, board1, nil)
		d, _ := subscribe(t, h, board1, &wire.Position{Epoch: "e1", Offset: 5})
		synctest.Wait()
		frames, _ := c.got()
		want := wire.Reply(1, wire.SubscribeReply{Channel: "board:1", Epoch: "e1", Offset: 5, Snapshot: []byte(`{"n":5}`)})
		if !bytes.Equal(frames[0].payload, want) {
			t.Errorf("got  %s\nwant %s", frames[0].payload, want)
		}
		frames, _ = d.got()
		want = wire.Reply(1, wire.SubscribeReply{Channel: "board:1", Epoch: "e1", Offset: 5, Recovered: true})
		if !bytes.Equal(frames[0].payload, want) {
			t.Errorf("got  %s\nwant %s", frames[0].payload, want)
		}
	})
}

func TestRecovery(t *testing.T) {
	for _, c := range []struct {
		name      string
		since     wire.Position
		recovered bool
		missed    string
	}{
		{"at the head", wire.Position{Epoch: "e1", Offset: 9}, true, "[]"},
		{"some missed", wire.Position{Epoch: "e1", Offset: 7}, true, "[8 9]"},
		{"at the floor", wire.Position{Epoch: "e1", Offset: 5}, true, "[7 8 9]"},
		{"between publications", wire.Position{Epoch: "e1", Offset: 6}, true, "[7 8 9]"},
		{"below the floor", wire.Position{Epoch: "e1", Offset: 4}, false, "[]"},
		{"future", wire.Position{Epoch: "e1", Offset: 10}, false, "[]"},
		{"other epoch", wire.Position{Epoch: "e0", Offset: 9}, false, "[]"},
		{"nothing", wire.Position{}, false, "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
				j.add(h, board1, 5)
				subscribe(t, h, board1, nil) // makes the ring, with its floor at 5
				for _, offset := range []uint64{7, 8, 9} {
					j.add(h, board1, offset)
				}
				synctest.Wait()
				got, _ := subscribe(t, h, board1, &c.since)
				synctest.Wait()
				if got.recovered("board:1") != c.recovered || fmt.Sprint(got.seen["board:1"]) != c.missed || got.at("board:1") != 9 {
					t.Errorf("recovered %v, missed %v, at %d", got.recovered("board:1"), got.seen["board:1"], got.at("board:1"))
				}
			})
		})
	}
}

// A node that has just started knows no history, but can tell who missed nothing.
func TestRecoveryOnAnEmptyRing(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		j.add(h, board1, 5)
		c, _ := subscribe(t, h, board1, &wire.Position{Epoch: "e1", Offset: 5})
		j.add(h, board1, 6)
		synctest.Wait()
		if !c.recovered("board:1") || c.at("board:1") != 6 {
			t.Error("missed nothing, but was not recovered")
		}
	})
}

// The ledger has committed 6 and not yet published it. A snapshot shows it, a
// client may come back with it, and nobody gets it twice.
func TestCommittedButNotPublished(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		j.add(h, board1, 5)
		live, _ := subscribe(t, h, board1, nil)
		j.add(h, board1, 6)
		synctest.Wait()
		time.Sleep(time.Minute) // so that no snapshot is shared
		j.commit(board1, 7, time.Now())
		shown, _ := subscribe(t, h, board1, nil)
		back, _ := subscribe(t, h, board1, &wire.Position{Epoch: "e1", Offset: 7})
		synctest.Wait()
		if shown.at("board:1") != 7 {
			t.Error("the snapshot lacks what is committed")
		}
		if !back.recovered("board:1") {
			t.Error("a client with the committed head was not recovered")
		}
		j.publish(h, board1)
		j.add(h, board1, 8)
		synctest.Wait()
		for name, c := range map[string]*client{"live": live, "shown": shown, "back": back} {
			if c.at("board:1") != 8 {
				t.Errorf("%s is at %d", name, c.at("board:1"))
			}
		}
		if fmt.Sprint(shown.seen["board:1"]) != "[8]" || fmt.Sprint(back.seen["board:1"]) != "[8]" {
			t.Errorf("got %v and %v", shown.seen, back.seen)
		}
	})
}

func TestHistoryBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		wait time.Duration
		last uint64 // the oldest position that is recovered from, of 1..20
	}{
		{"frames", Options{HistoryFrames: 4}, 0, 16},
		{"bytes", Options{HistoryBytes: 400}, 0, 17}, // of 124 each
		{"age", Options{HistoryAge: time.Minute}, 61 * time.Second, 20},
		{"young", Options{HistoryAge: time.Minute}, 59 * time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.o, func(t *testing.T, h *Hub, j *journal) {
				subscribe(t, h, board1, nil)
				for i := uint64(1); i <= 20; i++ {
					j.add(h, board1, i)
				}
				synctest.Wait()
				time.Sleep(c.wait)
				for _, since := range []uint64{c.last, c.last + 1, c.last - 1} {
					if since > 20 {
						continue
					}
					got, _ := subscribe(t, h, board1, &wire.Position{Epoch: "e1", Offset: since})
					synctest.Wait()
					if got.recovered("board:1") != (since >= c.last) {
						t.Errorf("since %d: recovered %v", since, got.recovered("board:1"))
					}
				}
			})
		})
	}
}

func TestChannelLingersAndGoes(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		_, o := subscribe(t, h, board1, nil)
		h.Drop(o)
		if o.Subscriptions() != 0 || h.Stats().Subscribers != 0 {
			t.Error("dropped, but still there")
		}
		time.Sleep(4 * time.Minute)
		if !h.Wants(board1) {
			t.Fatal("forgotten too early")
		}
		j.add(h, board1, 1)
		time.Sleep(2 * time.Minute)
		if h.Wants(board1) {
			t.Error("kept for nobody")
		}
		c, _ := subscribe(t, h, board1, nil)
		j.add(h, board1, 2)
		time.Sleep(time.Hour)
		if c.at("board:1") != 2 || !h.Wants(board1) {
			t.Error("a channel with a subscriber went away")
		}
	})
}

func TestUnsubscribeEndsPushes(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c, o := subscribe(t, h, board1, nil)
		other, _ := subscribe(t, h, board1, nil)
		h.Unsubscribe(o, board1.Channel)
		h.Unsubscribe(o, board1.Channel) // nothing to do
		j.add(h, board1, 1)
		synctest.Wait()
		if c.at("board:1") != 0 || other.at("board:1") != 1 {
			t.Errorf("at %d, the other at %d", c.at("board:1"), other.at("board:1"))
		}
	})
}

func TestSubscribeAgainReplaces(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c, o := subscribe(t, h, board1, nil)
		j.add(h, board1, 1)
		synctest.Wait()
		if err := c.subscribe(h, o, board1, &wire.Position{Epoch: "e1", Offset: 1}, 2); err != nil {
			t.Fatal(err)
		}
		j.add(h, board1, 2)
		synctest.Wait()
		if fmt.Sprint(c.seen["board:1"]) != "[1 2]" || o.Subscriptions() != 1 || !o.Has(board1.Channel) || o.Has(console1.Channel) {
			t.Errorf("%v, %d subscriptions", c.seen, o.Subscriptions())
		}
	})
}

func TestSourceErrors(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c := newClient(t)
		o := h.NewOutbox(c)
		j.fail = wire.Errorf(wire.NotFound, "no such board")
		for range 2 { // a failure is not remembered
			if err := h.Subscribe(o, board1, nil, 1); wire.CodeOf(err) != wire.NotFound {
				t.Fatal(err)
			}
		}
		if h.Wants(board1) || o.Subscriptions() != 0 {
			t.Error("a refused subscription left something behind")
		}
		j.fail = nil
		if err := h.Subscribe(o, board1, nil, 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		j.fail = errors.New("fold failed")
		if err := h.Subscribe(o, board1, nil, 1); err == nil || o.Subscriptions() != 0 {
			t.Errorf("%v, %d subscriptions", err, o.Subscriptions())
		}
	})
	h := New(nil, Options{})
	if err := h.Subscribe(h.NewOutbox(newClient(t)), board1, nil, 1); wire.CodeOf(err) != wire.Unavailable {
		t.Errorf("without a source: %v", err)
	}
}

// A storm of subscribers folds once per publication.
func TestSnapshotsAreShared(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		subscribe(t, h, board1, nil)
		j.folds = 0
		time.Sleep(time.Minute)
		clients := make([]*client, 300)
		for i := range clients {
			if i%20 == 0 {
				j.add(h, board1, uint64(i+1))
			}
			clients[i], _ = subscribe(t, h, board1, nil)
		}
		synctest.Wait()
		if j.folds != 15 {
			t.Errorf("folded %d times for 15 publications", j.folds)
		}
		for _, c := range clients {
			if c.at("board:1") != 281 {
				t.Fatalf("at %d", c.at("board:1"))
			}
		}
		time.Sleep(time.Minute)
		subscribe(t, h, board1, nil)
		if j.folds != 16 {
			t.Errorf("an old snapshot was handed out")
		}
	})
}

// A publisher that leaves something out is a defect on our side: nobody reads
// across the hole.
func TestHoleClosesSubscribers(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c, _ := subscribe(t, h, board1, nil)
		h.Publish(board1, Publication{Type: "ticket.called", Offset: 1, Prev: 0})
		h.Publish(board1, Publication{Type: "ticket.called", Offset: 1, Prev: 0}) // again: ignored
		synctest.Wait()
		h.Publish(board1, Publication{Type: "ticket.called", Offset: 5, Prev: 4})
		synctest.Wait()
		if code, closed := c.isClosed(); !closed || code != wire.CloseSlow {
			t.Errorf("closed %v with %d", closed, code)
		}
		if fmt.Sprint(c.seen["board:1"]) != "[1]" {
			t.Errorf("got %v", c.seen)
		}
	})
}

// A publication that comes twice changes nothing, not even the history.
func TestRepeatedPublicationIsIgnored(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		subscribe(t, h, board1, nil)
		j.add(h, board1, 1)
		j.add(h, board1, 2)
		h.Publish(board1, Publication{Type: "ticket.called", Offset: 1, Prev: 0})
		c, _ := subscribe(t, h, board1, &wire.Position{Epoch: "e1"})
		synctest.Wait()
		if !c.recovered("board:1") || fmt.Sprint(c.seen["board:1"]) != "[1 2]" {
			t.Errorf("recovered %v, %v", c.recovered("board:1"), c.seen)
		}
	})
}

// racer publishes while it is asked for the head, as a ledger may.
type racer struct {
	*journal
	h *Hub
}

func (r *racer) Head(key Key) (wire.Position, error) {
	if r.head(key).Offset == 5 {
		r.add(r.h, key, 6)
	}
	return r.journal.Head(key)
}

func TestPublishWhileOpening(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		j.add(h, board1, 5)
		h.SetSource(&racer{j, h})
		c, _ := subscribe(t, h, board1, &wire.Position{Epoch: "e1", Offset: 5})
		synctest.Wait()
		if !c.recovered("board:1") || fmt.Sprint(c.seen["board:1"]) != "[6]" {
			t.Errorf("recovered %v, %v", c.recovered("board:1"), c.seen)
		}
	})
}
