package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"

	badger "github.com/dgraph-io/badger/v4"
)

// The form of a backup: its name and version in one line, then frames of length,
// checksum and payload, then a frame of length 0 with the number of keys and the
// SHA-256 of all before it. A payload is keys and values, each with its length
// before it, in the order of the keys.
const (
	backupName = "nowserving backup 1\n"
	// backupFrame is about how much a frame holds: little enough to be checked
	// before any of it is believed.
	backupFrame = 256 << 10
	// maxBackupFrame bounds what a damaged length can make us hold.
	maxBackupFrame = backupFrame + maxValue + maxRest + 1<<10
)

// ErrBackup says that a backup is not whole, or is no backup. Nothing of it is
// used then.
var ErrBackup = errors.New("store: backup is damaged")

// Backup writes everything as it is at this moment, while commits go on: one
// read transaction sees whole commits only. It ends early when ctx or the store
// does.
func (s *Badger) Backup(ctx context.Context, w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	out := &backupWriter{w: buffered, sum: sha256.New()}
	out.raw([]byte(backupName))
	if !s.gate.enter() {
		return ErrClosed
	}
	defer s.gate.leave()
	// The engine's iterators take a block that cannot be read for the end of the
	// data: a backup must not be short without a word.
	if err := s.checkTables(); err != nil {
		return s.fail(err)
	}
	err := s.view(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := s.stopped(ctx); err != nil {
				return err
			}
			item := it.Item()
			if len(item.Key()) == 0 || item.Key()[0] != keyspace {
				continue // what Collect writes to be dropped again
			}
			if err := item.Value(func(v []byte) error { return out.pair(item.Key(), v) }); err != nil {
				return fmt.Errorf("store: back up %s: %w", FormatKey(item.Key()), err)
			}
		}
		return nil
	})
	if err == nil {
		err = out.end()
	}
	if err == nil {
		err = buffered.Flush()
	}
	return err
}

// stopped is why something long has to end now, or nil.
func (s *Badger) stopped(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.gate.stop:
		return ErrClosed
	default:
		return nil
	}
}

// backupWriter puts pairs into frames. Its first error stays.
type backupWriter struct {
	w     io.Writer
	sum   hash.Hash
	frame []byte
	pairs uint64
	err   error
}

func (b *backupWriter) raw(p []byte) {
	if b.err == nil {
		b.sum.Write(p)
		_, b.err = b.w.Write(p)
	}
}

func (b *backupWriter) pair(k, v []byte) error {
	b.pairs++
	for _, p := range [][]byte{k, v} {
		b.frame = binary.AppendUvarint(b.frame, uint64(len(p)))
		b.frame = append(b.frame, p...)
	}
	if len(b.frame) >= backupFrame {
		b.flush()
	}
	return b.err
}

func (b *backupWriter) flush() {
	if len(b.frame) == 0 {
		return
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(b.frame)))
	b.raw(binary.BigEndian.AppendUint32(head, crc32.Checksum(b.frame, castagnoli)))
	b.raw(b.frame)
	b.frame = b.frame[:0]
}

func (b *backupWriter) end() error {
	b.flush()
	b.raw(binary.BigEndian.AppendUint64(make([]byte, 4), b.pairs))
	if b.err == nil {
		_, b.err = b.w.Write(b.sum.Sum(nil))
	}
	return b.err
}

// ReadBackup hands out the keys and values of a backup. They may be damaged until
// it has returned nil; k and v must not be kept.
func ReadBackup(r io.Reader, visit func(k, v []byte) error) error {
	in := &backupReader{r: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
	if name := in.take(len(backupName)); in.err != nil || string(name) != backupName {
		return fmt.Errorf("%w: it does not begin as one", ErrBackup)
	}
	var pairs uint64
	var last []byte
	for n := 1; ; n++ {
		frame, end := in.frame()
		if in.err != nil {
			return fmt.Errorf("%w: part %d: %w", ErrBackup, n, in.err)
		}
		if end {
			return in.finish(pairs)
		}
		for len(frame) > 0 {
			var k, v []byte
			var ok, ok2 bool
			if k, frame, ok = cutText(frame); ok {
				v, frame, ok2 = cutText(frame)
			}
			if !ok || !ok2 || bytes.Compare(k, last) <= 0 {
				return fmt.Errorf("%w: part %d holds no keys in order", ErrBackup, n)
			}
			if _, err := parseKey(k); err != nil {
				return fmt.Errorf("%w: part %d: key %x", ErrBackup, n, k[:min(len(k), 40)])
			}
			last = append(last[:0], k...)
			pairs++
			if err := visit(k, v); err != nil {
				return err
			}
		}
	}
}

func cutText(b []byte) (text, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}

type backupReader struct {
	r   io.Reader
	sum hash.Hash
	buf []byte
	err error
}

// take reads the next n bytes; they are good until the next call.
func (b *backupReader) take(n int) []byte {
	if b.err != nil {
		return nil
	}
	if cap(b.buf) < n {
		b.buf = make([]byte, n)
	}
	p := b.buf[:n]
	if _, b.err = io.ReadFull(b.r, p); b.err == nil {
		b.sum.Write(p)
	}
	return p
}

func (b *backupReader) frame() (frame []byte, end bool) {
	head := b.take(4)
	if b.err != nil {
		return nil, false
	}
	n := binary.BigEndian.Uint32(head)
	if n == 0 {
		return nil, true
	}
	if n > maxBackupFrame {
		b.err = errValue
		return nil, false
	}
	check := b.take(4)
	if b.err != nil {
		return nil, false
	}
	want := binary.BigEndian.Uint32(check)
	frame = b.take(int(n))
	if b.err == nil && crc32.Checksum(frame, castagnoli) != want {
		b.err = errValue
	}
	return frame, false
}

func (b *backupReader) finish(pairs uint64) error {
	count := b.take(8)
	if b.err == nil && binary.BigEndian.Uint64(count) != pairs {
		b.err = errors.New("keys are missing")
	}
	want := b.sum.Sum(nil)
	got := b.take(sha256.Size)
	if b.err == nil && !bytes.Equal(got, want) {
		b.err = errValue
	}
	if b.err != nil {
		return fmt.Errorf("%w: its end: %w", ErrBackup, b.err)
	}
	return nil
}

// Restore makes a data folder of a backup. The folder must be empty or not there;
// after an error it is not to be used.
func Restore(r io.Reader, o Options) error {
	if err := o.setDefaults(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("store: restore: %w", err)
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		return fmt.Errorf("store: restore: %s is not empty (%v)", o.Dir, err)
	}
	if err := checkFormat(o.Dir); err != nil { // which marks it
		return err
	}
	log := &engineLog{log: o.Log}
	db, err := openEngine(o.engine(log))
	if err != nil {
		return err
	}
	err = fillFrom(r, db)
	log.closing.Store(true)
	if closing := db.Close(); err == nil && closing != nil {
		err = fmt.Errorf("store: restore: %w", closing)
	}
	if err == nil {
		err = log.err()
	}
	return err
}

func fillFrom(r io.Reader, db *badger.DB) error {
	batch := db.NewWriteBatch()
	defer batch.Cancel()
	err := ReadBackup(r, func(k, v []byte) error { return batch.Set(bytes.Clone(k), bytes.Clone(v)) })
	if err != nil {
		return err
	}
	if err := batch.Flush(); err != nil {
		return fmt.Errorf("store: restore: %w", err)
	}
	return nil
}
