package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nowserving/nowserving/store"
)

const (
	auditDocs = "audit"      // key: a sequence number of fixed width
	auditSalt = "audit.salt" // key "salt": what e-mail addresses are hashed with

	// LogEntries is how many entries a Log keeps; the oldest go first.
	LogEntries = 10_000
	// maxUnwritten bounds what waits to be written: a flood of refusals must not
	// cost memory without end.
	maxUnwritten = 1000
	// sameWithin is how long the same act again only counts up.
	sameWithin = time.Minute
	seqWidth   = 16
	logRetry   = 5 * time.Second
	maxPage    = 200
)

// LogDocs is where a Log keeps its entries.
type LogDocs interface {
	PutDocs(ctx context.Context, docs ...store.Doc) error
	Doc(kind, key string) ([]byte, error)
	Docs(kind string) iter.Seq2[store.Doc, error]
}

// Logged is an entry of a Log, as administrators see it.
type Logged struct {
	Seq    uint64    `json:"seq"`
	Time   time.Time `json:"time"`
	Action Action    `json:"action"`
	// Who is a credential, never a secret; of an e-mail address only a hash.
	Who string `json:"who,omitempty"`
	On  string `json:"on,omitempty"`
	// From is the network the request came from, not the address.
	From   string `json:"from,omitempty"`
	Result string `json:"result"`
	// Times is how often the same happened within a minute, when more than once.
	Times int `json:"times,omitempty"`
}

// Log is an Auditor that keeps the last entries in the store. Audit never waits;
// Run writes.
type Log struct {
	docs LogDocs
	salt []byte

	writing sync.Mutex // one flush at a time

	mu    sync.Mutex // protects the rest
	fresh []*Logged  // not written yet, oldest first
	last  *Logged
	next  uint64
	lost  int
	wake  chan struct{}
}

// OpenLog finds where the log ends.
func OpenLog(ctx context.Context, docs LogDocs) (*Log, error) {
	l := &Log{docs: docs, next: 1, wake: make(chan struct{}, 1)}
	for d, err := range docs.Docs(auditDocs) {
		if err != nil {
			return nil, fmt.Errorf("auth: open audit log: %w", err)
		}
		seq, err := strconv.ParseUint(d.Key, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("auth: audit entry %.20q: %w", d.Key, err)
		}
		l.next = seq + 1
	}
	salt, err := docs.Doc(auditSalt, "salt")
	if errors.Is(err, store.ErrNotFound) {
		salt = []byte(rand.Text())
		err = docs.PutDocs(ctx, store.Doc{Kind: auditSalt, Key: "salt", Value: salt})
	}
	if err != nil {
		return nil, fmt.Errorf("auth: open audit log: %w", err)
	}
	l.salt = salt
	return l, nil
}

// Audit implements Auditor.
func (l *Log) Audit(e Entry) {
	in := &Logged{
		Time: e.Time.UTC().Truncate(time.Millisecond), Action: e.Action, Who: l.pseudonym(e.Who), On: l.pseudonym(e.On),
		From: network(e.From), Result: e.Result,
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if o := l.last; o != nil && o.Action == in.Action && o.Who == in.Who && o.On == in.On && o.From == in.From &&
		o.Result == in.Result && in.Time.Sub(o.Time) < sameWithin {
		again := *o // the old one may just be being written
		again.Times = max(again.Times, 1) + 1
		l.last = &again
		if n := len(l.fresh); n > 0 && l.fresh[n-1].Seq == again.Seq {
			l.fresh[n-1] = &again
		} else {
			l.fresh = append(l.fresh, &again)
		}
	} else if len(l.fresh) >= maxUnwritten {
		l.lost++
		return
	} else {
		in.Seq = l.next
		l.next++
		l.last = in
		l.fresh = append(l.fresh, in)
	}
	select {
	case l.wake <- struct{}{}:
	default: // Run will look anyway
	}
}

// pseudonym hides an e-mail address: the same one looks the same, and nobody can
// read it.
func (l *Log) pseudonym(name string) string {
	if !strings.Contains(name, "@") {
		return name
	}
	sum := hmac.New(sha256.New, l.salt)
	_, _ = sum.Write([]byte(normalEmail(name))) // it never fails
	return "email:" + hex.EncodeToString(sum.Sum(nil)[:6])
}

// network is an address without the part that names one household or machine.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	p, err := ip.Prefix(bits)
	if err != nil || ip.IsLoopback() {
		return ip.String()
	}
	return p.String()
}

