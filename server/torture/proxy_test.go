//go:build unix

package torture

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// fate is what a link does to one connection. The zero value does nothing.
type fate struct {
	// cutDown and cutUp break it after so many bytes to the client or to the hub;
	// 0 is never.
	cutDown, cutUp int
	// half closes only the direction to the client, and swallows what it sends.
	half bool
	// stall holds what comes after cutDown bytes back, instead of breaking.
	stall time.Duration
	// delay holds every piece back; dribble makes pieces of so many bytes.
	delay   time.Duration
	dribble int
	// life is after how long it breaks wherever it is; 0 is never.
	life time.Duration
}

// proxy is a bad link between clients and the hub.
type proxy struct {
	listener net.Listener
	to       string

	mu     sync.Mutex // protects the rest
	next   func(n int) fate
	n      int
	met    map[string]int
	bytes  map[int]bool // to the client, after which a link was cut
	open   map[net.Conn]bool
	closed bool
	wg     sync.WaitGroup
}

func newProxy(t testing.TB, to string, next func(n int) fate) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: strings.TrimPrefix(to, "http://"), next: next, met: map[string]int{}, bytes: map[int]bool{}, open: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		down, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		f := p.next(p.n)
		p.n++
		p.mu.Unlock()
		up, err := net.Dial("tcp", p.to)
		if err != nil { // the hub is away; so is the link
			down.Close()
			continue
		}
		if !p.keep(down, up) {
			return
		}
		if f.life > 0 {
			time.AfterFunc(f.life, func() { p.age(down, up) })
		}
		p.wg.Go(func() { p.carry(up, down, f, true) })
		p.wg.Go(func() { p.carry(down, up, f, false) })
	}
}

// keep notes both ends of a link, to be cut when the test is over.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.closed {
			c.Close()
		}
		p.open[c] = true
	}
	return !p.closed
}

// age cuts a link that has lived long enough, if it has.
func (p *proxy) age(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[conns[0]] && p.open[conns[1]] {
		p.met["cut by age"]++
		reset(conns...)
		for _, c := range conns {
			c.Close()
		}
	}
}

// reset makes closing abrupt, as from a router that forgot.
func reset(conns ...net.Conn) {
	for _, c := range conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
}

func (p *proxy) count(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.met[what]++
}

// carry moves bytes one way until the fate, or an end, has come.
func (p *proxy) carry(from, to net.Conn, f fate, down bool) {
	defer p.drop(from, to)
	cut := f.cutUp
	if down {
		cut = f.cutDown
	}
	size := 4096
	if f.dribble > 0 {
		size = f.dribble
	}
	buf, passed := make([]byte, size), 0
	for {
		n, err := from.Read(buf)
		piece := buf[:n]
		if cut > 0 && passed+n >= cut {
			_, _ = to.Write(piece[:cut-passed])
			if !p.strike(from, to, f, down) {
				return
			}
			// It breaks some other time: good links would end the test.
			piece, passed = piece[cut-passed:], cut
			cut, f.stall = cut+2000, 0
			if len(piece) >= 2000 {
				return
			}
		}
		if f.delay > 0 {
			time.Sleep(f.delay) // the link, not a wait for anything
		}
		if _, werr := to.Write(piece); werr != nil || err != nil {
			return
		}
		passed += len(piece)
	}
}

// strike does what happens at the cut, and says whether the link goes on.
func (p *proxy) strike(from, to net.Conn, f fate, down bool) bool {
	switch {
	case f.stall > 0:
		p.count("stalled")
		time.Sleep(f.stall) // the link
		return true
	case f.half && down:
		p.count("half closed")
		if c, ok := to.(*net.TCPConn); ok {
			_ = c.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, from)
		return false
	}
	p.count(map[bool]string{true: "cut to the client", false: "cut to the hub"}[down])
	if down {
		p.mu.Lock()
		p.bytes[f.cutDown] = true
		p.mu.Unlock()
	}
	reset(from, to)
	return false
}

func (p *proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			continue
		}
		delete(p.open, c)
	}
}

// calm makes every later connection a good one, and cuts the others.
func (p *proxy) calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = func(int) fate { return fate{} }
	for c := range p.open {
		c.Close()
	}
}

func (p *proxy) seen() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.listener.Close()
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// badLinks cuts at every byte in turn, and does everything else now and then.
func badLinks(seed uint64, upTo int) func(n int) fate {
	rng := rand.New(rand.NewPCG(seed, 3))
	return func(n int) fate {
		f := fate{cutDown: 1 + n/2*7%upTo} // 7 divides no limit that is used: every byte has its turn
		if n%2 == 0 {
			f.cutDown = 1 + rng.IntN(20*upTo) // far enough to get something
		}
		switch rng.IntN(8) {
		case 0:
			f = fate{cutUp: 1 + n%900, life: time.Second} // who sends little is cut, too
		case 1:
			f.half = true
		case 2:
			f.stall = time.Duration(rng.IntN(60)) * time.Millisecond
		case 3:
			f.delay = time.Duration(rng.IntN(3)) * time.Millisecond
		case 4:
			f.dribble = 1 + rng.IntN(40)
		}
		if n%2 == 0 && f.life == 0 { // which would often live until somebody has got much
			f.life = time.Duration(20+rng.IntN(600)) * time.Millisecond
		}
		return f
	}
}
