package ops

import (
	"net/http"
	"slices"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/wire"
)

// Check is one thing that must be so for the node to take requests.
type Check struct {
	// Reason is what /readyz says when it is not so: a word, no internal text.
	Reason string
	// Ready is nil when it is so. Its text goes to the log only.
	Ready func() error
}

// Healthz answers that the process lives: 200 as long as it can answer at all.
func Healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// Readyz answers whether the node takes requests now, or 503 with the reasons.
func Readyz(checks ...Check) http.Handler {
	checks = slices.Clone(checks)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		var reasons []string
		for _, c := range checks {
			if err := c.Ready(); err != nil {
				zerolog.Ctx(r.Context()).Debug().Err(err).Str("reason", c.Reason).Msg("not ready")
				reasons = append(reasons, c.Reason)
			}
		}
		if len(reasons) == 0 {
			WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
			return
		}
		WriteJSON(w, http.StatusServiceUnavailable, struct {
			Error   *wire.Error `json:"error"`
			Reasons []string    `json:"reasons"`
		}{wire.Errorf(wire.Unavailable, "not ready"), reasons})
	})
}
