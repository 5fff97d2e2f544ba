//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// marker tells a change from whatever else a server sends.
const marker = `"push":"ticket.recalled"`

// variant is one server with its subscribers.
type variant struct {
	name  string
	p     *process
	node  *node // when it is ours
	crowd *crowd
	join  readerOrder
	// publish makes one change of a channel and returns when the server has
	// answered: ours when it is durable.
	publish func(channel int) error
	close   func()
	few     int      // subscribers, when they are not as many as the load says
	lone    *variant // the same server with one subscriber per channel, if that is measured too
	empty   int64    // memory before the subscribers
	rounds  []round
}

// round is what one measurement found.
type round struct{ cpu, change, p50, p99 float64 } // µs a delivery, µs a change, ms, ms

// gather connects the subscribers.
func (v *variant) gather(count int) error {
	var err error
	if v.crowd, err = newCrowd(); err != nil {
		return err
	}
	v.p.pids = family(v.p.cmd.Process.Pid) // workers may come after the address
	v.empty = v.p.rss()
	v.join.Do, v.join.Count, v.join.Addr, v.join.Marker = "connect", count, v.p.addr, marker
	_, err = v.crowd.do(v.join)
	return err
}

// watched is ours with the subscribers of one board.
func watched(e *env, sockets int) (*variant, error) {
	v, err := ours(e, sockets, 0, 0)
	if err != nil {
		return nil, err
	}
	if err := v.gather(sockets); err != nil {
		v.end()
		return nil, err
	}
	return v, nil
}

// end takes everything down, the clients first: otherwise the servers keep what
// is left of the connections.
func (v *variant) end() {
	if v.crowd != nil {
		v.crowd.stop()
	}
	if v.close != nil {
		v.close()
	}
	v.p.stop()
}

// perTalker is how many commands a second one socket gives: it may give 20.
const perTalker = 15

// ours is our server with the subscribers of one board, or of so many tickets, and
// with sockets for so many changes a second.
func ours(e *env, sockets, tickets int, rate float64) (*variant, error) {
	n, err := startNode(e.binary, e.folder("ours"), sockets/tokenShare+2)
	if err != nil {
		return nil, err
	}
	v := &variant{name: "nowserving", p: n.process, node: n, join: readerOrder{Kind: "hub", Path: "/ws", Tokens: n.keys[:len(n.keys)-1]}}
	v.close = func() {
		for _, s := range n.talk {
			_ = s.conn.Close()
		}
	}
	talkers := max(16, int(rate/perTalker))
	if n.talk, err = n.sockets(talkers); err != nil {
		v.end()
		return nil, err
	}
	var ids []string
	for range max(tickets, 1) {
		id, err := n.called(n.talker())
		if err != nil {
			v.end()
			return nil, err
		}
		ids = append(ids, id)
		if tickets > 0 {
			v.join.Channels = append(v.join.Channels, "ticket:"+id)
			time.Sleep(time.Second * 2 / time.Duration(talkers*perTalker)) // or they give too many
		}
	}
	if tickets == 0 {
		v.join.Channels = []string{"board:1"}
	}
	v.publish = func(channel int) error {
		_, err := n.command(n.talker(), "ticket.recall", fmt.Sprintf(`{"ticket":%q}`, ids[channel]))
		return err
	}
	return v, nil
}

// posted publishes with an HTTP request, as one does to all the others.
func posted(url string, body func() []byte) func(int) error {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	return func(channel int) error {
		to := strings.ReplaceAll(url, "{channel}", fmt.Sprint("c", channel))
		res, err := client.Post(to, "application/json", bytes.NewReader(body()))
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode >= 300 {
			return fmt.Errorf("publish: %s %w", res.Status, err)
		}
		return nil
	}
}

// peer starts one of the others.
func peer(e *env, name string, channels int) (*variant, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	v := &variant{name: name, join: readerOrder{Kind: name, Path: "/"}}
	for c := range max(channels, 1) {
		v.join.Channels = append(v.join.Channels, fmt.Sprint("c", c))
	}
	url, args := "http://"+addr+"/", []string(nil)
	switch name {
	case "floor":
		args = []string{"/proc/self/exe", "floor", addr}
		url, v.join.Path = url+"?{channel}", "/?{channel}"
	case "ws", "socket.io":
		args = []string{"node", e.peers("servers.mjs"), name, addr}
		if name == "socket.io" {
			v.join.Path = "/socket.io/?EIO=4&transport=websocket"
		}
	case "nchan":
		conf := filepath.Join(e.folder(name), "nginx.conf")
		if err := os.WriteFile(conf, []byte(nchanConf(filepath.Dir(conf), addr)), 0o600); err != nil {
			return nil, err
		}
		args = []string{e.program("nginx"), "-c", conf, "-p", filepath.Dir(conf)}
		url, v.join.Path = url+"pub?c={channel}", "/sub?c={channel}"
	}
	if v.p, err = start(addr, filepath.Join(e.folder(name), "log"), args[0], args[1:]...); err != nil {
		return nil, err
	}
	if err := v.p.ready(20 * time.Second); err != nil {
		v.p.kill()
		return nil, err
	}
	v.publish = posted(url, func() []byte { return e.payload })
	return v, nil
}

// nchanConf is one worker, like one process of each of the others.
func nchanConf(dir, addr string) string {
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	return user + `daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid ` + dir + `/pid; error_log stderr crit;
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
events { worker_connections 16000; }
http {
  access_log off; client_body_temp_path ` + dir + `/body; proxy_temp_path ` + dir + `/proxy;
  fastcgi_temp_path ` + dir + `/fastcgi; uwsgi_temp_path ` + dir + `/uwsgi; scgi_temp_path ` + dir + `/scgi;
  server {
    listen ` + addr + ` backlog=4096; keepalive_requests 1000000; keepalive_timeout 600s;
    location = /pub { nchan_publisher; nchan_channel_id $arg_c; nchan_message_buffer_length 100; }
    location = /sub { nchan_subscriber websocket; nchan_channel_id $arg_c; nchan_subscriber_first_message newest; }
  }
}
`
}
