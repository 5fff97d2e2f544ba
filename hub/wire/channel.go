package wire

import (
	"strconv"
	"strings"
)

// The kinds of channel.
const (
	BoardChannel   = "board"   // board:{location}, public projection
	ConsoleChannel = "console" // console:{location}, staff
	TicketChannel  = "ticket"  // ticket:{id}, that ticket's visitor, and staff
	DisplayChannel = "display" // display:{id}, one screen's settings
)

// Channel is a parsed channel name.
type Channel struct {
	Kind string
	ID   int64
}

func (c Channel) String() string { return c.Kind + ":" + strconv.FormatInt(c.ID, 10) }

// ParseChannel reads "kind:id". Ids are written without sign or leading zero,
// so that one channel has exactly one name.
func ParseChannel(name string) (Channel, *Error) {
	kind, digits, ok := strings.Cut(name, ":")
	if !ok || len(digits) == 0 || len(digits) > 18 || digits[0] < '1' || digits[0] > '9' {
		return Channel{}, FieldError("channel", "has the form kind:id")
	}
	switch kind {
	case BoardChannel, ConsoleChannel, TicketChannel, DisplayChannel:
	default:
		return Channel{}, FieldError("channel", "kinds are board, console, ticket, display")
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return Channel{}, FieldError("channel", "has the form kind:id")
	}
	return Channel{Kind: kind, ID: id}, nil
}
