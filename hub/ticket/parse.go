package ticket

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// ParseCommand reads a command frame's name and params. Members that no command
// of that name has are refused: a misspelt one must not be silently ignored.
func ParseCommand(name string, params []byte) (Command, error) {
	if len(bytes.TrimSpace(params)) == 0 {
		params = []byte("{}")
	}
	switch name {
	case "ticket.create":
		return parse[Create](params)
	case "ticket.call":
		return parse[CallTicket](params)
	case "ticket.callNext":
		return parse[CallNext](params)
	case "ticket.recall":
		return parse[Recall](params)
	case "ticket.serve":
		return parse[Serve](params)
	case "ticket.noShow":
		return parse[MarkNoShow](params)
	case "ticket.cancel":
		return parse[Cancel](params)
	case "ticket.returnToQueue":
		c, err := parse[ReturnToQueue](params)
		c.Undo = true
		return c, err
	case "ticket.forward":
		return parse[Forward](params)
	case "ticket.reorder":
		return parse[Reorder](params)
	case "ticket.assign":
		return parse[Assign](params)
	case "ticket.unassign":
		return parse[Unassign](params)
	case "ticket.edit":
		return parse[Edit](params)
	case "ticket.label":
		return parseLabel(params, false)
	case "ticket.external":
		return parse[SetExternal](params)
	case "ticket.field":
		return parse[SetField](params)
	case "ticket.answer":
		return parse[Answer](params)
	case "ticket.enqueue":
		return parse[Enqueue](params)
	case "ticket.erase":
		return parse[Erase](params)
	}
	return parseTalk(name, params)
}

func parseTalk(name string, params []byte) (Command, error) {
	switch name {
	case "message.send":
		return parse[SendMessage](params)
	case "note.add":
		return parse[AddNote](params)
	case "message.read":
		return parse[MarkRead](params)
	case "conversation.state":
		return parse[SetConversation](params)
	case "conversation.owner":
		return parse[SetOwner](params)
	case "conversation.participant":
		return parse[AddParticipant](params)
	case "conversation.tag":
		return parseLabel(params, true)
	case "user.select":
		return parse[Select](params)
	case "line.waitOverride":
		return parse[OverrideWait](params)
	}
	return nil, wire.FieldError("name", "there is no command of this name")
}

func parseLabel(params []byte, tag bool) (Command, error) {
	c, err := parse[Label](params)
	if err != nil {
		return nil, err
	}
	given := 0
	for _, set := range []bool{c.Add != "", c.Remove != "", c.Set.Set} {
		if set {
			given++
		}
	}
	if given != 1 {
		return nil, wire.FieldError("add", "exactly one of add, remove, set")
	}
	c.tag = tag
	return c, nil
}

// parse reads params into a command, naming the member that is wrong.
func parse[C Command](params []byte) (C, error) {
	var c C
	dec := json.NewDecoder(bytes.NewReader(params))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		var zero C
		return zero, paramError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		var zero C
		return zero, wire.FieldError("params", "more than one JSON value")
	}
	if on, ok := any(c).(OnTicket); ok && on.TicketID() < 1 {
		var zero C
		return zero, wire.FieldError("ticket", "which ticket? Its id as a string")
	}
	return c, nil
}

func paramError(err error) error {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) && typ.Field != "" {
		field := typ.Field[strings.LastIndexByte(typ.Field, '.')+1:]
		return wire.FieldError(field, "%s has the wrong type", field)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		field, err := strconv.Unquote(name)
		if err != nil || field == "" || len(field) > maxName { // not a name to send back
			field = "params"
		}
		return wire.FieldError(field, "there is no parameter of this name")
	}
	return wire.FieldError("params", "not a JSON object of this command's form")
}
