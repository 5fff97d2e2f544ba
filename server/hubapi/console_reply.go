package hubapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/ops"
)

// registerConsole adds what a console needs beside its channel.
func (a *API) registerConsole(r *httprouter.Router) {
	r.GET("/hub/v1/locations/:location/tickets", a.findTickets)
	r.GET("/hub/v1/locations/:location/replies", a.replies)
	r.GET("/hub/v1/locations/:location/fields", a.fields)
}

// reply is a canned reply as a console offers it. The texts are the department's,
// kept by the conversation API; see its documents of kind chat.reply.
type reply struct {
	ID       int    `json:"id"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	Category string `json:"category"`
	Culture  string `json:"culture"`
	rank     int
}

// replies is GET /hub/v1/locations/{location}/replies: what may be answered with
// at a stroke, the most wanted first.
func (a *API) replies(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	location, err := a.console(r, p)
	list := []reply{}
	if err == nil {
		list, err = a.repliesOf(location)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"replies": list})
}

func (a *API) repliesOf(location int) ([]reply, error) {
	list := []reply{}
	for d, err := range a.o.Ledger.Docs("chat.reply:" + strconv.Itoa(location)) {
		if err != nil {
			return nil, fmt.Errorf("read canned replies: %w", err)
		}
		var v struct {
			reply
			Rank         int
			CategoryName string
			IsPublished  bool
		}
		if err := json.Unmarshal(d.Value, &v); err != nil {
			return nil, fmt.Errorf("read canned reply %s: %w", d.Key, err)
		}
		if v.IsPublished {
			v.reply.Category, v.rank = v.CategoryName, v.Rank
			list = append(list, v.reply)
		}
	}
	slices.SortStableFunc(list, func(x, y reply) int { return cmp.Compare(y.rank, x.rank) })
	return list, nil
}

// fields is GET /hub/v1/locations/{location}/fields: the questions that visitors
// are asked there, in order.
func (a *API) fields(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	location, err := a.console(r, p)
	list := []ticket.InputField{}
	if err == nil {
		a.o.Ledger.View(location, func(s *ticket.State) { list = append(list, s.Location.Fields...) })
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"fields": list})
}
