package outbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nowserving/nowserving/store"
)

// The kinds of document; see the package comment.
const (
	targetDocs = "outbox.target"
	metaDocs   = "outbox.meta"
	seqKey     = "seq"
	eraseDocs  = "outbox.erase"
)

func lineDocs(target string) string  { return "out:" + target }
func asideDocs(target string) string { return "aside:" + target }
func pastDocs(target string) string  { return "past:" + target }

// State is where a delivery stands.
type State string

// The states of a delivery.
const (
	Waiting   State = "waiting"
	Delivered State = "delivered"
	Dropped   State = "dropped"
)

// head is what is known of a delivery beside its body.
type head struct {
	Event  string    `json:"event"`
	Ticket int64     `json:"ticket,omitempty"`
	At     time.Time `json:"at"`
	// Since is from when its time runs out, where that is not At.
	Since    time.Time `json:"since,omitzero"`
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`

	// Of past ones only.
	State  State     `json:"state,omitempty"`
	Done   time.Time `json:"done,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// since is from when the delivery's time runs out.
func (h *head) since() time.Time {
	if h.Since.IsZero() {
		return h.At
	}
	return h.Since
}

// item is one delivery.
type item struct {
	head
	key  string
	body []byte // nil for those aside, whose body is read when it is their turn
	// aside says in which of the two kinds its document is.
	aside bool
}

const keyWidth = 16

// key is a sequence number as a document key.
func key(seq uint64) string { return fmt.Sprintf("%0*x", keyWidth, seq) }

// postedPrefix begins the keys of what no journal event tells of. It sorts behind
// every sequence number.
const postedPrefix = "p"

// messageID is a delivery's id as receivers know it: the same for every attempt,
// and never used twice, because target ids are not.
func messageID(target, key string) string {
	sum := sha256.Sum256([]byte(target + "/" + key))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // a version 8 UUID: made by a rule of our own
	x := hex.EncodeToString(b)
	return strings.Join([]string{x[:8], x[8:12], x[12:16], x[16:20], x[20:]}, "-")
}

// maxHandle bounds what is read as a receipt handle.
const maxHandle = 128

// handle names a delivery for its receiver to give back.
func handle(target, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(target + "/" + key))
}

// parseHandle reads what handle wrote; ok is false for anything else.
func parseHandle(s string) (target, key string, ok bool) {
	if len(s) > maxHandle {
		return "", "", false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return "", "", false
	}
	target, key, ok = strings.Cut(string(b), "/")
	// The decoder passes over line breaks: a handle is only what handle writes.
	if !ok || target == "" || key == "" || strings.Contains(key, "/") || handle(target, key) != s {
		return "", "", false
	}
	return target, key, true
}

var errItem = errors.New("outbox: document of a delivery is damaged")

// encode is a delivery's document: its head as one line, then the body as it is,
// because a signature is over its very bytes.
func (it *item) encode() ([]byte, error) {
	h, err := json.Marshal(&it.head)
	if err != nil {
		return nil, fmt.Errorf("encode delivery: %w", err)
	}
	out := make([]byte, 0, len(h)+1+len(it.body))
	return append(append(append(out, h...), '\n'), it.body...), nil
}

func decodeItem(d store.Doc) (*item, error) {
	line, body, ok := bytes.Cut(d.Value, []byte("\n"))
	it := &item{key: d.Key, body: body}
	if !ok || json.Unmarshal(line, &it.head) != nil {
		return nil, fmt.Errorf("%w: %s %s", errItem, d.Kind, d.Key)
	}
	return it, nil
}

// kind is where the delivery's document is.
func (it *item) kind(target string) string {
	if it.aside {
		return asideDocs(target)
	}
	return lineDocs(target)
}
