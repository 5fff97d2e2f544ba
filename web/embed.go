// Package web holds the pages and the chat widget. They are built from src by
// "npm run build" into dist, which is embedded here and not committed; a binary
// built without that step has no pages.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS holds the built pages at its root ("board.html", "console.html") and the
// files that they refer to under "assets", whose names carry a content hash.
// Scripts and style sheets are there only in their compressed form, with ".gz"
// after their name: that is how they travel.
func FS() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil { // unreachable: the directory is embedded
		panic(err)
	}
	return sub
}
