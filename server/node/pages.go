package node

import (
	"io/fs"
	"net/http"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/web"
)

// pages serves the built pages and their assets.
func (n *Node) pages(r *httprouter.Router) {
	files := web.FS()
	built := loadAssets(files)
	page := func(name string) httprouter.Handle {
		return func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
			n.page(w, r, files, name)
		}
	}
	r.GET("/board/:location", page("board.html"))
	r.GET("/console", page("console.html"))
	r.GET("/admin", page("admin.html"))
	n.peoplePages(r, page)
	n.widgetPages(r, files, built)
	r.GET("/", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		http.Redirect(w, r, "/console", http.StatusFound)
	})
	n.assetFiles(r, built)
}

// page serves one page, never from a cache: a screen that restarts must get the
// page that fits the server.
func (n *Node) page(w http.ResponseWriter, r *http.Request, files fs.FS, name string) {
	body, err := fs.ReadFile(files, name)
	if err != nil {
		n.fail(w, r, wire.Errorf(wire.NotFound, "this build has no pages; run make web"))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // a client that is gone needs no answer
}
