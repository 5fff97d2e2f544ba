package node

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/web"
)

// What other sites load says that they may; what they may not frame, they cannot.
func TestWidgetPages(t *testing.T) {
	if _, err := fs.Stat(web.FS(), "widget.js"); err != nil {
		t.Skip("the pages are not built: npm run build")
	}
	w := start(t, options(t, t.TempDir()))
	w.othersMayLoadScripts()
	w.scriptsAreSmall()
	w.onlyTheWidgetIsFramed()
}

// fetch gets a page; of its body only the length, as it came.
func (w *world) fetch(path string, headers ...string) *http.Response {
	w.t.Helper()
	resp, body := w.exchange("GET", path, nil, headers...)
	resp.ContentLength = int64(len(body))
	return resp
}

func (w *world) othersMayLoadScripts() {
	w.t.Helper()
	for _, path := range []string{"/widget.js", "/clients/widget.1.2.min.js", "/widget-app.js?language=de", "/widget-app.js?language=../../x"} {
		r := w.fetch(path, "Origin", "https://shop.example")
		for header, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "no-cache",
			"Content-Type": "text/javascript; charset=utf-8",
		} {
			if got := r.Header.Get(header); r.StatusCode != 200 || got != want {
				w.t.Errorf("%s: %d, %s %q, want %q", path, r.StatusCode, header, got, want)
			}
		}
		if again := w.fetch(path, "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			w.t.Errorf("%s asked for again: %d, want 304", path, again.StatusCode)
		}
	}
	app := "/" + currentApp(web.FS(), "ar")
	if r := w.fetch(app); r.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || r.Header.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		w.t.Errorf("%s: %v", app, r.Header)
	}
}

func (w *world) scriptsAreSmall() {
	w.t.Helper()
	for path, most := range map[string]int64{"/widget.js": 4 << 10, "/" + currentApp(web.FS(), "en"): 25 << 10} {
		r := w.fetch(path, "Accept-Encoding", "gzip")
		if r.Header.Get("Content-Encoding") != "gzip" || r.ContentLength < 1 || r.ContentLength > most {
			w.t.Errorf("%s: %q of %d bytes, want gzip of at most %d", path, r.Header.Get("Content-Encoding"), r.ContentLength, most)
		}
	}
}

func (w *world) onlyTheWidgetIsFramed() {
	w.t.Helper()
	if r := w.fetch("/board/1"); r.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" || r.Header.Get("X-Frame-Options") != "DENY" {
		w.t.Errorf("a page that is nobody else's: %v", r.Header)
	}
	r := w.fetch("/widget/" + w.demo.WidgetKey)
	policy := r.Header.Get("Content-Security-Policy")
	if r.StatusCode != 200 || r.Header.Get("X-Frame-Options") != "" || !strings.Contains(policy, "frame-ancestors http://127.0.0.1:* http://localhost:* "+w.node.URL()) {
		w.t.Errorf("the page for a frame: %d %q", r.StatusCode, policy)
	}
	if r := w.fetch("/widget/ns_wid_nobody"); r.StatusCode != 404 || !strings.Contains(r.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		w.t.Errorf("no site: %d", r.StatusCode)
	}
	if r := w.fetch("/widget-demo"); r.StatusCode != 200 {
		w.t.Errorf("the demonstration's page: %d", r.StatusCode)
	}
}
