package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	crand "crypto/rand"

	"github.com/google/uuid"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox/sign"
	"github.com/nowserving/nowserving/store"
)

// Kind is what sort of receiver a target is.
type Kind string

// The kinds of target.
const (
	QueueHook Kind = "queue" // a webhook of the queue API
	ChatHook  Kind = "chat"  // a webhook of the chat API
	ChatPoll  Kind = "poll"  // the chat API's polling, one per department
)

// The bounds of registrations. There is a goroutine and at most one request under
// way per target, and an event is stored once per target that wants it.
const (
	maxTargets    = 200
	maxQueueHooks = 20
	maxChatHooks  = 10 // per department
	maxHeaders    = 20
	maxHeader     = 2 << 10 // bytes of a name and value
	maxEvents     = 50
	maxTargetName = 100
	maxSecret     = 512
)

// Registration asks for deliveries.
type Registration struct {
	Kind Kind
	Name string
	URL  string // of webhooks
	// Department is whose chat events these are, its GUID.
	Department string
	// Locations limits a webhook of the queue API; nil is all of them.
	Locations []int
	// Events limits chat events to these names; none is all.
	Events []string
	// Headers are sent with every chat webhook.
	Headers map[string]string
	// Secret signs a chat webhook, "" is the department's; one of the queue API is
	// given one.
	Secret string
	// Creator names the credential that asked.
	Creator string
}

// Target is a registration as it is kept, without what is secret.
type Target struct {
	ID         string    `json:"id"`
	Kind       Kind      `json:"kind"`
	Name       string    `json:"name,omitempty"`
	URL        string    `json:"url,omitempty"`
	Department string    `json:"department,omitempty"`
	Locations  []int     `json:"locations"` // null is all, and [] none
	Events     []string  `json:"events,omitempty"`
	Creator    string    `json:"creator,omitempty"`
	Created    time.Time `json:"created"`
	// Disabled says why nothing is delivered any more; "" while it is.
	Disabled   string    `json:"disabled,omitempty"`
	DisabledAt time.Time `json:"disabledAt,omitzero"`
}

// registration is a target's document.
type registration struct {
	Target
	Sealed  []byte `json:"sealed,omitempty"`
	Removed bool   `json:"removed,omitempty"`
}

// secrets is what is sealed.
type secrets struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers,omitempty"`
}

// target is a registration at work.
type target struct {
	Target // changed under registering, and only Disabled and DisabledAt
	secrets
	sealed []byte
	policy policy
	stop   func() // ends the deliverer; under Outbox.mu

	writing chan struct{} // a lock that gives up with its context: this target's documents
	wake    chan struct{} // tells the deliverer that there is something new

	mu sync.Mutex // protects the rest
	lineState
}

func newTarget(t Target, s secrets, sealed []byte) *target {
	n := &target{
		Target: t, secrets: s, sealed: sealed, policy: t.Kind.policy(),
		writing: make(chan struct{}, 1), wake: make(chan struct{}, 1),
	}
	n.lineState.init()
	return n
}

