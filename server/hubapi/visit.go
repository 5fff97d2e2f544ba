package hubapi

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/ops"
)

// page is how many entries of a thread are given at a time.
const threadPage = 100

// visitor is who holds the link to a ticket that is still there, and the ticket.
func (a *API) visitor(r *http.Request) (auth.Identity, *ticket.Ticket, error) {
	id, found, err := a.o.Auth.Bearer(r)
	switch {
	case err != nil:
		return id, nil, err
	case !found:
		return id, nil, wire.Errorf(wire.Unauthenticated, "this is for the holder of a ticket's link")
	case id.Kind != auth.Visitor:
		return id, nil, wire.Errorf(wire.Forbidden, "this is for the holder of a ticket's link")
	}
	if err := pass(a.o.People.calls, id.Credential); err != nil {
		return id, nil, err
	}
	t, err := a.o.Ledger.Ticket(id.Ticket)
	if err == nil {
		id, t, err = a.o.People.follow(r.Context(), id, t)
	}
	if err == nil && t.Erased {
		err = auth.ErrUnknown // as if it had ended already, which it is about to
	}
	return id, t, err
}

// survey says whether a visit may be judged.
type survey struct {
	Open     bool `json:"open"`
	Answered bool `json:"answered"`
}

// visit is GET /hub/v1/visit: everything that a visitor's page begins with.
func (a *API) visit(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	_, t, err := a.visitor(r)
	var thread []ticket.VisitorTransaction
	more := false
	if err == nil {
		thread, more, err = a.visitorThread(t, 0)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	var out struct {
		Ticket       ticket.VisitorTicket        `json:"ticket"`
		Transactions []ticket.VisitorTransaction `json:"transactions"`
		More         bool                        `json:"more"`
		Survey       survey                      `json:"survey"`
		Limits       limits                      `json:"limits"`
		Lines        []openLine                  `json:"lines"`
		Time         string                      `json:"time"`
	}
	out.Transactions, out.More, out.Limits = thread, more, visitLimits()
	out.Time = wire.Time(a.o.People.o.Clock())
	a.o.Ledger.View(t.Location, func(s *ticket.State) {
		if live := s.Tickets[t.ID]; live != nil {
			t = live
		}
		out.Ticket = s.VisitorTicket(t)
		out.Lines = a.o.People.openLines(s, nil)
	})
	out.Survey = survey{Open: t.CanRate() && t.Conversation.Rated == 0, Answered: t.Conversation.Rated != 0}
	answer(w, http.StatusOK, out)
}

// visitorThread is a page of the thread as the visitor sees it, oldest first; more
// says that there is something before it. before 0 is the newest page.
func (a *API) visitorThread(t *ticket.Ticket, before uint64) (out []ticket.VisitorTransaction, more bool, err error) {
	thread, more, err := a.thread(t, before)
	out = []ticket.VisitorTransaction{}
	for i := range thread {
		if v, ok := t.VisitorTransaction(&thread[i]); ok {
			out = append(out, v)
		}
	}
	return out, more, err
}

// thread is a page of a ticket's thread, oldest first.
func (a *API) thread(t *ticket.Ticket, before uint64) (out []ticket.Transaction, more bool, err error) {
	from := before
	switch before {
	case 0: // the newest
	case 1:
		return nil, false, nil
	default:
		from--
	}
	newest, err := a.o.Ledger.Transactions(t.ID, from, threadPage, true)
	for i := len(newest) - 1; i >= 0; i-- {
		out = append(out, newest[i])
	}
	return out, len(out) == threadPage && out[0].Seq > 1, err
}

// before is the query's parameter of that name.
func before(r *http.Request) (uint64, error) {
	v := r.URL.Query().Get("before")
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(v, 10, 63)
	if err != nil || n == 0 {
		return 0, wire.FieldError("before", "before is the number of a transaction")
	}
	return n, nil
}

// visitTransactions is GET /hub/v1/visit/transactions?before=seq. What only staff
// may see is left out, so a page may have less than it could.
func (a *API) visitTransactions(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	_, t, err := a.visitor(r)
	var upTo uint64
	if err == nil {
		upTo, err = before(r)
	}
	var thread []ticket.VisitorTransaction
	more := false
	for err == nil && len(thread) == 0 { // a whole page of notes must not look like the end
		var page []ticket.Transaction
		if page, more, err = a.thread(t, upTo); err != nil || len(page) == 0 {
			break
		}
		upTo = page[0].Seq
		for i := range page {
			if v, ok := t.VisitorTransaction(&page[i]); ok {
				thread = append(thread, v)
			}
		}
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"transactions": append([]ticket.VisitorTransaction{}, thread...), "more": more})
}

