package chatapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

const settingsDocs = "chat.department"

// Settings are what a department has in this API. The REST operations only read
// them; see DepartmentSettings and PutDepartmentSettings.
type Settings struct {
	Tags      []Tag      `json:"tags,omitempty"`
	Surveys   []Survey   `json:"surveys,omitempty"`
	Templates []Template `json:"templates,omitempty"`
	// Senders are the department's own numbers and addresses, per channel. One
	// that is not Free cannot send without a ticket.
	Senders []Sender `json:"senders,omitempty"`
	Texts   Texts    `json:"texts,omitzero"`
	// Idle closes an open conversation after so long without a message, by
	// channel; "" is for those that are not named. Absent or 0: never.
	Idle map[string]Span `json:"idle,omitempty"`
	// Alert reminds the customer of a pending conversation, Expire closes it
	// after that; both count opening hours. Snooze is for how long one sleeps.
	Alert  Span `json:"alert,omitempty"`
	Expire Span `json:"expire,omitempty"`
	Snooze Span `json:"snooze,omitempty"`
}

// Texts are what the department says by itself; an empty one is not said.
type Texts struct {
	Introduction string `json:"introduction,omitempty"`
	// Always greets without being asked.
	Always  bool   `json:"always,omitempty"`
	ByeBye  string `json:"byeBye,omitempty"`
	Pending string `json:"pending,omitempty"`
	// Reopened is said when a closed conversation is opened again.
	Reopened string `json:"reopened,omitempty"`
}

// Tag is a word for conversations.
type Tag struct {
	Name       string   `json:"name"`
	Color      string   `json:"color"`
	ParentTags []string `json:"parentTags"`
	IsDeleted  bool     `json:"isDeleted"`
}

// Survey is a list of questions for customers.
type Survey struct {
	ID        int        `json:"id"`
	Title     string     `json:"title"`
	Header    string     `json:"header,omitempty"`
	Questions []Question `json:"questions"`
}

// Question is one of a survey's: Rating is answered 1 to 5, Text in words.
type Question struct {
	ID        int    `json:"id"`
	Title     string `json:"title"`
	Type      string `json:"type"` // Rating or Text
	Mandatory bool   `json:"mandatory,omitempty"`
}

// Template is an interactive document to be filled in.
type Template struct {
	ID     int     `json:"id"`
	Title  string  `json:"title"`
	Fields []Field `json:"fields,omitempty"`
}

// Field is a line of an interactive document.
type Field struct {
	Type  string `json:"type"` // Text, Number, Date or Checkbox
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

// Sender is one of the department's own addresses.
type Sender struct {
	Protocol string `json:"protocol"`
	From     string `json:"from"`
	Free     bool   `json:"free,omitempty"`
}

// Span is a duration in settings, as text: "30m".
type Span time.Duration

// MarshalJSON writes the span as text.
func (s Span) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(s).String()) }

// UnmarshalJSON reads the span from text.
func (s *Span) UnmarshalJSON(b []byte) error {
	var v string
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if v == "" {
		*s = 0
		return nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return wire.FieldError("span", "%s is not a span of time as 30m or 2h", clip(v))
	}
	*s = Span(d)
	return nil
}

// SettingsDoc is a department's settings as they are stored.
func SettingsDoc(department string, s Settings) (store.Doc, error) {
	v, err := json.Marshal(s)
	if err != nil {
		return store.Doc{}, fmt.Errorf("encode settings: %w", err)
	}
	return store.Doc{Kind: settingsDocs, Key: strings.ToLower(department), Value: v}, nil
}

// settings are a department's, empty while nobody has made any.
func (a *API) settings(department string) (Settings, error) {
	var s Settings
	err := a.readDoc(settingsDocs, strings.ToLower(department), &s)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return s, err
}

// SenderOf is a location's first address on a channel, "" when it has none.
func (a *API) SenderOf(location int, channel string) (string, error) {
	department := ""
	a.Ledger.View(location, func(s *ticket.State) {
		if s.Location != nil {
			department = s.Location.GUID
		}
	})
	s, err := a.settings(department)
	if err != nil {
		return "", err
	}
	for _, x := range s.Senders {
		if x.Protocol == channel {
			return x.From, nil
		}
	}
	return "", nil
}

// readDoc reads a document of JSON.
func (a *API) readDoc(kind, key string, to any) error {
	v, err := a.Ledger.Doc(kind, key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(v, to); err != nil {
		return fmt.Errorf("read document of kind %s: %w", kind, err)
	}
	return nil
}

// jsonDoc makes a document of JSON.
func jsonDoc(kind, key string, v any) (store.Doc, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return store.Doc{}, fmt.Errorf("encode document of kind %s: %w", kind, err)
	}
	return store.Doc{Kind: kind, Key: key, Value: b}, nil
}

// tags reads tags that must be among the department's, in its own spelling.
func (c *call) tags(field string, names []string) ([]string, error) {
	return c.tagsOf(c.guid, field, names)
}

func (a *API) tagsOf(department, field string, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	s, err := a.settings(department)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(names))
	for _, name := range names {
		found := ""
		for _, t := range s.Tags {
			if !t.IsDeleted && strings.EqualFold(t.Name, strings.TrimSpace(name)) {
				found = t.Name
			}
		}
		if found == "" {
			return nil, wire.FieldError(field, "%s: the department has no tag %q", field, clip(name))
		}
		out = append(out, found)
	}
	return out, nil
}

// location finds a department; 0 when there is none.
func (a *API) location(department string) int {
	found := 0
	for _, id := range a.Ledger.Locations() {
		a.Ledger.View(id, func(s *ticket.State) {
			if strings.EqualFold(s.Location.GUID, department) {
				found = id
			}
		})
	}
	return found
}
