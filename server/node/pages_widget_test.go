package node

import (
	"io"
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
	get := func(path string, headers ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequest("GET", w.node.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.ContentLength, err = io.Copy(io.Discard, resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	for _, path := range []string{"/widget.js", "/clients/widget.1.2.min.js", "/widget-app.js?language=de", "/widget-app.js?language=../../x"} {
		r := get(path, "Origin", "https://shop.example")
		for header, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "no-cache",
			"Content-Type": "text/javascript; charset=utf-8",
		} {
			if got := r.Header.Get(header); r.StatusCode != 200 || got != want {
				t.Errorf("%s: %d, %s %q, want %q", path, r.StatusCode, header, got, want)
			}
		}
		if again := get(path, "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s asked for again: %d, want 304", path, again.StatusCode)
		}
	}
	for path, most := range map[string]int64{"/widget.js": 4 << 10, "/" + currentApp(web.FS(), "en"): 25 << 10} {
		r := get(path, "Accept-Encoding", "gzip")
		if r.Header.Get("Content-Encoding") != "gzip" || r.ContentLength < 1 || r.ContentLength > most {
			t.Errorf("%s: %q of %d bytes, want gzip of at most %d", path, r.Header.Get("Content-Encoding"), r.ContentLength, most)
		}
	}
	app := "/" + currentApp(web.FS(), "ar")
	if r := get(app); r.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || r.Header.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %v", app, r.Header)
	}
	if r := get("/board/1"); r.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" || r.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("a page that is nobody else's: %v", r.Header)
	}
	r := get("/widget/" + w.demo.WidgetKey)
	policy := r.Header.Get("Content-Security-Policy")
	if r.StatusCode != 200 || r.Header.Get("X-Frame-Options") != "" || !strings.Contains(policy, "frame-ancestors http://127.0.0.1:* http://localhost:* "+w.node.URL()) {
		t.Errorf("the page for a frame: %d %q", r.StatusCode, policy)
	}
	if r := get("/widget/ns_wid_nobody"); r.StatusCode != 404 || !strings.Contains(r.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("no site: %d", r.StatusCode)
	}
	if r := get("/widget-demo"); r.StatusCode != 200 {
		t.Errorf("the demonstration's page: %d", r.StatusCode)
	}
}
