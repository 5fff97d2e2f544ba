package auth

import (
	"cmp"
	"context"
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
