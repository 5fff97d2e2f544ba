package node

import (
	"fmt"

	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/store"
)

// people gives the demonstration a website that shows the widget, also on pages
// that somebody tries it on from this machine, and lets numbers be taken from afar.
// A kiosk asks nothing: there a ticket is two taps away.
func (m *demoMaker) people(d *Demo) []store.Doc {
	d.WidgetKey = hubapi.NewSiteKey()
	site, err := hubapi.SiteDoc(hubapi.Site{
		Key: d.WidgetKey, Location: d.Location, Name: "City Hall", Title: "City Hall", Color: "#1C7ED6", Position: "right",
		Origins: []string{"http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"}, Attachments: true,
	})
	if err == nil {
		var visitors store.Doc
		visitors, err = hubapi.VisitorsDoc(d.Location, hubapi.Visitors{
			Remote: true, Fields: []string{"firstName", "phoneNumber"}, KioskFields: []string{}, Print: true,
		})
		if err == nil {
			return []store.Doc{site, visitors}
		}
	}
	m.err = fmt.Errorf("make the demo: %w", err)
	return nil
}