func sortTargets(list []*target) {
	slices.SortFunc(list, func(a, b *target) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
}

// wants reports whether a message is for this target.
func (t *target) wants(location int, m message) bool {
	if t.Kind == QueueHook {
		return m.department == "" && (t.Locations == nil || slices.Contains(t.Locations, location))
	}
	return m.department != "" && strings.EqualFold(m.department, t.Department) && (len(t.Events) == 0 || slices.Contains(t.Events, m.event))
}

func (t *target) doc(removed bool) (store.Doc, error) {
	v, err := json.Marshal(registration{Target: t.Target, Sealed: t.sealed, Removed: removed})
	if err != nil {
		return store.Doc{}, fmt.Errorf("encode target: %w", err)
	}
	return store.Doc{Kind: targetDocs, Key: t.ID, Value: v}, nil
}

func (o *Outbox) decodeTarget(d store.Doc) (*target, bool, error) {
	var r registration
	if err := json.Unmarshal(d.Value, &r); err != nil || r.ID != d.Key {
		return nil, false, fmt.Errorf("document of target %s is damaged", d.Key)
	}
	var s secrets
	if !r.Removed && r.Kind != ChatPoll {
		plain, err := o.o.Box.Open(r.ID, r.Sealed)
		if err != nil {
			return nil, false, fmt.Errorf("target %s: %w", r.ID, err)
		}
		if err := json.Unmarshal([]byte(plain), &s); err != nil {
			return nil, false, fmt.Errorf("secret of target %s is damaged", r.ID)
		}
	}
	return newTarget(r.Target, s, r.Sealed), r.Removed, nil
}

// Register adds a target; it is durable on return. The secret is that of the
// webhook, made here unless it was given. Errors about values are *wire.Error.
func (o *Outbox) Register(ctx context.Context, r Registration) (Target, string, error) {
	if err := o.check(&r); err != nil {
		return Target{}, "", err
	}
	if err := acquire(ctx, o.registering); err != nil {
		return Target{}, "", err
	}
	defer release(o.registering)
	if err := o.checkRoom(&r); err != nil {
		return Target{}, "", err
	}
	t, err := o.newTarget(r)
	if err != nil {
		return Target{}, "", err
	}
	d, err := t.doc(false)
	if err != nil {
		return Target{}, "", err
	}
	if err := o.ledger().PutDocs(ctx, d); err != nil {
		return Target{}, "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.targets[t.ID] = t
	o.activate()
	o.startLocked(t)
	o.o.Log.Info().Str("target", t.ID).Str("kind", string(t.Kind)).Str("by", t.Creator).Msg("deliveries registered")
	return t.Target, t.Secret, nil
}

func (o *Outbox) newTarget(r Registration) (*target, error) {
	id, err := uuid.NewRandomFromReader(o.random())
	if err != nil {
		return nil, fmt.Errorf("draw an id: %w", err)
	}
	s := secrets{Secret: r.Secret, Headers: maps.Clone(r.Headers)}
	departments := r.Kind == ChatHook && o.o.ChatSecret != nil
	if s.Secret == "" && r.Kind != ChatPoll && !departments {
		var raw [sign.SecretBytes]byte
		if _, err := io.ReadFull(o.random(), raw[:]); err != nil {
			return nil, fmt.Errorf("draw a secret: %w", err)
		}
		s.Secret = sign.NewSecret(raw)
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode secret: %w", err)
	}
	sealed, err := o.o.Box.Seal(id.String(), string(plain))
	if err != nil {
		return nil, err
	}
	return newTarget(Target{
		ID: id.String(), Kind: r.Kind, Name: r.Name, URL: r.URL, Department: r.Department,
		Locations: slices.Clone(r.Locations), Events: slices.Clone(r.Events), Creator: r.Creator, Created: o.o.Clock().UTC(),
	}, s, sealed), nil
}

func (o *Outbox) random() io.Reader {
	if o.o.Random != nil {
		return o.o.Random
	}
	return crand.Reader
}

func (o *Outbox) check(r *Registration) error {
	switch r.Kind {
	case QueueHook, ChatHook:
		if err := o.o.Policy.CheckURL(r.URL); err != nil {
			return err
		}
	case ChatPoll:
		if r.URL != "" || r.Secret != "" || len(r.Headers) > 0 {
			return wire.FieldError("url", "polling has no url, secret or headers")
		}
	default:
		return wire.FieldError("kind", "kind is queue, chat or poll")
	}
	if (r.Kind == QueueHook) != (r.Department == "") {
		return wire.FieldError("department", "chat targets belong to a department, others do not")
	}
	if len(r.Name) > maxTargetName || len(r.Secret) > maxSecret || len(r.Events) > maxEvents {
		return wire.FieldError("name", "name, secret or events are too long")
	}
	return checkHeaders(r.Headers)
}

// ownHeaders begin the headers that a registration must not set: ours, and those
// that change what a request is.
func ownHeaders() []string {
	return []string{
		"Host", "Content-", "Transfer-", "Connection", "Keep-", "Proxy-", "Te", "Trailer", "Upgrade", "Expect", "Accept-Encoding",
		"X-Qminder-", "X-Glassix-", "X-Hub-", "Webhook-",
	}
}

func checkHeaders(headers map[string]string) error {
	if len(headers) > maxHeaders {
		return wire.FieldError("headers", "at most %d headers", maxHeaders)
	}
	for name, value := range headers {
		ok := name != "" && len(name)+len(value) <= maxHeader &&
			!strings.ContainsFunc(name, func(r rune) bool {
				return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
			}) &&
			!strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if !ok || slices.ContainsFunc(ownHeaders(), func(p string) bool {
			return canonical == p || strings.HasSuffix(p, "-") && strings.HasPrefix(canonical, p)
		}) {
			return wire.FieldError("headers", "a header of this name or value cannot be sent")
		}
	}
	return nil
}

// checkRoom looks at what there is already; registering is held.
func (o *Outbox) checkRoom(r *Registration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	same := 0
	for _, t := range o.targets {
		if t.Kind == r.Kind && strings.EqualFold(t.Department, r.Department) {
			same++
		}
	}
	most := map[Kind]int{QueueHook: maxQueueHooks, ChatHook: maxChatHooks, ChatPoll: 1}[r.Kind]
	if same >= most || len(o.targets) >= maxTargets {
		return wire.Errorf(wire.Conflict, "there are as many targets of this kind as there can be (%d)", most)
	}
	return nil
}

// Enable takes up deliveries to a target that was disabled, from now on.
func (o *Outbox) Enable(ctx context.Context, id string) error {
	if err := acquire(ctx, o.registering); err != nil {
		return err
	}
	defer release(o.registering)
	old := o.target(id)
	if old == nil {
		return noTarget(id)
	}
	if old.Disabled == "" {
		return nil
	}
	reborn := old.Target
	reborn.Disabled, reborn.DisabledAt = "", time.Time{}
	t := newTarget(reborn, old.secrets, old.sealed)
	if err := o.purge(ctx, id); err != nil { // the keeper may not have come to it yet
		return err
	}
	d, err := t.doc(false)
	if err != nil {
		return err
	}
	if err := o.ledger().PutDocs(ctx, d); err != nil {
		return err
	}
	if err := t.load(o.read); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.targets[id] = t
	o.activate()
	o.startLocked(t)
	return nil
}

func (o *Outbox) target(id string) *target {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.targets[id]
}

func noTarget(id string) error {
	return wire.Errorf(wire.NotFound, "Webhook with id %.40q not found", id)
}
