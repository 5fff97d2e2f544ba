//go:build unix

package torture

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/store"
)

// committerEnv tells a copy of this test binary to commit into a folder until it
// is killed: the store alone, with tables that rotate all the time.
const committerEnv = "NOWSERVINGTORTURECOMMIT"

func committerOptions(dir string) store.Options {
	return store.Options{Dir: dir, Clock: time.Now, Log: zerolog.Nop(), MemTableSize: 1 << 20, MinFree: 16 << 20}
}

// commitForEver prints each offset once its commit has returned. A full disk is
// asked again; any other error ends it, with exit code 3.
func commitForEver(dir string) int {
	st, err := store.Open(committerOptions(dir))
	if err != nil {
		fmt.Println("error", err)
		return 3
	}
	h, err := st.Head(1)
	if err != nil {
		fmt.Println("error", err)
		return 3
	}
	for at := h.Offset; ; {
		var group []store.Change
		for range 1 + at%7 {
			at++
			group = append(group, committed(at))
		}
		err := st.Commit(group)
		if errors.Is(err, store.ErrFull) {
			at -= uint64(len(group))
			fmt.Println("full")
			time.Sleep(20 * time.Millisecond) // a client's manners
			continue
		}
		if err != nil {
			fmt.Println("error", err)
			return 3
		}
		fmt.Println("acked", at)
	}
}

func committed(at uint64) store.Change {
	created := time.Unix(1_700_000_000+int64(at), 0)
	return store.Change{
		Records: []store.Record{{
			Location: 1, Offset: at, Time: created, Type: "t", Ticket: int64(at), Facts: make([]byte, 300), Personal: []byte(strings.Repeat("p", 200)),
		}},
		Tickets: []store.TicketVersion{{ID: int64(at), Location: 1, Doc: make([]byte, 1000), Index: store.Index{Status: "NEW", Created: created}}},
		Result:  &store.Result{Key: fmt.Sprint("key", at), Ticket: int64(at), Value: []byte("r")},
	}
}

// committer is that process.
type committer struct {
	cmd   *exec.Cmd
	lines chan string // closed when it has ended
	acked uint64
	err   string
}

func startCommitter(t testing.TB, dir string, wrap ...string) *committer {
	t.Helper()
	args := append(wrap, os.Args[0])
	c := &committer{cmd: exec.Command(args[0], args[1:]...), lines: make(chan string, 1<<16)}
	c.cmd.Env = append(os.Environ(), committerEnv+"="+dir)
	c.cmd.SysProcAttr = ownGroup()
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process
		defer close(c.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.lines <- lines.Text()
		}
		_ = c.cmd.Wait()
	}()
	t.Cleanup(c.kill)
	return c
}

// await reads on until somebody has enough, the process ends, or a limit.
func (c *committer) await(t testing.TB, enough func(line string) bool) {
	t.Helper()
	limit := time.After(90 * time.Second)
	for {
		select {
		case line, more := <-c.lines:
			if !more {
				return
			}
			if text, ok := strings.CutPrefix(line, "acked "); ok {
				c.acked, _ = strconv.ParseUint(text, 10, 64)
			}
			if text, ok := strings.CutPrefix(line, "error "); ok {
				c.err = text
			}
			if enough(line) {
				return
			}
		case <-limit:
			t.Fatal("the committer does not get on")
		}
	}
}

// kill ends the process and reads what it had still said.
func (c *committer) kill() {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	for line := range c.lines {
		if text, ok := strings.CutPrefix(line, "acked "); ok {
			c.acked, _ = strconv.ParseUint(text, 10, 64)
		}
	}
}

// checkCommitted opens what is left and says how much of what was acknowledged is
// missing.
func checkCommitted(t testing.TB, dir string, acked uint64) (lost uint64, err error) {
	t.Helper()
	st, err := store.Open(committerOptions(dir))
	if err != nil {
		return acked, err
	}
	defer st.Close()
	if err := st.Verify(t.Context()); err != nil {
		return acked, err
	}
	h, err := st.Head(1)
	if err != nil {
		return acked, err
	}
	next := uint64(1)
	for r, err := range st.Records(1, 1) {
		if err != nil {
			return acked, err
		}
		if r.Offset != next {
			return acked, fmt.Errorf("offset %d comes where %d must", r.Offset, next)
		}
		next++
		if _, err := st.Ticket(int64(r.Offset)); err != nil {
			return acked, fmt.Errorf("record %d without its ticket: %w", r.Offset, err)
		}
		if _, err := st.Result(fmt.Sprint("key", r.Offset)); err != nil {
			return acked, fmt.Errorf("record %d without its result: %w", r.Offset, err)
		}
	}
	if h.Offset < acked {
		return acked - h.Offset, nil
	}
	return 0, nil
}
