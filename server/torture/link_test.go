//go:build unix

package torture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/display/board"
	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/testkit"
)

// screen is a board as the Go client sees it.
type screen struct {
	t              testing.TB
	mu             sync.Mutex // protects the rest
	board          board.Board
	track          testkit.Track
	live           bool
	lost           int // links that had been live
	resets, pushes int
}

// Snapshot implements client.Handler.
func (s *screen) Snapshot(_ string, at wire.Position, data json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.track.Snapshot(at); err != nil {
		s.t.Error(err)
	}
	var snap board.Snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		s.t.Error(err)
	}
	s.board.Reset(snap)
	s.resets++
}

// Push implements client.Handler.
func (s *screen) Push(p wire.Push) {
	if p.Offset == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.track.Push(p); err != nil {
		s.t.Error(err)
	}
	if _, err := s.board.Apply(p); err != nil {
		s.t.Error(err)
	}
	s.pushes++
}

// Refused implements client.Handler.
func (s *screen) Refused(channel string, err *wire.Error) { s.t.Errorf("%s refused: %v", channel, err) }

// Status implements client.Handler.
func (s *screen) Status(st client.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := st.State == client.Live
	if s.live && !now {
		s.lost++
	}
	s.live = now
}

// back reports whether the screen is current, after so many links that were lost.
func (s *screen) back(lost int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live && s.lost >= lost
}

// at is the offset of the last thing that it was told of.
func (s *screen) at() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.track.At()
}

// took is what it was told of.
func (s *screen) took() (resets, pushes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resets, s.pushes
}

// shown is what is on screen, without the ranges of waiting: those of a line are
// told anew only when it changes.
func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.board.State()
	out := fmt.Sprintln(st.Location, st.Desks, string(st.Settings))
	for _, l := range st.Lines {
		l.Wait = nil
		out += fmt.Sprintf("%+v\n", l)
	}
	for i, list := range [][]board.Ticket{st.Serving, st.Recent, st.Waiting} {
		for _, t := range list {
			t.Wait = nil
			out += fmt.Sprintf("%d %+v\n", i, t)
		}
	}
	return out
}

// page is a board as the pages' client sees it, in a process of its own.
type page struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

// pageState is what such a process says.
type pageState struct {
	Offset         uint64
	Problems       int
	Resets, Pushes int
	Board          string
}

// newPage starts one; nil where there is no Node.
func newPage(t testing.TB, url, token string) *page {
	t.Helper()
	web, err := filepath.Abs("../../web")
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = filepath.EvalSymlinks(filepath.Join(web, "node_modules", "ws"))
	}
	if err != nil {
		t.Logf("SKIPPED the pages' client, needs Node and the packages of web: %v", err)
		return nil
	}
	cmd := exec.Command(node, "e2e/follow.mjs", strings.Replace(url, "http", "ws", 1)+"/ws", token, "board:1")
	cmd.Dir = web
	in, out := piped(t, cmd)
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 4<<20)
	return &page{in: in, out: lines}
}

func (p *page) state(t testing.TB) (st pageState) {
	t.Helper()
	if _, err := io.WriteString(p.in, "?\n"); err != nil {
		t.Fatal(err)
	}
	if !p.out.Scan() {
		t.Fatal("the pages' client has ended")
	}
	if err := json.Unmarshal(p.out.Bytes(), &st); err != nil {
		t.Fatal(err)
	}
	return st
}

// TestBadLinks puts a link in between that breaks at every byte (F7, F9): each
// command happens once and is answered, nobody is shown a gap, and when the link
// is good again every client is what a fresh one is.
func TestBadLinks(t *testing.T) {
	data := t.TempDir()
	node := serve(t, order{Listen: testkit.FreeAddr(t), Data: data})
	d := readDemo(t, data)
	const early = 2500
	link := newProxy(t, d.URL, badLinks(*seedFlag, early))
	l := newLoad(t, link.url(), d.StaffToken, *seedFlag, 4)
	direct := newPacedLoad(t, d.URL, d.StaffToken, *seedFlag+1_000_000, 1, 20*time.Millisecond)
	watch := testkit.NewWatcher(t)
	console := l.connect(link.url(), d.StaffToken, watch)
	if err := console.Subscribe("console:1", nil); err != nil {
		t.Fatal(err)
	}
	screens := boards(t, l, link.url(), d.StaffToken, rounds(4, 24))
	pages := []*page{newPage(t, link.url(), d.StaffToken), newPage(t, link.url(), d.StaffToken)}
	want := rounds(400, 20_000)
	testkit.Eventually(t, "the link breaks often enough", 10*time.Minute, func() bool { return link.seen() >= want && l.count() >= 60 })
	link.calm()
	l.rest()
	direct.rest()

	allAs(t, screens, freshScreen(t, l, d.URL, d.StaffToken))
	for i, s := range screens {
		if resets, pushes := s.took(); resets < 1 || pushes == 0 {
			t.Errorf("screen %d saw %d snapshots and %d pushes", i, resets, pushes)
		}
	}
	testkit.Eventually(t, "the console's catching up", time.Minute, func() bool { return watch.At() >= l.newest() })
	if pages[0] != nil {
		clean := newPage(t, d.URL, d.StaffToken)
		testkit.Eventually(t, "a fresh page", 30*time.Second, func() bool { return clean.state(t).Resets > 0 })
		for _, p := range pages {
			testkit.Eventually(t, "a page's catching up", time.Minute, func() bool { return p.state(t).Board == clean.state(t).Board })
			if st := p.state(t); st.Problems > 0 || st.Pushes == 0 {
				t.Errorf("a page saw %+v", st)
			}
		}
	}
	link.metAll(t)
	at := link.cutAt(early)
	if long && at < early*9/10 {
		t.Errorf("links were cut at only %d of the first %d bytes", at, early)
	}
	proved(t, "%d connections, %v; at %d of the first %d bytes; %d answers", link.seen(), link.met, at, early, l.count())
	l.stop()
	direct.stop()
	link.close()
	node.stop(t)
	l.check(data, 0)
	direct.check(data, 0)
}

// metAll checks that every kind of trouble was met.
func (p *proxy) metAll(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, what := range []string{"cut to the client", "cut to the hub", "half closed", "stalled", "cut by age"} {
		if p.met[what] == 0 {
			t.Errorf("no link was %s: the test proves less than it says", what)
		}
	}
}

// cutAt is after how many of the first bytes to the client some link was cut.
func (p *proxy) cutAt(first int) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at := range p.bytes {
		if at <= first {
			n++
		}
	}
	return n
}

// boards connects so many screens.
func boards(t *testing.T, l *load, url, token string, n int) (out []*screen) {
	t.Helper()
	for range n {
		s := &screen{t: t}
		if err := l.connect(url, token, s).Subscribe("board:1", nil); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// freshScreen is one that has just come and shows something.
func freshScreen(t *testing.T, l *load, url, token string) *screen {
	t.Helper()
	s := boards(t, l, url, token, 1)[0]
	testkit.Eventually(t, "a fresh screen", time.Minute, func() bool { resets, _ := s.took(); return resets > 0 })
	return s
}

// allAs waits until every screen shows what one does that has just come.
func allAs(t *testing.T, screens []*screen, fresh *screen) {
	t.Helper()
	for _, s := range screens {
		testkit.Eventually(t, "a screen's catching up", time.Minute, func() bool { return s.shown() == fresh.shown() })
	}
}
