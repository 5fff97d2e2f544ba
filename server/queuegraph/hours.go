package queuegraph

import "github.com/nowserving/nowserving/hub/ticket"

// hoursNode is a week of opening hours. A location without any is always open.
type hoursNode struct{ Mon, Tue, Wed, Thu, Fri, Sat, Sun *dayNode }

type dayNode struct {
	BusinessHours *[]*spanNode
	Closed        *bool
}

type spanNode struct{ Opens, Closes *clockNode }

type clockNode struct{ Hours, Minutes *int32 }

type exceptionNode struct {
	Date          localDate
	Closed        bool
	ClosedReason  *string
	BusinessHours *[]*spanNode
}

// OpeningHours2 is the location's week.
func (l *locationNode) OpeningHours2() *hoursNode { return weekOf(l.Location) }

func weekOf(l *ticket.Location) *hoursNode {
	var week [7]ticket.Day
	if l.Hours != nil {
		week = l.Hours.Week
	}
	var d [7]*dayNode
	for i := range week {
		d[i] = &dayNode{BusinessHours: spans(week[i].Spans), Closed: &week[i].Closed}
	}
	return &hoursNode{d[0], d[1], d[2], d[3], d[4], d[5], d[6]}
}

// OpeningHoursExceptions2 are the dates that have hours of their own.
func (l *locationNode) OpeningHoursExceptions2() ([]*exceptionNode, error) {
	out := []*exceptionNode{}
	if l.Hours == nil {
		return out, nil
	}
	for _, e := range l.Hours.Exceptions {
		out = append(out, &exceptionNode{
			Date: localDate(e.Date), Closed: e.Closed, ClosedReason: text(e.Reason), BusinessHours: spans(e.Spans),
		})
	}
	return out, l.w.spend(len(out))
}

// spans is null where a day has no hours of its own.
func spans(in []ticket.Span) *[]*spanNode {
	if len(in) == 0 {
		return nil
	}
	out := make([]*spanNode, 0, len(in))
	for _, s := range in {
		out = append(out, &spanNode{clock(s.Opens), clock(s.Closes)})
	}
	return &out
}

func clock(minute int) *clockNode {
	return &clockNode{ptr(int32(minute / 60)), ptr(int32(minute % 60))}
}
