package ticket

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// A long thread is read often and whole. Its entries are stored as JSON and served
// as other JSON, so most of each is copied as it is instead of being decoded and
// encoded again. What this writes is what ChatTransaction gives.

// ChatSplicer writes stored thread entries of one ticket in the conversation form.
type ChatSplicer struct {
	t    *Ticket
	view ChatView
	// senders are the encoded participants, by their stored form.
	senders map[string]chatSender
	key     []byte
}

// chatSender is a sender as it is written, and what the status depends on.
type chatSender struct {
	form []byte
	from Participant
}

// NewChatSplicer makes a ChatSplicer for entries of t.
func NewChatSplicer(t *Ticket, v ChatView) *ChatSplicer {
	return &ChatSplicer{t: t, view: v, senders: map[string]chatSender{}}
}

// storedEntry is the raw members of a stored Transaction.
type storedEntry struct {
	seq, guid, at, kind, protocol, text, html, status, from, name, attachments, payload []byte
}

var errStoredEntry = errors.New("ticket: stored entry is damaged")

// Append adds the entry whose stored form is doc.
func (s *ChatSplicer) Append(dst, doc []byte) ([]byte, error) {
	var e storedEntry
	if err := e.scan(doc); err != nil {
		return nil, err
	}
	at, plain := chatTimeText(e.at)
	seq, err := strconv.ParseUint(string(e.seq), 10, 64)
	if err != nil || !plain || len(e.guid) == 0 || len(e.from) == 0 {
		return s.appendSlow(dst, doc)
	}
	sender, err := s.sender(&e)
	if err != nil {
		return nil, err
	}
	dst = append(append(dst, `{"guidTransactionId":`...), e.guid...)
	dst = strconv.AppendUint(append(dst, `,"id":`...), seq, 10)
	dst = append(append(append(dst, `,"dateTime":"`...), at...), '"')
	dst = append(dst, `,"fromProtocolType":`...)
	if sender.from.Type == ParticipantUser {
		dst = append(dst, `"`+ProtocolWeb+`"`...)
	} else {
		dst = appendOr(dst, e.protocol, `""`)
	}
	dst = appendOr(append(dst, `,"type":`...), e.kind, `""`)
	dst = appendOr(append(dst, `,"text":`...), e.text, `""`)
	dst = appendOr(append(dst, `,"html":`...), e.html, `""`)
	status, ok := s.status(e.status, seq, &sender.from)
	if !ok {
		return nil, errStoredEntry
	}
	dst = strconv.AppendQuote(append(dst, `,"status":`...), status)
	dst = append(append(dst, `,"fromParticipant":`...), sender.form...)
	dst = append(dst, `,"attachments":[`...)
	if dst, err = s.appendFiles(dst, e.attachments); err != nil {
		return nil, err
	}
	dst = appendOr(append(dst, `],"payload":`...), e.payload, "null")
	return append(dst, '}'), nil
}

// appendSlow goes the long way, for an entry that is not as they usually are.
func (s *ChatSplicer) appendSlow(dst, doc []byte) ([]byte, error) {
	var x Transaction
	if err := json.Unmarshal(doc, &x); err != nil {
		return nil, fmt.Errorf("%w: %w", errStoredEntry, err)
	}
	b, err := json.Marshal(s.t.ChatTransaction(&x, s.view))
	return append(dst, b...), err
}

func appendOr(dst, v []byte, otherwise string) []byte {
	if len(v) == 0 {
		return append(dst, otherwise...)
	}
	return append(dst, v...)
}

// status is the entry's status as served. A stored status is one of our own words.
func (s *ChatSplicer) status(raw []byte, seq uint64, from *Participant) (string, bool) {
	if len(raw) < 2 || bytes.IndexByte(raw, '\\') >= 0 {
		return "", len(raw) == 0
	}
	x := Transaction{Seq: seq, Status: string(raw[1 : len(raw)-1]), From: *from}
	return chatStatus(s.t.Conversation.StatusOf(&x)), true
}

var readUpTo = []byte(`,"readUpTo":`)

