//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The database and the broker beside us are spoken to in their own text
// protocols, by as little code as possible: the clients share their cores.

// client is one connection.
type client struct {
	conn net.Conn
	r    *bufio.Reader
}

func dialClient(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, r: bufio.NewReader(conn)}, conn.SetDeadline(time.Now().Add(10 * time.Minute))
}

func (c *client) line() (string, error) {
	s, err := c.r.ReadString('\n')
	return strings.TrimSpace(s), err
}

// crew opens a connection for each worker.
func crew(j *journal, work func(*client, int) (func() error, error)) (*journal, error) {
	var conns []*client
	j.close = func() {
		for _, c := range conns {
			_ = c.conn.Close()
		}
	}
	for i := range inFlight {
		c, err := dialClient(j.p.addr)
		if err == nil {
			conns = append(conns, c)
			var do func() error
			if do, err = work(c, i); err == nil {
				j.workers = append(j.workers, do)
				continue
			}
		}
		j.close()
		j.p.stop()
		return nil, err
	}
	return j, nil
}

// redis appends to a stream, and syncs before it answers.
func redis(e *env) (*journal, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	dir := e.folder("redis")
	p, err := start(addr, filepath.Join(dir, "log"), e.program("redis-server"), "--bind", "127.0.0.1", "--port", port, "--dir", dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always")
	if err != nil {
		return nil, err
	}
	if err := p.ready(20 * time.Second); err != nil {
		p.kill()
		return nil, err
	}
	add := []byte("*5\r\n$4\r\nXADD\r\n$7\r\njournal\r\n$1\r\n*\r\n$1\r\nd\r\n$300\r\n" + strings.Repeat("x", 300) + "\r\n")
	return crew(&journal{name: "redis", p: p}, func(c *client, _ int) (func() error, error) {
		return func() error {
			if _, err := c.conn.Write(add); err != nil {
				return err
			}
			head, err := c.line()
			if err == nil && !strings.HasPrefix(head, "$") {
				err = fmt.Errorf("it answers %q", head)
			}
			if err == nil {
				_, err = c.line()
			}
			return err
		}, nil
	})
}

// nats publishes to a stream, and syncs before it answers.
func nats(e *env) (*journal, error) {
	binary := filepath.Join(e.temp, "nats-server")
	build := exec.Command("go", "build", "-o", binary, "github.com/nats-io/nats-server/v2")
	build.Dir = filepath.Join("server", "bench", "peers")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	dir := e.folder("nats")
	conf := filepath.Join(dir, "conf")
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q, sync_interval: always }\n", addr, dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := start(addr, filepath.Join(dir, "log"), binary, "-c", conf)
	if err != nil {
		return nil, err
	}
	if err := p.ready(20 * time.Second); err != nil {
		p.kill()
		return nil, err
	}
	return crew(&journal{name: "nats", p: p}, natsWorker)
}

func natsWorker(c *client, i int) (func() error, error) {
	inbox := "inbox." + strconv.Itoa(i)
	if _, err := c.line(); err != nil { // INFO
		return nil, err
	}
	if _, err := io.WriteString(c.conn, `CONNECT {"verbose":false,"pedantic":false,"tls_required":false}`+"\r\nSUB "+inbox+" 1\r\n"); err != nil {
		return nil, err
	}
	ask := func(subject string, body []byte) error {
		msg := append([]byte("PUB "+subject+" "+inbox+" "+strconv.Itoa(len(body))+"\r\n"), body...)
		if _, err := c.conn.Write(append(msg, "\r\n"...)); err != nil {
			return err
		}
		for {
			head, err := c.line()
			if err != nil {
				return err
			}
			switch {
			case head == "PING":
				if _, err := io.WriteString(c.conn, "PONG\r\n"); err != nil {
					return err
				}
			case strings.HasPrefix(head, "MSG "):
				answer, err := c.line()
				if err == nil && strings.Contains(answer, `"error"`) {
					err = fmt.Errorf("it answers %s", answer)
				}
				return err
			case strings.HasPrefix(head, "-ERR"):
				return fmt.Errorf("it answers %s", head)
			}
		}
	}
	if i == 0 {
		if err := ask("$JS.API.STREAM.CREATE.journal", []byte(`{"name":"journal","subjects":["journal"],"storage":"file","retention":"limits"}`)); err != nil {
			return nil, err
		}
	}
	body := bytes.Repeat([]byte("x"), 300)
	return func() error { return ask("journal", body) }, nil
}
