package hubapi

import (
	"context"
	"errors"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
)

// maxMoves bounds how far a conversation is followed in one request.
const maxMoves = 32

// successor is the ticket in which a conversation goes on that was moved to another
// department, perhaps more than once; otherwise it is t. Who still waits in a line
// stays with their number: its call must not be missed.
func (p *People) successor(t *ticket.Ticket) (*ticket.Ticket, error) {
	for range maxMoves {
		to := t.Conversation.MovedTo
		inLine := t.Place.Status == ticket.New || t.Place.Status == ticket.Called
		if to == nil || inLine || t.Conversation.State != ticket.ConversationClosed {
			break
		}
		next, err := p.o.Ledger.Ticket(to.Ticket)
		if err != nil {
			return nil, err
		}
		t = next
	}
	return t, nil
}

// follow leads the holder of a link to where their conversation has moved: from
// then on the same link is one to that ticket, and to no other.
func (p *People) follow(ctx context.Context, id auth.Identity, t *ticket.Ticket) (auth.Identity, *ticket.Ticket, error) {
	if t.Erased { // and so is, soon, what it was moved to; the links end by themselves
		return id, t, nil
	}
	next, err := p.successor(t)
	if err != nil || next.ID == t.ID || next.Erased {
		return id, next, err
	}
	id, err = p.o.Auth.MoveVisit(ctx, id.Grant, next.ID, visitName(next))
	if err != nil {
		return id, nil, err
	}
	// An erasure that came in between has not seen this link.
	if next, err = p.o.Ledger.Ticket(next.ID); err == nil && next.Erased {
		err = errors.Join(auth.ErrUnknown, p.o.Auth.Revoke(ctx, "erasure", id.Grant))
	}
	return id, next, err
}
