package node

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/nowserving/nowserving/store"
)

// replies are texts that the demonstration's clerks answer with. They are the
// documents of the conversation API's canned replies; see server/chatapi.
func (m *demoMaker) replies(d *Demo) {
	for i, r := range [][2]string{
		{"Hello", "Hello, how can we help you?"},
		{"One moment", "One moment, please. I am looking into it."},
		{"Documents", "Please bring your passport or identity card, and one photo."},
		{"Opening hours", "We are open Monday to Friday from 9 to 17."},
		{"Goodbye", "Thank you for your message. Have a nice day!"},
	} {
		if m.err != nil {
			return
		}
		value, err := json.Marshal(map[string]any{
			"id": i + 1, "title": r[0], "text": r[1], "html": "", "rank": 10 - i, "autoTags": []string{}, "categoryName": "General",
			"culture": "en-US", "isPublished": true, "isIncludedInAgentSuggestions": true, "attachments": []string{},
		})
		if err == nil {
			err = m.ledger.PutDocs(m.ctx, store.Doc{
				Kind: "chat.reply:" + strconv.Itoa(d.Location), Key: fmt.Sprintf("%010d", i+1), Value: value,
			})
		}
		if err != nil {
			m.err = fmt.Errorf("make the demo: canned replies: %w", err)
		}
	}
}
