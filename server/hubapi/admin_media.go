package hubapi

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

const (
	// MaxMedium is what an image or a video may have: a minute of video at a
	// lobby screen's resolution. It is written to disk as it comes.
	MaxMedium = 50 << 20
	// mediumTime is what the upload of one may take: 50 MiB at 2 Mbit/s.
	mediumTime = 4 * time.Minute
)

// IsUpload says whether a request is an upload for the media zone, which may be
// larger than anything else that comes in at this door.
func IsUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/hub/v1/locations/") && strings.HasSuffix(r.URL.Path, "/media")
}

func (a *API) registerMedia(r *httprouter.Router) {
	if a.o.Screens == nil {
		return
	}
	const at = "/hub/v1/locations/:location/media"
	r.GET(at, a.admin(inLocation, (*adminCall).media))
	r.POST(at, func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		a.admin(inLocation, func(c *adminCall) (any, error) { return upload(c, w) })(w, r, p)
	})
	r.DELETE(at+"/:id", a.admin(inLocation, (*adminCall).removeMedium))
}

// media is GET media.
func (c *adminCall) media() (any, error) {
	list, err := c.o.Screens.Media.List(c.location)
	if err != nil {
		return nil, err
	}
	used := c.shown()
	for i := range list {
		list[i].Used = slices.Contains(used, list[i].ID)
	}
	return map[string]any{"media": list}, nil
}

// shown are the files that the screens' settings name.
func (c *adminCall) shown() []string {
	var ids []string
	c.view(func(s *ticket.State) {
		for _, m := range s.Location.Settings.Media {
			ids = append(ids, m.ID)
		}
		ids = append(ids, s.Location.Settings.Logo)
	})
	return ids
}

// upload is POST media; the body is the file.
func upload(c *adminCall, w http.ResponseWriter) (any, error) {
	// The limits of ordinary requests would cut a video on a slow line short.
	until := c.o.Admin.Clock().Add(mediumTime)
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(until) // a connection of a test may have none
	_ = rc.SetWriteDeadline(until.Add(mediumTime))
	medium, err := c.o.Screens.Media.Put(c.r.Context(), c.location, c.r.Body)
	if err != nil {
		return nil, err
	}
	c.note("medium " + medium.ID + " add")
	c.status = http.StatusCreated
	return medium, nil
}

// removeMedium is DELETE media/{id}. What is shown stays.
func (c *adminCall) removeMedium() (any, error) {
	id := c.p.ByName("id")
	if slices.Contains(c.shown(), id) {
		return nil, wire.Errorf(wire.Conflict, "the screens show this file; take it out of their settings first")
	}
	if err := c.o.Screens.Media.Remove(c.location, id); err != nil {
		return nil, err
	}
	c.note("medium " + id + " remove")
	return c.media()
}
