package chatapi

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/store"
)

const (
	// pagePrefix begins the paths of pages that customers get a link to.
	pagePrefix = "/form/"
	// secretPrefix begins the secret part of such a link: like every secret's, so
	// that logs leave it out (ops.SafePath).
	secretPrefix = "ns_lnk_"
	stylePath    = pagePrefix + "style.css"
)

// pageAnswer is a page that was filled in.
type pageAnswer struct {
	ctx  context.Context
	id   string
	page page
}

// document is the page's own id, for documents.
func (p *pageAnswer) document() string {
	if p.page.Kind == formDocs {
		return p.id
	}
	return ""
}

// pageKind tells what a path is about.
func pageKind(path string) (kind, id string, ok bool) {
	for name, kind := range map[string]string{"survey/": surveyDocs, "document/": formDocs} {
		if id, found := strings.CutPrefix(path, pagePrefix+name); found {
			hex, own := strings.CutPrefix(id, secretPrefix)
			return kind, id, own && len(hex) == 40 && strings.Trim(hex, "0123456789abcdef") == ""
		}
	}
	return "", "", false
}

func (a *API) servePage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == stylePath {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write([]byte(pageStyle)) // the caller is gone, or not
		return
	}
	kind, id, ok := pageKind(r.URL.Path)
	if !ok {
		(&call{API: a, w: w, r: r}).fail(wire.Errorf(wire.NotFound, "there is nothing at this address"))
		return
	}
	if err := take(a.general, "page "+a.Addr(r)); err != nil {
		a.showPage(w, ops.Status(wire.RateLimited), pageView{Title: "Too many requests", Note: "Please try again in a minute."})
		return
	}
	var p page
	err := a.readDoc(kind, id, &p)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && a.Clock().Sub(p.Given) > pageTTL:
		a.showPage(w, http.StatusNotFound, pageView{Title: "This link has run out", Note: "Please ask for a new one."})
	case err != nil:
		(&call{API: a, w: w, r: r}).fail(err)
	case r.Method == http.MethodPost:
		a.takeAnswer(w, r, pageAnswer{r.Context(), id, p})
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		a.showPage(w, http.StatusOK, viewOf(&p, ""))
	default:
		(&call{API: a, w: w, r: r}).fail(errMethod)
	}
}

// final reports whether a page takes no further answer.
func (p *page) final() bool { return !p.Answered.IsZero() && (p.Kind == surveyDocs || p.Lock) }

const maxAnswer = 2000

