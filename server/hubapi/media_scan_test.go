package hubapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/chatapi"
)

// scanning is a scanner that a test tells what to find.
type scanning struct {
	clean bool
	err   error
	seen  []byte
}

func (s *scanning) Scan(_ context.Context, content io.Reader) (bool, error) {
	var err error
	s.seen, err = io.ReadAll(content)
	return s.clean, errors.Join(s.err, err)
}

func TestMediaAreScanned(t *testing.T) {
	dir, s := t.TempDir(), &scanning{}
	m := NewMedia(dir, s)
	put := func() error {
		_, err := m.Put(t.Context(), 1, bytes.NewReader(picture(t)))
		return err
	}
	var e *wire.Error
	if err := put(); !errors.As(err, &e) || e.Code != wire.BadRequest || e.Field != "body" {
		t.Errorf("harmful: %v", err)
	}
	if !bytes.Equal(s.seen, picture(t)) {
		t.Errorf("it looked at %d bytes, not at the file", len(s.seen))
	}
	for _, away := range []error{chatapi.ErrUnscanned, errors.New("later")} { // nobody asks again here
		s.clean, s.err = true, away
		if err := put(); wire.CodeOf(err) != wire.Unavailable {
			t.Errorf("%v: %v", away, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "1", "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if s.err = nil; put() != nil {
		t.Error("a clean one was refused")
	}
}
