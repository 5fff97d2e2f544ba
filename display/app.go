package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/display/board"
	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
)

// output is where a screen's changes go.
type output interface {
	// show brings the moment to the people. news is what happened since the
	// last show, oldest first; without any, only the clock moved on.
	show(m model, news []news) error
}

// news is one change that outputs may want to tell apart.
type news struct {
	kind newsKind
	call board.Call
	// desk is what was written above the call's desk at that moment.
	desk string
	// board is a snapshot as it came.
	board json.RawMessage
	// at is the position of a snapshot, or of a call's publication.
	at wire.Position
	// late: a call that came too late to be announced aloud.
	late bool
	now  time.Time
}

type newsKind string

const (
	newsSnapshot newsKind = "snapshot"
	newsCall     newsKind = "call"
	newsRecall   newsKind = "recall"
	newsStatus   newsKind = "status"
)

// inboxSize is how many changes may wait while a slow terminal is written to;
// after that the link waits, and the hub gives a fresh snapshot if need be.
const inboxSize = 256

// hub is what the screen needs of its *client.Client.
type hub interface {
	Subscribe(channel string, since *wire.Position) error
	Run(ctx context.Context) error
	Refetch(channel string)
	Position(channel string) (wire.Position, bool)
	LastFrame() time.Time
	Receipt(r wire.Receipt) bool
}

// app is one screen. Run's client hands changes to inbox from its goroutine;
// everything else belongs to the goroutine of loop.
type app struct {
	cfg    config
	client hub
	now    func() time.Time
	zone   func(name string) *time.Location
	log    zerolog.Logger
	out    output

	inbox chan func()
	done  <-chan struct{} // ends the hand-over when the loop is gone
	fatal error

	board   board.Board
	m       model
	told    freshness
	pending []news
	// unreadable: the newest snapshot made no sense, so the board is not true
	// however well the link does.
	unreadable bool
	receipt    uint64 // the offset to confirm after the next show, or 0
}

func newApp(cfg config, now func() time.Time, zone func(string) *time.Location, log zerolog.Logger, out output) *app {
	a := &app{cfg: cfg, now: now, zone: zone, log: log, out: out, inbox: make(chan func(), inboxSize)}
	a.m = model{desk: cfg.desk, current: now(), now: now()}
	return a
}

// run shows the board until ctx ends, which is no error, or there is no point
// in going on.
func (a *app) run(ctx context.Context, resized <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.done = ctx.Done()
	if err := a.client.Subscribe(a.cfg.channel(), nil); err != nil {
		return err
	}
	if own := a.cfg.own(); own != "" {
		if err := a.client.Subscribe(own, nil); err != nil {
			return err
		}
	}
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		ended <- a.client.Run(ctx)
	}()
	err := a.loop(ctx, resized, ended)
	cancel()
	for range ended {
		// Wait for the client: it says goodbye to the hub.
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// loop ends with ctx, with the client, whose last error it returns, or when
// there is no point in going on.
func (a *app) loop(ctx context.Context, resized <-chan struct{}, ended <-chan error) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := a.show(); err != nil {
			return fmt.Errorf("write the screen: %w", err)
		}
		if a.fatal != nil {
			return a.fatal
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case change := <-a.inbox:
			change()
			a.drain()
		case <-resized:
		case <-tick.C:
		}
	}
}

// drain takes the changes that are there already, so that a burst is painted once.
func (a *app) drain() {
	for range inboxSize {
		select {
		case change := <-a.inbox:
			change()
		default:
			return
		}
	}
}

func (a *app) show() error {
	a.m.now = a.now()
	if a.m.live {
		// The hub answers a ping in every interval: what was heard last is when
		// the board was certainly true.
		a.m.current = a.client.LastFrame()
	}
	a.m.board = a.board.State()
	if f := a.m.freshness(); f != a.told {
		a.told = f
		a.pending = append(a.pending, news{kind: newsStatus, now: a.m.now})
	}
	if err := a.out.show(a.m, a.pending); err != nil {
		return err
	}
	a.pending = nil
	if a.receipt > 0 {
		a.client.Receipt(wire.Receipt{Channel: a.cfg.channel(), Offset: a.receipt, Painted: true})
		a.receipt = 0
	}
	return nil
}

// post hands a change to the loop.
func (a *app) post(change func()) {
	select {
	case a.inbox <- change:
	case <-a.done:
	}
}

