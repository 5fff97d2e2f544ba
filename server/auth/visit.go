package auth

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// VisitTokens is how many links to one ticket work at a time. A visitor has a few
// devices; what asks for links over and over must not fill the store.
const VisitTokens = 10

// IssueVisit makes a link to one ticket. The link that was quiet for longest makes
// room. It is no entry of the audit log: every visitor gets one.
func (a *Authenticator) IssueVisit(ctx context.Context, ticket int64, name string, ttl time.Duration) (string, Info, error) {
	s := Spec{Type: VisitorToken, Name: name, Ticket: ticket, TTL: ttl}
	if err := s.check(); err != nil {
		return "", Info{}, err
	}
	token, e, err := a.draw(s)
	if err == nil {
		err = a.save(ctx, e)
	}
	if err != nil {
		return "", Info{}, err
	}
	info := e.info(a.opts.SessionIdle)
	live := slices.DeleteFunc(a.index.named("ticket:"+strconv.FormatInt(ticket, 10)), func(e *entry) bool { return e.revoked.Load() })
	if len(live) <= VisitTokens {
		return token, info, nil
	}
	quiet := func(e *entry) int64 { return max(e.used.Load(), e.rec.Issued.Unix()) }
	slices.SortFunc(live, func(x, y *entry) int {
		return cmp.Or(cmp.Compare(quiet(x), quiet(y)), x.rec.Issued.Compare(y.rec.Issued), cmp.Compare(x.rec.Grant, y.rec.Grant))
	})
	live = slices.DeleteFunc(live, func(e *entry) bool { return e.rec.Grant == info.Grant })
	return token, info, a.revoke(ctx, live[:len(live)+1-VisitTokens])
}

// MoveVisit makes one link to a ticket a link to another: the ticket in which its
// conversation goes on. The token stays what it was, so that whoever holds it, and
// nobody else, gets there; sockets that it opened are told to come back. Doing it
// again changes nothing. Like links themselves it is no entry of the audit log.
func (a *Authenticator) MoveVisit(ctx context.Context, grant string, ticket int64, name string) (Identity, error) {
	next, moved, err := a.moveVisit(ctx, grant, ticket, name)
	if err != nil {
		return Identity{}, err
	}
	if moved {
		a.notify([]*entry{next})
	}
	return a.Recheck(Identity{Grant: grant}) // it may have been revoked just now
}

func (a *Authenticator) moveVisit(ctx context.Context, grant string, ticket int64, name string) (next *entry, moved bool, err error) {
	a.writes.Lock() // a revocation waits for the document, then deletes it
	defer a.writes.Unlock()
	e, ok := a.index.grant(grant)
	if !ok || e.rec.Type != VisitorToken {
		return nil, false, ErrUnknown
	}
	if e.rec.Ticket == ticket {
		return e, false, nil
	}
	rec := e.rec
	rec.Ticket, rec.Name = ticket, name
	rec.Credential = credentialName(Spec{Type: rec.Type, Ticket: ticket}, grant)
	next = newEntry(e.digest, rec)
	next.used.Store(e.used.Load())
	doc, err := next.doc()
	if err != nil {
		return nil, false, err
	}
	next.written.Store(next.used.Load())
	if err := a.opts.Docs.PutDocs(ctx, doc); err != nil {
		return nil, false, fmt.Errorf("auth: move visitor token: %w", err)
	}
	a.index.replace(e, next)
	if e.revoked.Swap(true) { // and whoever still holds e writes it down no more
		next.revoked.Store(true)
	}
	return next, true, nil
}
