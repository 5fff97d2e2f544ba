package node

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/server/ops"
)

// administration is what the administration's doors need beside the rest.
func (n *Node) administration() *hubapi.Admin {
	return &hubapi.Admin{Clock: n.o.Clock, Base: n.base, Log: n.audits, Hooks: n.outbox, Departments: n.chat}
}

// hubDoor is the hub's door; videos for the media zone may be larger than
// anything else that comes in there.
func (n *Node) hubDoor(short func(string, ops.Fail, http.Handler) http.Handler, hub http.Handler) http.Handler {
	small := short("hub", ops.WriteError, hub)
	large := n.metrics.Door("hub", n.o.Clock, ops.Limits(hubapi.MaxMedium, ops.WriteError, n.o.Clock, hub))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hubapi.IsUpload(r) {
			large.ServeHTTP(w, r)
			return
		}
		small.ServeHTTP(w, r)
	})
}

// auditChange notes what somebody changed of the settings, whichever door it came
// through, and every erasure. It is called for each published event and must be quick.
func (n *Node) auditChange(c ledger.Notice) {
	e := c.Event
	action, on := auth.AuditChange, ""
	switch {
	case e.Type == ticket.EventErased:
		action, on = auth.AuditErase, "ticket:"+strconv.FormatInt(e.Ticket, 10)
	case e.Facts.LocationDef != nil && c.Location == ledger.Directory: // the location's own copy is no change of its own
		on = "location:" + strconv.Itoa(e.Facts.LocationDef.ID)
	case e.Facts.UserDef != nil && c.Location == ledger.Directory: // and elsewhere it is somebody's choice of a desk
		on = "user:" + strconv.Itoa(e.Facts.UserDef.ID)
	case e.Facts.LineDef != nil:
		on = "line:" + strconv.Itoa(e.Facts.LineDef.ID)
	case e.Facts.DeskDef != nil:
		on = "desk:" + strconv.Itoa(e.Facts.DeskDef.ID)
	case e.Facts.DisplayDef != nil:
		on = "display:" + strconv.Itoa(e.Facts.DisplayDef.ID)
	default:
		return
	}
	who := e.Facts.Actor.Credential
	if n.audits == nil || who == demoActor || who == retentionActor { // the latter sums up by itself
		return
	}
	n.audits.Audit(auth.Entry{Time: e.Time, Action: action, Who: who, On: on, Result: "ok"})
}

// passing tells acts that every visit brings: links to tickets come and go by the
// thousand and would push out what administrators look for.
func passing(e auth.Entry) bool {
	return e.Action == auth.AuditIssue && strings.HasPrefix(e.On, string(auth.VisitorToken)+" ") ||
		e.Action == auth.AuditRevoke && strings.HasPrefix(e.On, "ticket:")
}

// demoActor makes the demonstration; that is no news to anybody.
const demoActor = "demo"
