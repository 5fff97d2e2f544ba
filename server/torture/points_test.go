//go:build unix

package torture

import (
	"github.com/nowserving/nowserving/store"
)

// point is one place where a node can be killed.
type point struct {
	name string
	rule store.FaultRule
	// most is up to which occurrence is killed; the others are let pass.
	most int
	// collect: somebody asks for a collection meanwhile.
	collect bool
	// day: it is the next day, so that there are old results to purge.
	day bool
}

// docs is the prefix of documents whose kind is prefix and an id of 36 letters.
func docs(prefix string) string {
	return store.PrefixDoc + string(rune(len(prefix)+36)) + prefix
}

// points lists every named crash point; the tests prove that each was met.
func points() []point {
	before := func(prefix string) store.FaultRule {
		return store.FaultRule{Prefix: prefix, Mode: store.StopBefore}
	}
	after := func(prefix string) store.FaultRule {
		return store.FaultRule{Prefix: prefix, Mode: store.StopAfter}
	}
	return []point{
		{name: "append, not yet durable", rule: before(store.PrefixRecord), most: 30},
		{name: "append, durable and not answered", rule: after(store.PrefixRecord), most: 30},
		{name: "idempotency key, not yet durable", rule: before(store.PrefixResult), most: 30},
		{name: "idempotency key, durable and not answered", rule: after(store.PrefixResult), most: 30},
		{name: "erasure, not yet durable", rule: before(store.MarkErase), most: 3},
		{name: "erasure, durable and not answered", rule: after(store.MarkErase), most: 3},
		{name: "snapshot, before its first chunk", rule: before(store.PrefixChunk), most: 3},
		{name: "snapshot, chunks without their head", rule: before(store.PrefixSnapshot), most: 3},
		{name: "snapshot, current", rule: after(store.PrefixSnapshot), most: 3},
		{name: "outbox, delivery not yet durable", rule: before(docs("out:")), most: 10},
		{name: "outbox, durable and not delivered", rule: after(docs("out:")), most: 10},
		{name: "outbox, delivered and not noted", rule: before(docs("past:")), most: 10},
		{name: "outbox, noted", rule: after(docs("past:")), most: 10},
		{name: "purge of old results, not yet", rule: before(store.MarkPurge), most: 1, day: true},
		{name: "purge of old results, done", rule: after(store.MarkPurge), most: 1, day: true},
		{name: "collection, before it", rule: before(store.MarkCollect), most: 1, collect: true},
		{name: "collection, begun", rule: after(store.MarkCollect), most: 1, collect: true},
		{name: "collection, memory written out", rule: after(store.PointCollectDropped), most: 1, collect: true},
		{name: "collection, tables merged", rule: after(store.PointCollectFlattened), most: 1, collect: true},
	}
}

// rule is a short name.
type rule = store.FaultRule