// Run writes entries until ctx ends, and what is left then. report gets the
// errors; what could not be written is tried again.
func (l *Log) Run(ctx context.Context, report func(error)) {
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			if err := l.Flush(context.WithoutCancel(ctx)); err != nil {
				report(err)
			}
			return
		}
		if err := l.Flush(ctx); err != nil && ctx.Err() == nil {
			report(err)
			again := time.NewTimer(logRetry)
			select {
			case <-again.C:
			case <-ctx.Done():
			}
			again.Stop()
			select {
			case l.wake <- struct{}{}:
			default:
			}
		}
	}
}

// Flush writes what was not written yet, and takes the oldest entries away.
func (l *Log) Flush(ctx context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	for {
		l.mu.Lock()
		n := min(len(l.fresh), maintainBatch)
		batch := slices.Clone(l.fresh[:n]) // the last one may be counted up meanwhile
		lost := l.lost
		l.mu.Unlock()
		if n == 0 {
			return nil
		}
		docs := make([]store.Doc, 0, 2*n)
		for _, e := range batch {
			value, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("auth: write audit entry: %w", err)
			}
			docs = append(docs, store.Doc{Kind: auditDocs, Key: auditKey(e.Seq), Value: value})
			if e.Seq > LogEntries && e.Times == 0 {
				docs = append(docs, store.Doc{Kind: auditDocs, Key: auditKey(e.Seq - LogEntries)})
			}
		}
		if err := l.docs.PutDocs(ctx, docs...); err != nil {
			return fmt.Errorf("auth: write audit log: %w", err)
		}
		l.written(batch, lost)
	}
}

// written forgets what is on disk. The last of batch may have been counted up
// meanwhile; then it is written once more.
func (l *Log) written(batch []*Logged, lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.fresh[len(batch):]
	if i := len(batch) - 1; l.fresh[i] != batch[i] {
		rest = l.fresh[i:]
	}
	l.fresh = slices.Clone(rest)
	if lost > 0 { // said once there is room again
		l.lost -= lost
		l.fresh = append(l.fresh, &Logged{
			Seq: l.next, Time: batch[len(batch)-1].Time, Action: AuditLost, On: strconv.Itoa(lost), Result: "ok",
		})
		l.next++
	}
}

// Page lists up to limit entries before a sequence number, newest first; 0 begins
// with the newest.
func (l *Log) Page(ctx context.Context, before uint64, limit int) ([]Logged, error) {
	if err := l.Flush(ctx); err != nil {
		return nil, err
	}
	l.mu.Lock()
	if before == 0 || before > l.next {
		before = l.next
	}
	l.mu.Unlock()
	out := []Logged{}
	for seq := before - 1; seq > 0 && len(out) < min(limit, maxPage); seq-- {
		value, err := l.docs.Doc(auditDocs, auditKey(seq))
		if errors.Is(err, store.ErrNotFound) {
			break // the oldest ones are gone
		}
		var e Logged
		if err == nil {
			err = json.Unmarshal(value, &e)
		}
		if err != nil {
			return nil, fmt.Errorf("auth: read audit log: %w", err)
		}
		out = append(out, e)
	}
	return out, nil
}

func auditKey(seq uint64) string { return fmt.Sprintf("%0*x", seqWidth, seq) }

var _ Auditor = (*Log)(nil)