// visitSurvey is POST /hub/v1/visit/survey.
func (a *API) visitSurvey(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, t, err := a.visitor(r)
	var body struct {
		Rating int    `json:"rating"`
		Text   string `json:"text"`
	}
	key := ""
	if err == nil {
		key, err = idempotency(r, id.Credential, 1)
	}
	if err == nil {
		err = ops.ReadJSON(r, &body)
	}
	if err == nil {
		_, err = a.o.Ledger.Do(r.Context(), ledger.Request{
			Location: t.Location, Actor: actor(id), Key: key,
			Command: ticket.Rate{Ref: ticket.Ref{ID: ticket.TicketID(t.ID)}, Rating: body.Rating, Text: body.Text},
		})
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, struct{}{})
}

// visitUpload is POST /hub/v1/visit/files: the body is the file.
func (a *API) visitUpload(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, t, err := a.visitor(r)
	if err == nil && !a.o.People.attachments(t.Location) {
		err = wire.Errorf(wire.Forbidden, "files are not taken here")
	}
	if err == nil {
		err = pass(a.o.People.uploads, id.Credential)
	}
	a.keepUpload(w, r, t, err)
}

// attachments reports whether visitors of a location may send files: unless all
// of its sites say no.
func (p *People) attachments(location int) bool {
	all := p.sitesOf(location)
	for _, s := range all {
		if s.Attachments {
			return true
		}
	}
	return len(all) == 0
}

// keepUpload keeps the request's body as a file of a ticket, unless err.
func (a *API) keepUpload(w http.ResponseWriter, r *http.Request, t *ticket.Ticket, err error) {
	name := ""
	if err == nil {
		select {
		case a.o.People.uploading <- struct{}{}:
			defer func() { <-a.o.People.uploading }()
		default:
			err = &wire.Error{Code: wire.Unavailable, Message: "too many files are on their way", RetryAfter: 2}
		}
	}
	if err == nil {
		if name, err = url.PathUnescape(r.Header.Get("X-File-Name")); err != nil {
			err = wire.FieldError("X-File-Name", "X-File-Name is percent-encoded")
		}
	}
	var f chatapi.TicketFile
	if err == nil {
		department := ""
		a.o.Ledger.View(t.Location, func(s *ticket.State) { department = s.Location.GUID })
		f, err = a.o.People.o.Files.PutTicketFile(r.Context(), department, t.ID, name, r.Body)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusCreated, f)
}

// visitFile is GET /hub/v1/visit/files/{id}[?thumb=1].
func (a *API) visitFile(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	_, t, err := a.visitor(r)
	a.serveFile(w, r, ps, t, err)
}

func (a *API) serveFile(w http.ResponseWriter, r *http.Request, ps httprouter.Params, t *ticket.Ticket, err error) {
	var f chatapi.TicketFile
	if err == nil {
		if f, err = a.o.People.o.Files.TicketFile(t.ID, ps.ByName("file")); chatapi.IsNoFile(err) {
			err = wire.Errorf(wire.NotFound, "there is no such file")
		}
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	a.o.People.o.Files.ServeTicketFile(w, r, f, r.URL.Query().Get("thumb") != "")
}

// Attach finds the files that a message names, among those of its ticket.
func (p *People) Attach(c ticket.Command) (ticket.Command, error) {
	m, ok := c.(ticket.SendMessage)
	if !ok || len(m.Files) == 0 {
		return c, nil
	}
	if len(m.Files) > ticket.MaxMessageFiles {
		return nil, wire.FieldError("files", "a message has at most %d files", ticket.MaxMessageFiles)
	}
	for i, id := range m.Files {
		f, err := p.o.Files.TicketFile(m.TicketID(), id)
		if chatapi.IsNoFile(err) {
			return nil, wire.FieldError("files", "there is no such file")
		}
		if err != nil {
			return nil, err
		}
		if f.State == chatapi.FileBlocked {
			return nil, wire.FieldError("files", "this file was found to be harmful")
		}
		m.Attachments = append(m.Attachments, f.Attachment(i+1))
	}
	return m, nil
}