// Snapshot implements client.Handler.
func (a *app) Snapshot(channel string, at wire.Position, data json.RawMessage) {
	a.post(func() {
		if channel == a.cfg.own() {
			a.follow(data)
			return
		}
		var s board.Snapshot
		if err := json.Unmarshal(data, &s); err != nil {
			// Asking again would bring the same: keep what is shown, and say so.
			a.log.Error().Err(err).Uint64("offset", at.Offset).Msg("the snapshot cannot be read")
			a.unreadable, a.m.live = true, false
			return
		}
		a.unreadable = false
		missed := a.board.Reset(s)
		a.m.loaded, a.m.zone, a.m.text = true, a.zone(s.Location.Timezone), wordsOf(s.Location.Languages)
		a.pending = append(a.pending, news{kind: newsSnapshot, board: data, at: at, now: a.now()})
		a.announce(missed, at)
		a.receipt = at.Offset
	})
}

// Push implements client.Handler.
func (a *app) Push(p wire.Push) {
	a.post(func() {
		if p.Channel == a.cfg.own() {
			a.follow(p.Data)
			return
		}
		if p.Offset == 0 {
			return // a board has no use for ephemeral pushes
		}
		calls, err := a.board.Apply(p)
		if err != nil {
			a.log.Error().Err(err).Uint64("offset", p.Offset).Msg("a publication cannot be read")
			a.client.Refetch(p.Channel)
			return
		}
		a.settle(a.board.State().Location)
		at, _ := a.client.Position(p.Channel)
		at.Offset = p.Offset
		a.announce(calls, at)
	})
}

// follow takes the settings that staff gives this screen. A desk of the command
// line stays: whoever hung the sign knows where it hangs.
func (a *app) follow(data json.RawMessage) {
	var d struct {
		Display *struct {
			Desk  int64   `json:"desk"`
			Lines []int64 `json:"lines"`
		} `json:"display"`
	}
	if err := json.Unmarshal(data, &d); err != nil || d.Display == nil {
		return // a role, or a reload: nothing of it concerns a terminal
	}
	a.m.lines = d.Display.Lines
	if a.cfg.desk == 0 {
		a.m.desk = d.Display.Desk
	}
}

// settle follows a change of the location.
func (a *app) settle(l board.Location) {
	a.m.zone = a.zone(l.Timezone)
	if len(l.Languages) > 0 && a.m.text.code != l.Languages[0] {
		a.m.text = wordsOf(l.Languages)
	}
}

// announce tells of the calls that concern this screen.
func (a *app) announce(calls []board.Call, at wire.Position) {
	a.m.board = a.board.State()
	for _, c := range calls {
		if !a.m.shows(c.Ticket) {
			continue
		}
		now := a.now()
		n := news{kind: newsCall, call: c, desk: a.m.deskName(c.Ticket.Desk), at: at, now: now}
		if c.Recall {
			n.kind = newsRecall
		}
		n.late = now.Add(a.m.skew).Sub(c.Time) > freshCall
		a.m.hero = c.Ticket.Key
		a.pending = append(a.pending, n)
		a.receipt = at.Offset
	}
}

// Refused implements client.Handler: without its board a screen has no work.
func (a *app) Refused(channel string, e *wire.Error) {
	a.post(func() { a.fatal = fmt.Errorf("the hub refuses %s: %w", channel, e) })
}

// Status implements client.Handler.
func (a *app) Status(s client.Status) {
	a.post(func() {
		if a.m.live && s.State != client.Live {
			a.m.current = a.lastTrue(s)
		}
		a.m.live, a.m.skew = s.State == client.Live && !a.unreadable, s.Skew
		e := a.log.Info()
		if s.Err != nil {
			e = a.log.Warn().Err(s.Err)
		}
		e.Str("state", string(s.State)).Str("session", s.Session).Dur("retry", s.Retry).Msg("link")
	})
}

// lastTrue is until when the board was true before the link stopped being live.
func (a *app) lastTrue(s client.Status) time.Time {
	// A new link may have been heard already, which says nothing about the board.
	if heard := a.client.LastFrame(); heard.Before(s.Since) {
		return heard
	}
	return a.m.current
}

var (
	_ client.Handler = (*app)(nil)
	_ hub            = (*client.Client)(nil)
)
