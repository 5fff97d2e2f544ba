package session

import (
	"context"
	"net/http"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// subscribed tells who wants to know of a subscription.
func (s *Server) subscribed(id auth.Identity, ch wire.Channel) {
	if s.o.Subscribed != nil {
		s.o.Subscribed(id, ch)
	}
}

// Gate is what a session asks about the rest of the node. Its errors are
// *wire.Error; any other is logged and answered as internal. It is called by
// many goroutines at once.
type Gate interface {
	// Handshake looks at the bearer token or else the session cookie. It
	// returns false when there is neither, and an error when there is one that
	// is wrong. A cookie counts only with an Origin of this server; the session
	// sees to that.
	Handshake(r *http.Request) (auth.Identity, bool, error)
	// Token checks the token of a connect frame. r is the handshake.
	Token(ctx context.Context, token string, r *http.Request) (auth.Identity, error)
	// Recheck says what id's credential allows now, or why it no longer holds.
	Recheck(id auth.Identity) (auth.Identity, error)
	// Channel says in which projection id may read ch, or why not.
	Channel(id auth.Identity, ch wire.Channel) (hub.Audience, error)
	// Commands does a command and returns when it is durable.
	Commands(ctx context.Context, id auth.Identity, c wire.Command) (wire.CommandReply, error)
	// Receipt notes what a display did with a push.
	Receipt(id auth.Identity, r wire.Receipt) error
	// Signal says whether id may send this signal to ch; the session sends it.
	Signal(id auth.Identity, ch wire.Channel, name string) error
	// UserName is how colleagues know the user behind id; "" when there is none.
	UserName(id auth.Identity) string
}
