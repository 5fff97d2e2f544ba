package node

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/web"
)

// Scripts and style sheets are embedded compressed: whoever takes them so gets
// them so, everybody else gets what was built.
func TestAssets(t *testing.T) {
	packed, err := fs.Glob(web.FS(), "assets/*.gz")
	if err != nil || len(packed) == 0 {
		t.Skip("the pages are not built: npm run build")
	}
	w := start(t, options(t, t.TempDir()))
	w.http.Transport.(*http.Transport).DisableCompression = true // nothing asked for, nothing unpacked behind our back
	for _, name := range packed {
		address := "/" + strings.TrimSuffix(name, ".gz")
		w.bothFormsAreOne(address)
		w.formsAreNotMixed(address)
	}
	one := "/" + strings.TrimSuffix(packed[0], ".gz")
	w.encodingIsAskedFor(one)
	for _, address := range []string{one, "/widget.js", "/clients/widget.1.2.min.js", "/widget-app.js?language=de"} {
		w.headIsWithoutBody(address)
		w.partsAreOfTheirForm(address)
	}
	w.onlyAssetsAreFound(packed[0])
}

// asset asks for a file, in the form that encoding says; "" says nothing.
func (w *world) asset(method, address, encoding string, headers ...string) (*http.Response, []byte) {
	w.t.Helper()
	return w.exchange(method, address, nil, append([]string{"Accept-Encoding", encoding}, headers...)...)
}