// sender writes who an entry is from; nearly all of a thread's are the same few.
func (s *ChatSplicer) sender(e *storedEntry) (chatSender, error) {
	from := e.from
	if i := bytes.LastIndex(from, readUpTo); i >= 0 { // the last member; it differs each time
		from = from[:i]
	}
	s.key = append(append(append(s.key[:0], from...), 0), e.name...)
	if known, ok := s.senders[string(s.key)]; ok {
		return known, nil
	}
	var out chatSender
	var name ParticipantName
	if err := json.Unmarshal(e.from, &out.from); err != nil {
		return out, fmt.Errorf("%w: %w", errStoredEntry, err)
	}
	if len(e.name) > 0 {
		if err := json.Unmarshal(e.name, &name); err != nil {
			return out, fmt.Errorf("%w: %w", errStoredEntry, err)
		}
	}
	var err error
	if out.form, err = json.Marshal(chatParticipant(out.from, name, false)); err != nil {
		return out, err
	}
	s.senders[string(s.key)] = out
	return out, nil
}

func (s *ChatSplicer) appendFiles(dst, raw []byte) ([]byte, error) {
	if len(raw) == 0 {
		return dst, nil
	}
	var files []Attachment
	if err := json.Unmarshal(raw, &files); err != nil {
		return nil, fmt.Errorf("%w: %w", errStoredEntry, err)
	}
	for i := range files {
		if i > 0 {
			dst = append(dst, ',')
		}
		b, err := json.Marshal(s.view.File(&files[i]))
		if err != nil {
			return nil, err
		}
		dst = append(dst, b...)
	}
	return dst, nil
}

// chatTimeText turns a stored time into ChatTime's form; false for one that is not
// in UTC or finer than a millisecond.
func chatTimeText(raw []byte) ([]byte, bool) {
	const seconds = len("2006-01-02T15:04:05")
	n := len(raw)
	if n < seconds+3 || raw[n-2] != 'Z' {
		return nil, false
	}
	at := raw[1 : n-2]
	if len(at) == seconds {
		return at, true
	}
	return at, len(at) <= seconds+4 && at[seconds] == '.'
}

// scan finds the members of a stored entry. It counts on what encoding/json
// writes: no spaces, and names as they are declared.
func (e *storedEntry) scan(doc []byte) error {
	if len(doc) < 2 || doc[0] != '{' {
		return errStoredEntry
	}
	for i := 1; i < len(doc) && doc[i] != '}'; {
		if doc[i] == ',' {
			i++
		}
		name, next := value(doc, i)
		if next >= len(doc) || doc[next] != ':' || len(name) < 2 || name[0] != '"' {
			return errStoredEntry
		}
		v, end := value(doc, next+1)
		if len(v) == 0 {
			return errStoredEntry
		}
		if to := e.member(string(name[1 : len(name)-1])); to != nil {
			*to = v
		}
		i = end
	}
	return nil
}

func (e *storedEntry) member(name string) *[]byte {
	switch name {
	case "seq":
		return &e.seq
	case "guid":
		return &e.guid
	case "at":
		return &e.at
	case "type":
		return &e.kind
	case "protocol":
		return &e.protocol
	case "text":
		return &e.text
	case "html":
		return &e.html
	case "status":
		return &e.status
	case "from":
		return &e.from
	case "fromName":
		return &e.name
	case "attachments":
		return &e.attachments
	case "payload":
		return &e.payload
	}
	return nil
}

// value is the JSON value that begins at i, and where it ends; nothing when there
// is none.
func value(doc []byte, i int) ([]byte, int) {
	start, depth := i, 0
	for i < len(doc) {
		switch doc[i] {
		case '"':
			if i = endOfText(doc, i); i < 0 {
				return nil, len(doc)
			}
			if depth == 0 {
				return doc[start:i], i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return doc[start : i+1], i + 1
			}
			if depth < 0 {
				return doc[start:i], i
			}
		case ',', ':':
			if depth == 0 {
				return doc[start:i], i
			}
		}
		i++
	}
	return nil, len(doc)
}

// endOfText is behind the text that begins at i, or -1.
func endOfText(doc []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexAny(doc[i:], `"\`)
		if n < 0 {
			return -1
		}
		if i += n; doc[i] == '"' {
			return i + 1
		}
		if i++; i >= len(doc) { // what a backslash precedes
			return -1
		}
	}
}
