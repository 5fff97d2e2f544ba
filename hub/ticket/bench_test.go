package ticket

import (
	"encoding/json"
	"testing"
	"time"
)

// crowd is a state in which n people wait in line 1.
func crowd(t tb, n int) *State {
	t.Helper()
	w := newWorld(t)
	for range n {
		w.now = w.now.Add(time.Second)
		w.must(Create{Line: 1, FirstName: "Ida", LastName: "Berg", ShowName: true}, nobody)
	}
	return w.s
}

// BenchmarkDecideEvolve is one visit: create, call, serve.
func BenchmarkDecideEvolve(b *testing.B) {
	s := crowd(b, 10_000)
	env := Env{Now: noon.Add(24 * time.Hour), Actor: clerk(1), IDs: IDs{Ticket: 10_001}}
	b.ReportAllocs()
	for b.Loop() {
		id := ref(env.IDs.Ticket)
		for _, c := range []Command{Create{Line: 1}, CallTicket{Ref: id}, Serve{id}} {
			env.Now = env.Now.Add(time.Millisecond)
			events, err := Decide(s, c, env)
			if err != nil {
				b.Fatal(err)
			}
			env.IDs = env.IDs.Advance(events)
			EvolveCommand(s, events)
		}
	}
}

func BenchmarkBoardTicketJSON(b *testing.B) {
	s := crowd(b, 10_000)
	waiting := s.WaitingIn(1)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := json.Marshal(s.BoardTicket(waiting[i%len(waiting)])); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkDecodeState(b *testing.B) {
	snapshot := []byte(encoded(b, crowd(b, 10_000)))
	b.ReportAllocs()
	b.SetBytes(int64(len(snapshot)))
	for b.Loop() {
		if _, err := DecodeState(snapshot); err != nil {
			b.Fatal(err)
		}
	}
}
