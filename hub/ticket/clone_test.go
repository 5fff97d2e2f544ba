package ticket

import (
	"slices"
	"testing"
	"time"
)

// What has not gone out yet when a conversation is moved goes out once, from the
// ticket that it was written in.
func TestUnsentTextsAreNotCopied(t *testing.T) {
	w := newWorld(t)
	opened := w.must(OpenConversation{Participants: []Newcomer{{
		Type: ParticipantClient, Protocol: ProtocolSMS, ParticipantName: ParticipantName{Identifier: "37255512345"},
	}}}, nobody)
	old := w.s.Tickets[opened[0].Ticket]
	thread := []Transaction{{Seq: 1, Type: TransactionOpened}}
	for i, status := range []string{TextDelivered, TextInvalidNumber, TextSent, TextNew} {
		thread = append(thread, Transaction{
			Seq: uint64(i + 2), Type: TransactionMessage, Protocol: ProtocolSMS, Status: status, Text: status,
			From: Participant{ID: 2, Type: ParticipantUser, Protocol: ProtocolWeb}, At: w.now,
		})
	}
	var got []string
	for _, e := range w.must(CloneConversation{From: old, Department: w.s.Location.GUID, Thread: thread}, clerk(1)) {
		if e.Type == EventMessage && e.Facts.Kind == TransactionMessage {
			got = append(got, e.Facts.Status)
		}
	}
	if want := []string{TextDelivered, TextInvalidNumber, TextSent, TextSent}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// What the visitor has read before a move is read after it.
func TestReadMarkMovesAlong(t *testing.T) {
	for name, c := range map[string]struct {
		read   int // messages of staff that the visitor has read, of three
		behind uint64
	}{"all": {3, 0}, "two": {2, 1}, "none": {0, 3}} {
		w := newWorld(t)
		id := w.must(OpenConversation{Participants: []Newcomer{{Type: ParticipantClient, Protocol: ProtocolWeb}}}, nobody)[0].Ticket
		var thread []Transaction
		collect := func(events []Event) {
			for _, e := range events {
				if e.InThread() {
					thread = append(thread, e.Transaction())
				}
			}
		}
		for i := range 3 {
			collect(w.must(SendMessage{Ref: ref(id), Text: "hello"}, clerk(1)))
			if i+1 == c.read {
				w.must(MarkRead{Ref: ref(id), UpTo: w.s.Tickets[id].Conversation.Seq}, Actor{Kind: ActorVisitor})
			}
			w.now = w.now.Add(time.Second)
		}
		clone := w.must(CloneConversation{From: w.s.Tickets[id], Department: w.s.Location.GUID, Thread: thread}, clerk(1))[0].Ticket
		talk := w.s.Tickets[clone].Conversation
		if got := talk.client().ReadUpTo; c.behind < 3 && got != talk.Seq-c.behind || c.behind == 3 && got != 0 {
			t.Errorf("%s: read up to %d of %d", name, got, talk.Seq)
		}
	}
}
