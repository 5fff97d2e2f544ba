//go:build unix

package torture

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/testkit"
)

// What a node holds is told by its live heap after a collection: the memory that
// the system counts also has garbage in it, as much as the machine is late with
// collecting.

// tellLive says on standard output what is alive whenever SIGUSR1 comes, and how many
// sockets are behind whenever SIGUSR2 does, until ctx ends.
func tellLive(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(asked)
	for {
		select {
		case s := <-asked:
			if s == syscall.SIGUSR2 {
				fmt.Println("behind", waiting())
				continue
			}
			runtime.GC()
			runtime.GC() // pools keep what they hold over one
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Println("live", m.HeapAlloc+m.StackInuse)
		case <-ctx.Done():
			return
		}
	}
}

// waiting counts the goroutines that write to somebody who does not read.
func waiting() int {
	buf := make([]byte, 16<<20)
	return bytes.Count(buf[:runtime.Stack(buf, true)], []byte("hub.(*Outbox).drain("))
}

// live is what the child holds, in bytes.
func (c *child) live(t testing.TB) int {
	t.Helper()
	return c.told(t, syscall.SIGUSR1, "live ")
}

// behind is how many of the child's sockets wait for their clients.
func (c *child) behind(t testing.TB) int {
	t.Helper()
	return c.told(t, syscall.SIGUSR2, "behind ")
}

// told is the number that the child says when it is asked by a signal.
func (c *child) told(t testing.TB, ask syscall.Signal, prefix string) (number int) {
	t.Helper()
	told := func() (n int, last string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, l := range c.lines {
			if rest, ok := strings.CutPrefix(l, prefix); ok {
				n, last = n+1, rest
			}
		}
		return n, last
	}
	before, _ := told()
	if err := c.cmd.Process.Signal(ask); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the node tells "+prefix, time.Minute, func() bool {
		n, last := told()
		number, _ = strconv.Atoi(last)
		return n > before
	})
	return number
}

// settled is what the child holds once nothing works in its background: five
// looks in a row are alike.
func (c *child) settled(t testing.TB) (held int) {
	t.Helper()
	same := 0
	testkit.Eventually(t, "the node comes to rest", time.Minute, func() bool {
		now := c.live(t)
		if same++; max(now-held, held-now) > 64<<10 {
			same = 0
		}
		held = now
		return same >= 5
	})
	return held
}

// resident is the child's memory as the system counts it; 0 where it cannot be told.
func (c *child) resident() int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, _ := strconv.Atoi(strings.Fields(text)[0])
			return n << 10
		}
	}
	return 0
}

// descriptors is how many files and sockets the child has open.
func (c *child) descriptors() int {
	all, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
	return len(all)
}
