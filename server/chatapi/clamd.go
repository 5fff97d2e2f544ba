package chatapi

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Clamd is a Scanner that asks a clamd daemon.
type Clamd struct {
	// Network and Addr are where it listens: "tcp" and "host:3310", or "unix" and
	// a path.
	Network, Addr string
	// Timeout bounds one scan; 0 is 30 s.
	Timeout time.Duration
}

const (
	clamdChunk   = 32 << 10
	clamdTimeout = 30 * time.Second
)

// Scan implements Scanner with clamd's INSTREAM command. Whatever goes wrong is
// ErrUnscanned: a daemon that is away, that hangs or that takes no more says
// nothing about the file.
func (s Clamd) Scan(ctx context.Context, content io.Reader) (clean bool, err error) {
	limit := s.Timeout
	if limit == 0 {
		limit = clamdTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if clean, err = s.ask(ctx, content); err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnscanned, err)
	}
	return clean, nil
}

func (s Clamd) ask(ctx context.Context, content io.Reader) (clean bool, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, s.Network, s.Addr)
	if err != nil {
		return false, fmt.Errorf("reach clamd: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// The end of ctx ends what waits for the daemon.
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := instream(conn, content); err != nil {
		return false, fmt.Errorf("send to clamd: %w", err)
	}
	answer, err := bufio.NewReader(io.LimitReader(conn, 4096)).ReadString(0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read clamd: %w", err)
	}
	switch answer = strings.TrimRight(answer, "\x00\n"); {
	case strings.HasSuffix(answer, " OK"):
		return true, nil
	case strings.HasSuffix(answer, " FOUND"):
		return false, nil
	}
	return false, fmt.Errorf("clamd said %.80q", answer)
}

func instream(w io.Writer, content io.Reader) error {
	out := bufio.NewWriter(w)
	if _, err := out.WriteString("zINSTREAM\x00"); err != nil {
		return err
	}
	chunk := make([]byte, clamdChunk)
	for {
		n, err := content.Read(chunk)
		if n > 0 {
			if err := errors.Join(binary.Write(out, binary.BigEndian, uint32(n)), writeAll(out, chunk[:n])); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // half a file must not pass for the whole one
			return fmt.Errorf("read the file: %w", err)
		}
	}
	if err := binary.Write(out, binary.BigEndian, uint32(0)); err != nil {
		return err
	}
	return out.Flush()
}

func writeAll(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

var _ Scanner = Clamd{}
