package outbox

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/store"
)

// A body comes back byte for byte, whatever it is: the signature is over it.
func TestItemsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := &item{key: key(rapid.Uint64().Draw(t, "seq")), body: rapid.SliceOf(rapid.Byte()).Draw(t, "body"), head: head{
			Event: rapid.String().Draw(t, "event"), Ticket: rapid.Int64().Draw(t, "ticket"),
			At: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "at"), 0).UTC(), Attempts: rapid.IntRange(0, 99).Draw(t, "attempts"),
		}}
		value, err := it.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeItem(store.Doc{Key: it.key, Value: value})
		if err != nil || !bytes.Equal(back.body, it.body) || back.Ticket != it.Ticket || !back.At.Equal(it.At) || back.Attempts != it.Attempts {
			t.Fatalf("%+v came back as %+v, %v", it, back, err)
		}
	})
}

// Keys sort as their numbers do, posted ones behind them all.
func TestKeysSortLikeNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		if (a < b) != (key(a) < key(b)) || key(a) >= postedPrefix || len(key(a)) != keyWidth {
			t.Fatalf("%d is %s, %d is %s", a, key(a), b, key(b))
		}
	})
}

func FuzzItem(f *testing.F) {
	f.Add([]byte("{\"event\":\"x\"}\nbody"))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, value []byte) {
		it, err := decodeItem(store.Doc{Kind: "out:x", Key: key(1), Value: value})
		if err != nil {
			return
		}
		again, err := it.encode()
		if err != nil {
			return // a year that JSON times cannot hold
		}
		back, err := decodeItem(store.Doc{Key: key(1), Value: again})
		if err != nil || !bytes.Equal(back.body, it.body) {
			t.Fatalf("%q does not come back: %v", value, err)
		}
	})
}
