package node

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/wire"
)

const (
	// forEver is for a name that carries its content's hash: what is under it never changes.
	forEver = "public, max-age=31536000, immutable"
	// askAgain is for a name that never changes: it is asked for each time, and answered
	// with 304 as long as it is the same.
	askAgain = "no-cache"
)

// assets are the scripts and style sheets of the pages and of the chat widget, by
// the path that they are built to. A path is looked up here and opens no file, so
// there is nothing to climb out of.
type assets map[string]*asset

// asset is one of them, in the form that the build compressed.
type asset struct {
	kind   string
	tag    string
	packed []byte
	// plain unpacks it for those few that do not take gzip; once, since it is kept.
	plain func() ([]byte, error)
}

// loadAssets reads what the build left.
func loadAssets(files fs.FS) assets {
	all := assets{}
	for _, pattern := range []string{"assets/*.gz", "widget.js.gz"} {
		names, err := fs.Glob(files, pattern)
		if err != nil { // unreachable: the pattern is ours
			panic(err)
		}
		for _, name := range names {
			packed, err := fs.ReadFile(files, name)
			if err != nil { // unreachable: the file is embedded
				panic(err)
			}
			name = strings.TrimSuffix(name, ".gz")
			all[name] = newAsset(name, packed)
		}
	}
	return all
}

func newAsset(name string, packed []byte) *asset {
	kind := "text/javascript; charset=utf-8"
	if path.Ext(name) == ".css" {
		kind = "text/css; charset=utf-8"
	}
	sum := sha256.Sum256(packed)
	return &asset{kind: kind, tag: hex.EncodeToString(sum[:12]), packed: packed, plain: sync.OnceValues(func() ([]byte, error) {
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	})}
}

// assetFiles serves the files whose names carry a hash.
func (n *Node) assetFiles(r *httprouter.Router, built assets) {
	getAndHead(r, "/assets/*file", func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		a := built["assets"+p.ByName("file")]
		if a == nil {
			n.fail(w, r, wire.Errorf(wire.NotFound, "there is no such file"))
			return
		}
		if isWidgetAsset(r.URL.Path) {
			forAnySite(w.Header())
		}
		n.serveAsset(w, r, a, forEver)
	})
}

// getAndHead serves a file to whoever wants it, or only to know of it.
func getAndHead(r *httprouter.Router, path string, h httprouter.Handle) {
	r.GET(path, h)
	r.HEAD(path, h)
}

// serveAsset sends one form of an asset. Each has a tag of its own, so that no
// cache takes a part of the one for a part of the other.
func (n *Node) serveAsset(w http.ResponseWriter, r *http.Request, a *asset, caching string) {
	h := w.Header()
	body, tag := a.packed, a.tag+"-gzip"
	if takesGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
	} else {
		var err error
		if body, err = a.plain(); err != nil { // unreachable: the build packed it
			n.fail(w, r, err)
			return
		}
		tag = a.tag
	}
	h.Set("Cache-Control", caching)
	h.Set("Content-Type", a.kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// takesGzip says whether somebody's Accept-Encoding takes gzip, by its name or
// with all there is; its name counts more. What we cannot read takes nothing,
// because what is not packed can be read by anybody.
func takesGzip(h http.Header) bool {
	takes, named := false, false
	for one := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, params, bad := mime.ParseMediaType(one)
		if coding != "gzip" && (coding != "*" || named) {
			continue
		}
		named = coding == "gzip"
		q, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		takes = bad == nil && err == nil && q > 0
	}
	return takes
}
