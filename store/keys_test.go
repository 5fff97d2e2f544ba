package store

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func allKinds() []byte { return []byte("rhotlncdveijfsS") }

func drawKey(rt *rapid.T) key {
	k := key{kind: rapid.SampledFrom(allKinds()).Draw(rt, "kind")}
	_, layout := kindLayout(k.kind)
	for i := range len(layout) {
		switch layout[i] {
		case 'L':
			k.location = int(rapid.Uint32().Draw(rt, "location"))
		case 'I':
			k.id = rapid.Int64Min(0).Draw(rt, "id")
		case 'O', 'W':
			k.num = rapid.Uint64().Draw(rt, "number")
		case 'P':
			k.part = uint32(rapid.Byte().Draw(rt, "part"))
		case 'N':
			k.part = rapid.Uint32().Draw(rt, "chunk")
		case 'T':
			k.name = rapid.StringOfN(rapid.Rune(), -1, 20, maxText).Draw(rt, "name")
		case 'X':
			k.rest = rapid.String().Draw(rt, "rest")
		}
	}
	return k
}

func TestKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := drawKey(rt)
		got, err := parseKey(k.append(nil))
		if err != nil || got != k {
			rt.Fatalf("%+v became %+v, %v", k, got, err)
		}
	})
}

func TestKeyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawKey(rt), drawKey(rt)
		b.kind = 'c'
		a.kind = 'c'
		want := slices.Compare([]uint64{uint64(a.location), a.num, uint64(a.id)}, []uint64{uint64(b.location), b.num, uint64(b.id)})
		if got := bytes.Compare(a.append(nil), b.append(nil)); got != want {
			rt.Fatalf("%+v and %+v compare as %d, want %d", a, b, got, want)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, kind := range allKinds() {
		f.Add(key{kind: kind, location: 1, id: 2, num: 3, name: "NEW", rest: "k"}.append(nil))
	}
	f.Add([]byte{})
	f.Add([]byte{1, 'n', 0, 0, 0, 1, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		if FormatKey(b) == "" && len(b) > 0 {
			t.Errorf("%x has no name", b)
		}
		if k, err := parseKey(b); err == nil && !bytes.Equal(k.append(nil), b) {
			t.Errorf("%x became %+v", b, k)
		}
	})
}

func FuzzValues(f *testing.F) {
	f.Add(appendTicket(nil, TicketVersion{Location: 1, Index: Index{Status: "NEW", Created: time.Unix(1, 0)}, Doc: []byte("d")}))
	f.Add(appendHead(nil, headState{Head: Head{Epoch: "e"}}))
	f.Add(storedRecord{header: appendHeader(nil, &Record{Type: "t"})}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range [][]byte{b, seal(bytes.Clone(b))} { // none may panic
			if ix, rest, err := readIndex(v); err == nil && len(rest) > len(v) {
				t.Errorf("%+v", ix)
			}
			if got, err := readTicket(1, v); err == nil && len(got.Doc) > len(v) {
				t.Errorf("%+v", got)
			}
			if h, err := readHead(v); err == nil && !bytes.Equal(appendHead(nil, h), v) {
				t.Errorf("%x became %+v", v, h)
			}
			if r, err := readRecord(v); err == nil && !bytes.Equal(r.append(nil), v) {
				t.Errorf("%x became %+v", v, r)
			}
			if r, err := readResult(v); err == nil && len(r.value) > len(v) {
				t.Errorf("%+v", r)
			}
			if m, err := readSnapshot(v); err == nil && !bytes.Equal(appendSnapshot(nil, m), v) {
				t.Errorf("%x became %+v", v, m)
			}
			_, _, _ = readPersonal(v, nil)
			_, _, _ = walEntry(v)
			_, _ = walEnd(append(make([]byte, walHeader), v...))
		}
	})
}

func TestFormatKey(t *testing.T) {
	for want, k := range map[string]key{
		"record location=1 number=105 part=0":                  {kind: 'r', location: 1, num: 105},
		`status location=1 name="NEW" ticket=17`:               {kind: 'n', location: 1, name: "NEW", id: 17},
		"created location=1 time=none ticket=17":               {kind: 'c', location: 1, id: 17},
		`doc name="user" key="a"`:                              {kind: 'f', name: "user", rest: "a"},
		"called location=2 time=1970-01-01T00:00:01Z ticket=3": {kind: 'd', location: 2, num: stamp(time.Unix(1, 0)), id: 3},
	} {
		if got := FormatKey(k.append(nil)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := FormatKey([]byte{9, 9}); got != "0909" {
		t.Errorf("%q", got)
	}
}

func TestStamp(t *testing.T) {
	at := func(s int64, n int) time.Time { return time.Unix(s, int64(n)).UTC() }
	sorted := []time.Time{{}, time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), at(minSecond+1, 0), at(-1, 5), at(0, 0), at(0, 1),
		at(maxSecond, 999_999_999), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i, v := range sorted {
		if i > 0 && stamp(v) <= stamp(sorted[i-1]) {
			t.Errorf("%v does not sort after %v", v, sorted[i-1])
		}
		if got := unstamp(stamp(v)); storable(v) && !got.Equal(v) {
			t.Errorf("%v became %v", v, got)
		}
	}
	if storable(sorted[1]) || storable(sorted[7]) || !storable(sorted[6]) || !storable(sorted[2]) {
		t.Error("storable is wrong at its bounds")
	}
	if stamp(sorted[7]) != math.MaxUint64 {
		t.Error("a far time is not the last one")
	}
}

func TestIndexRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := func(label string) time.Time {
			return rapid.Custom(func(rt *rapid.T) time.Time {
				return unstamp(rapid.Uint64().Draw(rt, label))
			}).Filter(storable).Draw(rt, label)
		}
		ix := Index{
			Line: rapid.Int().Draw(rt, "line"), Caller: rapid.Int().Draw(rt, "caller"), Live: rapid.Bool().Draw(rt, "live"),
			Status:  rapid.StringOfN(rapid.Rune(), -1, 20, maxText).Draw(rt, "status"),
			Created: at("created"), Called: at("called"), Served: at("served"),
		}
		v := TicketVersion{ID: 7, Location: 9, Index: ix, Doc: []byte("doc")}
		got, err := readTicket(7, appendTicket(nil, v))
		if err != nil || !sameIndex(got.Index, ix) || got.Location != 9 || string(got.Doc) != "doc" {
			rt.Fatalf("%+v became %+v, %v", v, got, err)
		}
	})
}
