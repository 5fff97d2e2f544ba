package store

import (
	"testing"
	"time"
)

// TestEngineOptions pins what durability rests on and no test here can see: a
// killed process loses nothing that was not synced, only a power cut does.
func TestEngineOptions(t *testing.T) {
	o := Options{Dir: t.TempDir(), Clock: time.Now}
	if err := o.setDefaults(); err != nil {
		t.Fatal(err)
	}
	e := o.engine(&engineLog{})
	if !e.SyncWrites || e.DetectConflicts || e.InMemory || e.ReadOnly {
		t.Errorf("options are %+v", e)
	}
	if e.ValueThreshold <= maxValue+saltSize+8 {
		t.Errorf("values from %d bytes on go to the value log, but may have %d", e.ValueThreshold, maxValue)
	}
	if err := (&Options{Dir: "d"}).setDefaults(); err == nil {
		t.Error("a store without a clock")
	}
}

// TestEngineErrorStops: an error that the engine only logs stops the store.
func TestEngineErrorStops(t *testing.T) {
	s, err := Open(Options{Dir: t.TempDir(), Clock: time.Now, MinFree: 1, MemTableSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ready(); err != nil {
		t.Fatal(err)
	}
	s.log.Errorf("error flushing memtable to disk: %v, retrying", "no space")
	if err := s.Commit(nil); err == nil {
		t.Error("a commit was taken")
	}
	if err := s.Ready(); err == nil {
		t.Error("the store says it is ready")
	}
}

// TestKeeperRests: without commits nothing is referred to, nor while it is paused.
func TestKeeperRests(t *testing.T) {
	s, err := Open(Options{Dir: t.TempDir(), Clock: time.Now, MinFree: 1, MemTableSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	holds := func() bool {
		s.keeper.mu.Lock()
		defer s.keeper.mu.Unlock()
		return s.keeper.it != nil
	}
	if holds() {
		t.Error("it holds something before the first commit")
	}
	if err := s.Commit([]Change{{Docs: []Doc{{Kind: "k", Key: "k", Value: []byte("v")}}}}); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "it holds something", holds)
	s.keeper.pause()
	if holds() {
		t.Error("it holds something while paused")
	}
	s.keeper.replace(true)
	if holds() {
		t.Error("it takes something while paused")
	}
	s.keeper.resume()
	s.keeper.replace(true)
	if !holds() {
		t.Error("it takes nothing after the pause")
	}
	s.keeper.note()
	Eventually(t, "it lets go", func() bool { return !holds() })
}
