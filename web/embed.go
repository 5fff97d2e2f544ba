// Package web holds the pages: the lobby board and the clerk console. They are
// built from src by "npm run build" into dist, which is embedded here and not
// committed; a binary built without that step has no pages.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS holds the built pages at its root ("board.html", "console.html") and the
// files that they refer to under "assets", whose names carry a content hash.
func FS() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil { // unreachable: the directory is embedded
		panic(err)
	}
	return sub
}