func (w *world) bothFormsAreOne(address string) {
	w.t.Helper()
	kind := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}[path.Ext(address)]
	packed, small := w.asset("GET", address, "gzip")
	plain, full := w.asset("GET", address, "")
	for encoding, r := range map[string]*http.Response{"gzip": packed, "": plain} {
		for header, want := range map[string]string{
			"Content-Encoding": encoding, "Content-Type": kind, "Vary": "Accept-Encoding", "Cache-Control": "public, max-age=31536000, immutable",
		} {
			if got := r.Header.Get(header); r.StatusCode != http.StatusOK || got != want {
				w.t.Errorf("%s as %q: %d, %s %q, want %q", address, encoding, r.StatusCode, header, got, want)
			}
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(small))
	if err != nil {
		w.t.Fatalf("%s: %v", address, err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, full) {
		w.t.Errorf("%s: %d bytes unpack to %d (%v), not to the %d that others get", address, len(small), len(unpacked), err, len(full))
	}
	sum := sha256.Sum256(full)
	if hash := hex.EncodeToString(sum[:6]); !strings.Contains(address, "-"+hash+".") {
		w.t.Errorf("%s has the hash %s", address, hash)
	}
}

// A cache asks with the tag that it has, and must not be told that it has the other form.
func (w *world) formsAreNotMixed(address string) {
	w.t.Helper()
	packed, _ := w.asset("HEAD", address, "gzip")
	plain, _ := w.asset("HEAD", address, "")
	for _, c := range []struct {
		encoding string
		tag      string
		want     int
	}{
		{"gzip", packed.Header.Get("ETag"), http.StatusNotModified},
		{"gzip", "W/" + packed.Header.Get("ETag"), http.StatusNotModified},
		{"gzip", plain.Header.Get("ETag"), http.StatusOK},
		{"", plain.Header.Get("ETag"), http.StatusNotModified},
		{"", packed.Header.Get("ETag"), http.StatusOK},
	} {
		r, body := w.asset("GET", address, c.encoding, "If-None-Match", c.tag)
		if r.StatusCode != c.want || r.Header.Get("Vary") != "Accept-Encoding" || r.Header.Get("ETag") == "" || (len(body) == 0) != (c.want == http.StatusNotModified) {
			w.t.Errorf("%s as %q with %s: %d of %d bytes, %v, want %d", address, c.encoding, c.tag, r.StatusCode, len(body), r.Header, c.want)
		}
	}
}

func (w *world) encodingIsAskedFor(address string) {
	w.t.Helper()
	for asked, want := range map[string]string{
		"": "", "gzip": "gzip", "GZIP": "gzip", "gzip, deflate, br, zstd": "gzip", "br;q=1.0, gzip;q=0.5": "gzip", "gzip ; q=0.001": "gzip",
		"*": "gzip", "*;q=0.1": "gzip", "*;q=0, gzip": "gzip", "gzip, *;q=0": "gzip",
		"gzip;q=0": "", "gzip; q=0.000": "", "gzip;Q=0, deflate": "", "gzip;q=0, *": "", "*, gzip;q=0": "", "*;q=0": "",
		"identity": "", "deflate, br": "", "gzipped": "", "not-gzip": "", "gzip;q=": "", "gzip;q": "", "gzip;q=much": "", "gzip;q=-1": "", ",;=,": "",
	} {
		if r, _ := w.asset("GET", address, asked); r.StatusCode != http.StatusOK || r.Header.Get("Content-Encoding") != want {
			w.t.Errorf("Accept-Encoding %q: %d, %q, want %q", asked, r.StatusCode, r.Header.Get("Content-Encoding"), want)
		}
	}
}

func (w *world) headIsWithoutBody(address string) {
	w.t.Helper()
	for _, encoding := range []string{"gzip", ""} {
		got, _ := w.asset("GET", address, encoding)
		head, body := w.asset("HEAD", address, encoding)
		if head.StatusCode != http.StatusOK || len(body) > 0 {
			w.t.Errorf("HEAD %s as %q: %d with %d bytes", address, encoding, head.StatusCode, len(body))
		}
		for _, header := range []string{"Content-Type", "Content-Encoding", "Cache-Control", "ETag", "Vary", "Access-Control-Allow-Origin", "Cross-Origin-Resource-Policy"} {
			if head.Header.Get(header) != got.Header.Get(header) {
				w.t.Errorf("HEAD %s as %q: %s %q, of GET %q", address, encoding, header, head.Header.Get(header), got.Header.Get(header))
			}
		}
	}
}

// Whoever asks for a part gets it of the form that they take, or all of it.
func (w *world) partsAreOfTheirForm(address string) {
	w.t.Helper()
	other := map[string]string{"gzip": "", "": "gzip"}
	for encoding := range other {
		_, all := w.asset("GET", address, encoding)
		part, body := w.asset("GET", address, encoding, "Range", "bytes=5-104")
		if part.StatusCode != http.StatusPartialContent || part.Header.Get("Content-Encoding") != encoding || !bytes.Equal(body, all[5:105]) {
			w.t.Errorf("a part of %s as %q: %d, %q, %d bytes", address, encoding, part.StatusCode, part.Header.Get("Content-Encoding"), len(body))
		}
		mine, _ := w.asset("HEAD", address, other[encoding])
		if r, body := w.asset("GET", address, encoding, "Range", "bytes=5-104", "If-Range", mine.Header.Get("ETag")); r.StatusCode != http.StatusOK || !bytes.Equal(body, all) {
			w.t.Errorf("the rest of the other form of %s as %q: %d, %d bytes", address, encoding, r.StatusCode, len(body))
		}
		r, _ := w.asset("GET", address, encoding, "Range", "bytes=99999999-")
		if r.StatusCode != http.StatusRequestedRangeNotSatisfiable || r.Header.Get("Content-Encoding") != "" || r.Header.Get("Cache-Control") != "" {
			w.t.Errorf("a part behind the end of %s as %q: %d %v", address, encoding, r.StatusCode, r.Header)
		}
	}
}

// What is not there must not be remembered for ever: another node may have it already.
func (w *world) onlyAssetsAreFound(packed string) {
	w.t.Helper()
	name := strings.TrimSuffix(packed, ".gz")
	for _, address := range []string{
		"/" + packed, "/" + name + "/", "/" + name + "%00", "/assets/" + strings.ToUpper(path.Base(name)), "/assets/" + name, "/assets//" + path.Base(name),
		"/assets/", "/assets/.", "/assets/..", "/assets/none-000000000000.js", "/assets/none-000000000000.css", "/assets/widget-none.js", "/assets/widget-none.css",
		"/assets/widget.js", "/assets/../widget.js", "/assets/..%2fwidget.js", "/assets/%2e%2e/widget.js.gz", "/assets/../board.html", "/assets/..\\board.html",
		"/assets/../../../etc/passwd", "/assets/%2fetc%2fpasswd", "/assets/*.gz", "/assets/" + strings.Repeat("a", 4000) + ".js",
	} {
		for _, encoding := range []string{"gzip", ""} {
			r, body := w.asset("GET", address, encoding)
			if r.StatusCode != http.StatusNotFound || !bytes.Contains(body, []byte(`"not_found"`)) || strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
				w.t.Errorf("%.60s as %q: %d %v %.60s", address, encoding, r.StatusCode, r.Header, body)
			}
		}
	}
}
