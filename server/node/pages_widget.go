package node

import (
	"encoding/json"
	"html"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
)

// widgetPages serves what other sites load: the chat widget's loader under names
// that never change, and its page for a frame.
func (n *Node) widgetPages(r *httprouter.Router, files fs.FS, built assets) {
	loader := n.widgetScript(built, func(*http.Request) string { return "widget.js" })
	getAndHead(r, "/widget.js", loader)
	getAndHead(r, "/clients/widget.1.2.min.js", loader) // where the conversation API's sites find theirs
	getAndHead(r, "/widget-app.js", n.widgetScript(built, func(r *http.Request) string { return currentApp(files, r.URL.Query().Get("language")) }))
	r.GET("/widget/:key", func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		origins, ok := n.people.SiteOrigins(p.ByName("key"))
		if !ok {
			n.fail(w, r, wire.Errorf(wire.NotFound, "there is no such site"))
			return
		}
		if slices.Contains(origins, "*") {
			ops.AllowAllFrames(w.Header())
		} else {
			// A policy has no words for an IPv6 address.
			origins = slices.DeleteFunc(origins, func(o string) bool { return strings.Contains(o, "[") })
			ops.AllowFrames(w.Header(), append(origins, n.origin(r))...)
		}
		// Around it may be a page that takes in only what says that it may be.
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		n.page(w, r, files, "widget.html")
	})
	if n.o.Demo {
		r.GET("/widget-demo", n.widgetDemo(files))
	}
}

// isWidgetPage says whether a path is one of widgetPages.
func isWidgetPage(path string) bool {
	switch path {
	case "/widget.js", "/widget-app.js", "/widget-demo", "/clients/widget.1.2.min.js":
		return true
	}
	return strings.HasPrefix(path, "/widget/")
}

// isWidgetAsset says whether a file is loaded by pages of other sites.
func isWidgetAsset(path string) bool { return strings.HasPrefix(path, "/assets/widget-") }

// forAnySite lets pages of any origin load an answer, which is the same for all
// and needs no cookie.
func forAnySite(h http.Header) {
	ops.Embeddable(h)
	h.Set("Access-Control-Allow-Origin", "*")
}

// widgetScript serves a script under a name without a hash.
func (n *Node) widgetScript(built assets, name func(*http.Request) string) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		a := built[name(r)]
		if a == nil {
			n.fail(w, r, wire.Errorf(wire.NotFound, "this build has no pages; run make web"))
			return
		}
		forAnySite(w.Header())
		n.serveAsset(w, r, a, askAgain)
	}
}

// origin is what this server is called in a request.
func (n *Node) origin(r *http.Request) string {
	if n.o.Proxies.Secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// currentApp is the file of the app in a language, or in English.
func currentApp(files fs.FS, language string) string {
	var apps map[string]string
	b, err := fs.ReadFile(files, "widget-apps.json")
	if err != nil || json.Unmarshal(b, &apps) != nil {
		return "widget-apps.json" // not there either: the caller answers that
	}
	if apps[language] == "" {
		language = "en"
	}
	return strings.TrimPrefix(apps[language], "/")
}

// widgetDemo is a page of somebody's site with the demonstration's widget.
func (n *Node) widgetDemo(files fs.FS) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		page, err := fs.ReadFile(files, "widget-demo.html")
		if err != nil {
			n.fail(w, r, wire.Errorf(wire.NotFound, "this build has no pages; run make web"))
			return
		}
		fill := strings.NewReplacer("{{key}}", html.EscapeString(n.demoWidget), "{{hub}}", html.EscapeString(n.origin(r)))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte(fill.Replace(string(page)))) // a client that is gone needs no answer
	}
}