func (a *API) takeAnswer(w http.ResponseWriter, r *http.Request, in pageAnswer) {
	p := &in.page
	if p.final() {
		a.showPage(w, http.StatusConflict, viewOf(p, ""))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	if err := r.ParseForm(); err != nil {
		a.showPage(w, http.StatusBadRequest, viewOf(p, "The form could not be read."))
		return
	}
	p.Questions = slices.Clone(p.Questions)
	for i := range p.Questions {
		q := &p.Questions[i]
		if !p.Lock || q.Value == "" || p.Kind == surveyDocs {
			q.Value = strings.TrimSpace(r.PostForm.Get("q" + strconv.Itoa(q.ID)))
		}
		if note := q.check(); note != "" {
			a.showPage(w, http.StatusBadRequest, viewOf(p, note))
			return
		}
	}
	if err := a.answered(in); err != nil {
		if wire.CodeOf(err) == wire.Conflict || wire.CodeOf(err) == wire.NotFound {
			a.showPage(w, http.StatusConflict, pageView{Title: "This link has run out", Note: "Please ask for a new one."})
			return
		}
		(&call{API: a, w: w, r: r}).fail(err)
		return
	}
	p.Answered = a.Clock()
	a.showPage(w, http.StatusOK, viewOf(p, ""))
}

// check says what is wrong with an answer.
func (q *asked) check() string {
	switch {
	case q.Value == "" && q.Mandatory:
		return "Please answer: " + q.Title
	case q.Value == "":
		return ""
	case q.Type == "Rating" && (len(q.Value) != 1 || q.Value < "1" || q.Value > "5"):
		return "Please choose 1 to 5: " + q.Title
	case utf8.RuneCountInString(q.Value) > maxAnswer || !utf8.ValidString(q.Value) || strings.ContainsRune(q.Value, 0):
		return "This answer is too long: " + q.Title
	}
	return ""
}

// pageView is what the page shows.
type pageView struct {
	Title, Message, Note string
	Thanks               bool
	Locked               bool
	Questions            []asked
	Ratings              []string
	Style                string
}

func viewOf(p *page, note string) pageView {
	v := pageView{
		Title: p.Title, Message: p.Message, Note: note, Thanks: p.final() && note == "", Locked: p.Lock,
		Questions: p.Questions, Ratings: []string{"1", "2", "3", "4", "5"},
	}
	if !p.Answered.IsZero() && note == "" {
		v.Thanks = true
	}
	return v
}

func (a *API) showPage(w http.ResponseWriter, status int, v pageView) {
	v.Style = stylePath
	var out bytes.Buffer
	if err := a.page.Execute(&out, v); err != nil {
		a.Log.Error().Err(err).Msg("page not written")
		status = http.StatusInternalServerError
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the caller is gone, or not
}

func pageTemplate() *template.Template { return template.Must(template.New("page").Parse(pageMarkup)) }

const pageMarkup = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<link rel="stylesheet" href="{{.Style}}">
</head>
<body>
<main>
<h1>{{.Title}}</h1>
{{if .Note}}<p class="note" role="alert">{{.Note}}</p>{{end}}
{{if .Thanks}}<p class="thanks" role="status">Thank you. Your answer has arrived.</p>
{{else if .Questions}}{{if .Message}}<p>{{.Message}}</p>{{end}}
<form method="post">
{{range .Questions}}{{$q := .}}{{if eq .Type "Rating"}}<fieldset>
<legend>{{.Title}}{{if .Mandatory}} *{{end}}</legend>
<div class="rating">{{range $.Ratings}}<label><input type="radio" name="q{{$q.ID}}" value="{{.}}"{{if $q.Mandatory}} required{{end}}{{if eq $q.Value .}} checked{{end}}><span>{{.}}</span></label>{{end}}</div>
</fieldset>
{{else if eq .Type "Checkbox"}}<p class="check"><input type="checkbox" id="q{{.ID}}" name="q{{.ID}}" value="yes"{{if .Value}} checked{{end}}> <label for="q{{.ID}}">{{.Title}}</label></p>
{{else}}<p><label for="q{{.ID}}">{{.Title}}{{if .Mandatory}} *{{end}}</label>
{{if eq .Type "Number"}}<input id="q{{.ID}}" name="q{{.ID}}" inputmode="decimal" value="{{.Value}}"{{if .Mandatory}} required{{end}}>{{else if eq .Type "Date"}}<input type="date" id="q{{.ID}}" name="q{{.ID}}" value="{{.Value}}"{{if .Mandatory}} required{{end}}>{{else}}<textarea id="q{{.ID}}" name="q{{.ID}}" rows="3" maxlength="2000"{{if .Mandatory}} required{{end}}{{if and $.Locked .Value}} readonly{{end}}>{{.Value}}</textarea>{{end}}</p>
{{end}}{{end}}<button>Send</button>
</form>{{end}}
</main>
</body>
</html>
`

const pageStyle = `:root{color-scheme:light dark;font:18px/1.5 system-ui,sans-serif}
body{margin:0;background:Canvas;color:CanvasText}
main{max-width:36rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}
fieldset{border:0;padding:0;margin:1.5rem 0}
legend,p>label{display:block;font-weight:600;margin-bottom:.5rem;padding:0}
.rating{display:flex;gap:.5rem}
.rating label{flex:1;max-width:4rem}
.rating input{position:absolute;opacity:0}
.rating span{display:block;text-align:center;padding:.75rem 0;border:2px solid GrayText;border-radius:.5rem;cursor:pointer}
.rating input:checked+span{background:#1c6ea4;border-color:#1c6ea4;color:#fff}
.rating input:focus-visible+span,textarea:focus-visible,button:focus-visible,input:focus-visible{outline:3px solid #1c6ea4;outline-offset:2px}
textarea,input:not([type=radio]):not([type=checkbox]){box-sizing:border-box;width:100%;font:inherit;padding:.6rem;border:2px solid GrayText;border-radius:.5rem;background:Field;color:FieldText}
.check label{display:inline;font-weight:400}
button{font:inherit;font-weight:600;padding:.75rem 2rem;border:0;border-radius:.5rem;background:#1c6ea4;color:#fff;cursor:pointer}
.note{background:#a93226;color:#fff;padding:.75rem 1rem;border-radius:.5rem}
.thanks{background:#1e7b4f;color:#fff;padding:1rem;border-radius:.5rem}
`
