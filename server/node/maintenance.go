package node

import (
	"net/http"
	"time"

	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/maintenance"
	"github.com/nowserving/nowserving/server/ops"
)

// operator lets administrators of everything pass, and nobody else: a backup
// holds all there is. One at a time, because each reads or writes all data.
func (n *Node) operator(do func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	turn := make(chan struct{}, 1)
	return func(w http.ResponseWriter, r *http.Request) {
		id, found, err := n.auth.Bearer(r)
		if err == nil && !found {
			id = auth.Identity{} // a cookie is not enough: no page asks for this
		}
		if err == nil {
			err = n.access.Admin(id, 0)
		}
		if err != nil {
			n.fail(w, r, err)
			return
		}
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-r.Context().Done():
			return
		}
		// It takes as long as it takes.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		if err := do(w, r); err != nil {
			n.o.Log.Error().Err(err).Str("path", r.URL.Path).Msg("maintenance failed")
			// The status is sent already: only a broken transfer tells that it failed.
			panic(http.ErrAbortHandler)
		}
	}
}

// backup streams a backup of the running node.
func (n *Node) backup(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set("Content-Disposition", `attachment; filename="nowserving-backup.tar"`)
	w.Header().Set("Cache-Control", "no-store")
	return maintenance.Write(r.Context(), w, n.store, n.o.Data, n.o.Clock())
}

// collect makes erased bytes leave the disk.
func (n *Node) collect(w http.ResponseWriter, r *http.Request) error {
	if err := n.store.Collect(); err != nil {
		n.fail(w, r, err)
		return nil
	}
	ops.WriteJSON(w, http.StatusOK, struct{}{})
	return nil
}
