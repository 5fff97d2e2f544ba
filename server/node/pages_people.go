package node

import (
	"net/http"
	"strings"

	"github.com/julienschmidt/httprouter"
)

// peoplePages are the pages of those who wait: a visitor's own, the kiosk's, and
// the one to sign in from afar. Each is the same bytes for everybody; what it
// shows it asks for with a token, or it is public.
func (n *Node) peoplePages(r *httprouter.Router, page func(name string) httprouter.Handle) {
	unlisted := func(name string) httprouter.Handle {
		serve := page(name)
		return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
			// A link that somebody published by mistake must not be found by searching.
			w.Header().Set("X-Robots-Tag", "noindex, nofollow")
			serve(w, r, p)
		}
	}
	r.GET("/t/:token", unlisted("visitor.html"))
	r.GET("/kiosk", page("kiosk.html"))
	r.GET("/kiosk/:location", page("kiosk.html"))
	r.GET("/join/:location", page("join.html"))
}

// isPeoplePage says whether a path is one of peoplePages.
func isPeoplePage(path string) bool {
	return path == "/kiosk" || strings.HasPrefix(path, "/t/") || strings.HasPrefix(path, "/kiosk/") || strings.HasPrefix(path, "/join/")
}
