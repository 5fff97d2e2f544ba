package ticket

import (
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestAnswersAndWhatEndsThem(t *testing.T) {
	w := newWorld(t)
	r := ref(w.create(1))
	w.must(Answer{Ref: r, Answer: AnswerNeedTime, Minutes: 7}, visitor)
	a := w.ticket(1).Place.Answer
	if a == nil || a.Kind != AnswerNeedTime || !a.Until.Equal(a.At.Add(7*time.Minute)) {
		t.Fatalf("%+v", a)
	}
	v, st := w.s.VisitorTicket(w.ticket(1)).Answer, w.s.StaffTicket(w.ticket(1)).Answer
	if v == nil || st == nil || *v != *st || v.Kind != "needTime" || v.Until == "" {
		t.Errorf("the visitor sees %+v, staff %+v", v, st)
	}
	w.must(CallTicket{Ref: r, Desk: 1}, clerk(1)) // by name it is called all the same
	if got := w.ticket(1).Place.Answer; got != nil {
		t.Errorf("after the call: %+v", got)
	}
	w.must(Answer{Ref: r, Answer: AnswerOnMyWay}, visitor)
	if events := w.must(Answer{Ref: r, Answer: AnswerOnMyWay}, visitor); len(events) != 0 {
		t.Errorf("the same again made %v", events)
	}
	w.must(Answer{Ref: r, Answer: AnswerCancel}, visitor)
	if got := w.ticket(1).Place.Answer; got != nil {
		t.Errorf("taken back: %+v", got)
	}
	w.must(Answer{Ref: r, Answer: AnswerOnMyWay}, visitor)
	w.must(ReturnToQueue{Ref: r, Position: PositionFirst}, clerk(1))
	if got := w.ticket(1).Place.Answer; got != nil {
		t.Errorf("after returning: %+v", got)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	w := newWorld(t)
	r := ref(w.create(1))
	for _, c := range []struct {
		c     Answer
		field string
	}{
		{Answer{Ref: r, Answer: "maybe"}, "answer"},
		{Answer{Ref: r}, "answer"},
		{Answer{Ref: r, Answer: AnswerNeedTime, Minutes: 31}, "minutes"},
		{Answer{Ref: r, Answer: AnswerNeedTime, Minutes: -1}, "minutes"},
		{Answer{Ref: r, Answer: AnswerOnMyWay, Minutes: 5}, "minutes"},
	} {
		if _, err := w.do(c.c, visitor); wire.CodeOf(err) != wire.BadRequest || fieldOf(err) != c.field {
			t.Errorf("%+v: %v", c.c, err)
		}
	}
}

// Whoever needs more time keeps the place and is passed over until it is over.
func TestCallNextPassesOverWhoNeedsTime(t *testing.T) {
	w := newWorld(t)
	first, second := w.create(1), w.create(1)
	w.must(Answer{Ref: ref(first), Answer: AnswerNeedTime}, visitor)
	w.must(CallNext{Lines: []int{1}, Desk: 1, KeepActive: true}, clerk(1))
	if w.ticket(second).Place.Status != Called || w.ticket(first).Place.Status != New {
		t.Fatal("who needs time was called, or the next was not")
	}
	w.deny(CallNext{Lines: []int{1}, Desk: 1, KeepActive: true}, clerk(1), wire.Empty, "", "nobody is waiting in these lines")
	w.now = w.ticket(first).Place.Answer.Until
	w.must(CallNext{Lines: []int{1}, Desk: 1, KeepActive: true}, clerk(1))
	if w.ticket(first).Place.Status != Called {
		t.Fatal("the time is over, and nobody was called")
	}
}

func TestRatingAVisitOnce(t *testing.T) {
	w := newWorld(t)
	r := ref(w.create(1))
	w.deny(Rate{Ref: r, Rating: 5}, visitor, wire.Conflict, "", "the visit is not over yet")
	w.call(1, 1, 1)
	w.must(Serve{r}, clerk(1))
	for _, rating := range []int{0, 6, -1} {
		if _, err := w.do(Rate{Ref: r, Rating: rating}, visitor); fieldOf(err) != "rating" {
			t.Errorf("%d: %v", rating, err)
		}
	}
	events := w.must(Rate{Ref: r, Rating: 4, Text: "quick"}, visitor)
	last := events[len(events)-1]
	if last.Facts.Kind != TransactionSurvey || last.Facts.Rating != 4 || last.Facts.Participant.Type != ParticipantClient {
		t.Errorf("%+v", last.Facts)
	}
	if got := w.ticket(1); got.Conversation.Rated != 4 || got.Conversation.State != "" {
		t.Errorf("%+v", got.Conversation)
	}
	w.deny(Rate{Ref: r, Rating: 5}, visitor, wire.Conflict, "", "this visit was judged already")
}

func TestMessagesWithFiles(t *testing.T) {
	w := newWorld(t)
	r := ref(w.create(1))
	file := []Attachment{{ID: 1, FileIdentifier: "f"}}
	w.must(SendMessage{Ref: r, Files: []string{"f"}, Attachments: file}, visitor)
	if _, err := w.do(SendMessage{Ref: r, Text: "x", Files: []string{"f", "g"}, Attachments: file}, visitor); fieldOf(err) != "files" {
		t.Errorf("a file that no door has found: %v", err)
	}
	if _, err := w.do(SendMessage{Ref: r, Text: "x", Files: make([]string, 11), Attachments: make([]Attachment, 11)}, visitor); fieldOf(err) != "files" {
		t.Errorf("eleven files: %v", err)
	}
}

func TestTheVisitorsOwnEnqueue(t *testing.T) {
	w := newWorld(t)
	open := OpenConversation{Participants: []Newcomer{{Type: ParticipantClient, Protocol: ProtocolWeb}}, Language: "ar", Email: "a@b.c"}
	w.must(open, visitor)
	w.must(open, visitor)
	if x := w.ticket(2); x.Language != "ar" || x.Private.Email != "a@b.c" {
		t.Errorf("%q %+v", x.Language, x.Private)
	}
	if got := w.s.VisitorTicket(w.ticket(2)).Conversation.Position; got != 2 {
		t.Errorf("the second conversation is at %d", got)
	}
	w.must(SetOwner{Ref: ref(1), User: 1}, clerk(1))
	if got := w.s.VisitorPlaces()(2); got.Conversation != 1 {
		t.Errorf("after the first was taken: %+v", got)
	}
	w.must(Enqueue{Ref: ref(2), Line: 1}, visitor)
	if got := w.ticket(2).Place.Source; got != SourceMicrosite {
		t.Errorf("source %s", got)
	}
	if got := w.s.VisitorPlaces()(2); got.Position != 1 || got.Conversation != 1 {
		t.Errorf("in the line: %+v", got)
	}
	l := *w.s.Location
	l.Hours = &Hours{}
	for i := range l.Hours.Week {
		l.Hours.Week[i].Closed = true
	}
	w.must(PutLocation{l}, nobody)
	w.must(open, visitor)
	w.deny(Enqueue{Ref: ref(3), Line: 1}, visitor, wire.Conflict, "", "the location is closed now")
	w.must(Enqueue{Ref: ref(3), Line: 1}, clerk(1))
}
