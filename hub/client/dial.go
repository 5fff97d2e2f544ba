package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/hub/wire"
)

const (
	// dialTimeout bounds an attempt up to the answer to connect: a hub that
	// takes longer is not going to serve well either.
	dialTimeout = 10 * time.Second
	// refusalWait is how long the close code may follow a refusal of connect.
	refusalWait = 2 * time.Second
	// maxInbound bounds a frame from the hub. A console snapshot holds every
	// live ticket of a branch: some thousand of about a kilobyte each.
	maxInbound = 16 << 20
	// connectID is the id of the first request of each link.
	connectID = 1
)

// dial makes a link: handshake, connect frame, answer.
func (c *Client) dial(ctx context.Context) (*websocket.Conn, wire.ConnectReply, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var hello wire.ConnectReply
	connect := wire.Connect{Name: c.cfg.Name}
	if c.cfg.Token != nil {
		token, err := c.cfg.Token(ctx)
		if err != nil {
			return nil, hello, fmt.Errorf("get the token: %w", err)
		}
		connect.Token = token
	}
	conn, resp, err := websocket.Dial(ctx, c.url, &websocket.DialOptions{
		HTTPClient:   c.cfg.HTTPClient,
		HTTPHeader:   c.cfg.Header.Clone(),
		Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		if resp != nil {
			return nil, hello, newHandshakeError(resp, err)
		}
		return nil, hello, fmt.Errorf("dial: %w", err)
	}
	conn.SetReadLimit(maxInbound)
	if err := greet(ctx, conn, connect, &hello); err != nil {
		conn.CloseNow()
		return nil, hello, err
	}
	return conn, hello, nil
}

func greet(ctx context.Context, conn *websocket.Conn, connect wire.Connect, hello *wire.ConnectReply) error {
	if got := conn.Subprotocol(); got != wire.Subprotocol {
		return fmt.Errorf("%w: the hub speaks %q", errFrame, got)
	}
	frame, err := json.Marshal(wire.Request{ID: connectID, Connect: &connect})
	if err != nil {
		return fmt.Errorf("write connect: %w", err)
	}
	if err := conn.Write(ctx, websocket.MessageText, frame); err != nil {
		return fmt.Errorf("send connect: %w", err)
	}
	_, answer, err := conn.Read(ctx)
	if err != nil {
		return fmt.Errorf("wait for the answer to connect: %w", err)
	}
	in, err := decode(answer)
	if err != nil {
		return err
	}
	if in.Error != nil {
		return refusal(ctx, conn, in.Error)
	}
	if in.Push != nil || in.ID != connectID {
		return fmt.Errorf("%w: not the answer to connect", errFrame)
	}
	if err := json.Unmarshal(in.Reply, hello); err != nil || hello.Ping < 1 {
		return fmt.Errorf("%w: the answer to connect", errFrame)
	}
	return nil
}

// refusal waits a little for the close code, which says more exactly than the
// error whether to come back.
func refusal(ctx context.Context, conn *websocket.Conn, e *wire.Error) error {
	ctx, cancel := context.WithTimeout(ctx, refusalWait)
	defer cancel()
	if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) >= 4000 {
		return fmt.Errorf("connect: %w: %w", e, err)
	}
	return &connectError{e}
}
