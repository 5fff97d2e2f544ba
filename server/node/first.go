package node

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
)

// inviteTTL is how long the first sign-in link works.
const inviteTTL = 24 * time.Hour

// firstAdmin makes an administrator when there is no user yet, and prints the
// link that signs them in once. The link is printed again at every start until
// somebody has used it: a lost one must not lock everybody out.
func (n *Node) firstAdmin(ctx context.Context) error {
	var users []*ticket.User
	n.ledger.View(ledger.Directory, func(s *ticket.State) { users = s.SortedUsers() })
	if len(users) > 1 || len(users) == 1 && n.auth.HasPassword(users[0].ID) {
		return nil
	}
	var id int
	if len(users) == 1 {
		id = users[0].ID
	} else {
		res, err := n.ledger.Do(ctx, ledger.Request{
			Location: ledger.Directory, Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: "first start"},
			Command: ticket.PutUser{User: ticket.User{
				GUID: uuid.NewString(), Email: "admin" + "@nowserving.invalid", FirstName: "Administrator",
				Roles: []ticket.Role{{ID: 1, Type: ticket.RoleOwner}},
			}},
		})
		if err != nil {
			return fmt.Errorf("make the first administrator: %w", err)
		}
		id = res.Events[0].Facts.UserDef.ID
	}
	token, _, err := n.auth.Issue(ctx, "first start", auth.Spec{Type: auth.Invite, Name: "first sign-in", User: id, TTL: inviteTTL})
	if err != nil {
		return fmt.Errorf("make the sign-in link: %w", err)
	}
	return printLink(os.Stderr, n.base+"/console#invite="+token)
}

// printLink writes past the log: a secret does not belong into log files. It is
// behind a #, so browsers do not send it in a request line either.
func printLink(w io.Writer, link string) error {
	_, err := fmt.Fprintf(w, "\nSign in as the first administrator, once, within 24 hours:\n\n    %s\n\n", link)
	return err
}
