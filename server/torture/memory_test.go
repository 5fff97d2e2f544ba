//go:build unix

package torture

import (
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

// tellLive says on standard output what is alive whenever SIGUSR1 comes, until ctx
// ends.
func tellLive(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	defer signal.Stop(asked)
	for {
		select {
		case <-asked:
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

// live is what the child holds, in bytes.
func (c *child) live(t testing.TB) (bytes int) {
	t.Helper()
	told := func() (n int, last string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, l := range c.lines {
			if rest, ok := strings.CutPrefix(l, "live "); ok {
				n, last = n+1, rest
			}
		}
		return n, last
	}
	before, _ := told()
	if err := c.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the node tells what it holds", time.Minute, func() bool {
		n, last := told()
		bytes, _ = strconv.Atoi(last)
		return n > before
	})
	return bytes
}

// settled is what the child holds once nothing works in its background: five
// looks in a row are alike.
func (c *child) settled(t testing.TB) (bytes int) {
	t.Helper()
	same := 0
	testkit.Eventually(t, "the node comes to rest", time.Minute, func() bool {
		now := c.live(t)
		if same++; max(now-bytes, bytes-now) > 64<<10 {
			same = 0
		}
		bytes = now
		return same >= 5
	})
	return bytes
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
