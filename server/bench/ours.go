//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// node is our server as it is shipped, with the demonstration branch.
type node struct {
	*process
	binary, data, log string
	demo              struct {
		StaffToken string
		Lines      []int
		Desks      []int
	}
	keys  []string // of the queue API; each is good for 1,000 sockets
	named atomic.Int64
	talk  []*socket
	turn  atomic.Int64
}

// startNode starts it in a new folder, with so many keys.
func startNode(binary, dir string, keys int) (*node, error) {
	n := &node{binary: binary, data: filepath.Join(dir, "data"), log: filepath.Join(dir, "nowserving.log")}
	if err := n.up(); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(n.data, "demo.json"))
	if err == nil {
		err = json.Unmarshal(b, &n.demo)
	}
	for range keys {
		if err == nil {
			err = n.addKey()
		}
	}
	if err != nil {
		n.stop()
		return nil, err
	}
	return n, nil
}

// up starts the process; also after its end, in the same folder and at the same
// address.
func (n *node) up() error {
	addr := ""
	if n.process != nil {
		addr = n.addr
	}
	if addr == "" {
		var err error
		if addr, err = freeAddr(); err != nil {
			return err
		}
	}
	p, err := start(addr, n.log, n.binary, "-demo", "-listen", addr, "-data", n.data, "-log-level", "error",
		"-request-rate", "0", "-min-free", "64MiB", "-pending-max", "20000", "-pending-per-address", "20000")
	if err != nil {
		return err
	}
	n.process = p
	if err := p.ready(60 * time.Second); err != nil {
		return err
	}
	// It listens before it has opened its store.
	for began := time.Now(); time.Since(began) < 60*time.Second; time.Sleep(2 * time.Millisecond) {
		if res, err := http.Get("http://" + addr + "/readyz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return errors.New("it does not become ready")
}

// addKey asks for a key as an administrator does.
func (n *node) addKey() error {
	body := fmt.Sprintf(`{"api":"queue","name":"bench %d"}`, len(n.keys))
	req, err := http.NewRequest(http.MethodPost, "http://"+n.addr+"/hub/v1/keys", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+n.demo.StaffToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var made struct{ Secret string }
	if err := json.NewDecoder(res.Body).Decode(&made); err != nil || made.Secret == "" {
		return fmt.Errorf("no key: %s %v", res.Status, err)
	}
	n.keys = append(n.keys, made.Secret)
	return nil
}

// sockets opens connections of the last key.
func (n *node) sockets(count int) ([]*socket, error) {
	out := make([]*socket, count)
	errs := make([]error, count)
	var wg sync.WaitGroup
	gate := make(chan struct{}, 16)
	for i := range out {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			out[i], errs[i] = dialSocket(n.addr, n.keys[len(n.keys)-1])
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}

// command gives one with a key of its own and returns the answer.
func (n *node) command(s *socket, name, params string) ([]byte, error) {
	key := n.named.Add(1)
	b, err := s.ask(fmt.Sprintf(`"command":{"name":%q,"key":"b%d","location":1,"params":%s}`, name, key, params))
	if err == nil && bytes.Contains(b, []byte(`"error":{`)) {
		err = fmt.Errorf("%s: %s", name, b)
	}
	return b, err
}

// talker is the socket that has rested longest.
func (n *node) talker() *socket { return n.talk[n.turn.Add(1)%int64(len(n.talk))] }

// called makes a ticket and calls it.
func (n *node) called(s *socket) (string, error) {
	b, err := n.command(s, "ticket.create", fmt.Sprintf(`{"line":%d,"firstName":"Ida","lastName":"Berg"}`, n.demo.Lines[0]))
	if err != nil {
		return "", err
	}
	id := ticketID(b)
	_, err = n.command(s, "ticket.call", fmt.Sprintf(`{"ticket":%q,"desk":%d,"keepActive":true}`, id, n.demo.Desks[0]))
	return id, err
}

// ticketID finds the id of an answer's ticket without decoding all of it.
func ticketID(reply []byte) string {
	_, rest, _ := bytes.Cut(reply, []byte(`"ticket":{`))
	_, rest, _ = bytes.Cut(rest, []byte(`"id":"`))
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(id)
}

// metric reads one of the server's own numbers.
func (n *node) metric(name string) (string, error) {
	res, err := http.Get("http://" + n.addr + "/metrics")
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest), nil
		}
	}
	return "", fmt.Errorf("there is no %s", name)
}
