package hubapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/outbox/sms"
)

// maxTexts bounds the list of kept text messages.
const maxTexts = 200

// Texts is the outbox of text messages that nobody sends by itself.
type Texts interface {
	Waiting(limit int) ([]sms.Text, error)
	HandOver(ctx context.Context, by string, ticket int64, seq uint64, status string) error
}

// textView is a kept message as staff sees it.
type textView struct {
	Ticket   string `json:"ticket"`
	Seq      uint64 `json:"seq"`
	PublicID string `json:"publicId"`
	To       string `json:"to"`
	Valid    bool   `json:"valid"`
	Body     string `json:"body"`
	At       string `json:"at"`
}

// texts lists the messages that wait to be handed over, oldest ticket first.
func (a *API) texts(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, err := a.staff(r)
	out := []textView{}
	if err == nil && a.o.Texts != nil {
		var waiting []sms.Text
		waiting, err = a.o.Texts.Waiting(maxTexts)
		for _, t := range waiting {
			// Another location's messages are none of their business.
			if a.o.Access.Command(id, "message.send", 0, t.Ticket) == nil {
				out = append(out, textView{
					strconv.FormatInt(t.Ticket, 10), t.Seq, t.PublicID, t.To, t.Valid, t.Body, wire.Time(t.At),
				})
			}
		}
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"texts": out, "sending": a.o.Texts == nil})
}

// handOver says what became of a kept message.
func (a *API) handOver(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, err := a.staff(r)
	var body struct{ Status string }
	if err == nil {
		err = ops.ReadJSON(r, &body)
	}
	ticketID, bad := strconv.ParseInt(p.ByName("ticket"), 10, 64)
	seq, bad2 := strconv.ParseUint(p.ByName("seq"), 10, 64)
	if err == nil && (bad != nil || bad2 != nil || a.o.Texts == nil) {
		err = wire.Errorf(wire.NotFound, "there is no such message")
	}
	if err == nil {
		err = a.o.Access.Command(id, "message.send", 0, ticketID)
	}
	if err == nil {
		err = a.o.Texts.HandOver(r.Context(), id.Credential, ticketID, seq, body.Status)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, struct{}{})
}
