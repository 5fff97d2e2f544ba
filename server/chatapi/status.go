package chatapi

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/store"
)

// statuses are those of a user, with the number that each has in this API.
func statuses() ([]string, map[string]int) {
	return []string{"Online", "Break", "Break2", "Break3", "Break4", "Break5", "Offline"},
		map[string]int{"Offline": 1, "Break": 2, "Break2": 3, "Break3": 4, "Break4": 5, "Break5": 6, "Online": 10}
}

func statusDocs(user int) string { return "chat.status:" + strconv.Itoa(user) }

// change of a user's status, as it is kept.
type statusChange struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

// setStatus is PUT /users/setstatus.
func setStatus(c *call) (any, error) {
	var in struct{ NextStatus string }
	c.decode(&in)
	all, _ := statuses()
	if c.err == nil && in.NextStatus == "" {
		c.wrong(wire.FieldError("nextStatus", "nextStatus is missing"))
	}
	next, err := word("nextStatus", in.NextStatus, all...)
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	if c.profile(c.id.User).Status == next {
		return success(), nil
	}
	now := c.Clock().UTC()
	log, err := jsonDoc(statusDocs(c.id.User), fmt.Sprintf("%020d", now.UnixNano()), statusChange{next, now})
	if err != nil {
		return nil, err
	}
	if err := c.changeProfile(c.r.Context(), c.id.User, func(p *Profile) { p.Status = next }, log); err != nil {
		return nil, err
	}
	return success(), c.tellStatus(next)
}

func (c *call) tellStatus(status string) error {
	u := c.findUser(func(u *ticket.User) bool { return u.ID == c.id.User })
	if c.Events == nil || u == nil {
		return nil
	}
	body, err := json.Marshal(struct {
		Event  string `json:"_event"`
		ID     string `json:"userId"`
		Name   string `json:"userName"`
		Status string `json:"userStatus"`
		Quiet  bool   `json:"doNotDisturb"`
		Unique string `json:"uniqueArgument"`
	}{"USER_STATUS_CHANGE", u.GUID, u.Email, status, false, c.profile(u.ID).UniqueArgument})
	if err != nil {
		return err
	}
	return c.Events.Post(c.r.Context(), c.guid, outbox.ChatEvent{Name: "USER_STATUS_CHANGE", Change: body})
}

// getStatus is GET /users/getstatus.
func getStatus(c *call) (any, error) {
	status := c.profile(c.id.User).Status
	_, codes := statuses()
	return struct {
		Status string `json:"Status"`
		Code   int    `json:"_Status"`
	}{status, codes[status]}, nil
}

// logJSON is what somebody did on one day.
type logJSON struct {
	Date    string          `json:"date"`
	Online  string          `json:"totalOnlineTime"`
	Break   string          `json:"totalBreakTime"`
	Break2  string          `json:"totalBreak2Time"`
	Break3  string          `json:"totalBreak3Time"`
	Break4  string          `json:"totalBreak4Time"`
	Break5  string          `json:"totalBreak5Time"`
	Offline string          `json:"totalOfflineTime"`
	Logs    []statusLogJSON `json:"statusLogs"`
}

type statusLogJSON struct {
	DateTime string `json:"dateTime"`
	Next     string `json:"nextStatus"`
	Quiet    bool   `json:"doNotDisturb"`
}

const maxLogDays = 93

// statusLogs is GET /users/statuslogs: both days belong to it.
func statusLogs(c *call) (any, error) {
	since, ok := parseDate(c.needed("since"))
	if !ok {
		c.wrong(wire.FieldError("since", "since is a date as dd/MM/yyyy"))
	}
	until, ok := parseDate(c.needed("until"))
	if !ok {
		c.wrong(wire.FieldError("until", "until is a date as dd/MM/yyyy"))
	}
	if c.err == nil && (until.Before(since) || until.Sub(since) > maxLogDays*24*time.Hour) {
		c.wrong(wire.FieldError("until", "until is at or after since, by %d days at most", maxLogDays))
	}
	only := ""
	if v := c.text("userId"); v != "" {
		if only, ok = parseGUID(v); !ok {
			c.wrong(wire.FieldError("userId", "userId is not a GUID"))
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	type userLogs struct {
		ID    string    `json:"userId"`
		Name  string    `json:"userName"`
		Dates []logJSON `json:"dates"`
	}
	out := []userLogs{}
	var users []*ticket.User
	c.Ledger.View(c.loc, func(s *ticket.State) { users = s.SortedUsers() })
	for _, u := range users {
		if only != "" && !strings.EqualFold(u.GUID, only) {
			continue
		}
		dates, err := c.logsOf(u.ID, since, until)
		if err != nil {
			return nil, err
		}
		out = append(out, userLogs{u.GUID, u.Email, dates})
	}
	if only != "" && len(out) == 0 {
		return nil, wire.Errorf(wire.NotFound, "userId names no user of the department")
	}
	return out, nil
}

// logsOf adds up what a user did on each day.
func (c *call) logsOf(user int, since, until time.Time) ([]logJSON, error) {
	var changes []statusChange
	for d, err := range c.Ledger.Docs(statusDocs(user)) {
		if err != nil {
			return nil, fmt.Errorf("read status log: %w", err)
		}
		changes = append(changes, statusChange{})
		if err := decodeDoc(d, &changes[len(changes)-1]); err != nil {
			return nil, err
		}
	}
	status, i := "Offline", 0
	for ; i < len(changes) && changes[i].At.Before(since); i++ {
		status = changes[i].Status
	}
	out := []logJSON{}
	now := c.Clock().UTC()
	for day := since; !day.After(until) && !day.After(now); day = day.AddDate(0, 0, 1) {
		total, at := map[string]time.Duration{}, day
		l := logJSON{Date: day.Format("2006-01-02T15:04:05"), Logs: []statusLogJSON{}}
		end := day.AddDate(0, 0, 1)
		if end.After(now) {
			end = now
		}
		for ; i < len(changes) && changes[i].At.Before(end); i++ {
			total[status] += changes[i].At.Sub(at)
			status, at = changes[i].Status, changes[i].At
			l.Logs = append(l.Logs, statusLogJSON{zoned(at), status, false})
		}
		total[status] += end.Sub(at)
		for _, t := range []struct {
			to     *string
			status string
		}{
			{&l.Online, "Online"}, {&l.Break, "Break"}, {&l.Break2, "Break2"}, {&l.Break3, "Break3"}, {&l.Break4, "Break4"},
			{&l.Break5, "Break5"}, {&l.Offline, "Offline"},
		} {
			*t.to = ticket.ChatSpan(total[t.status])
		}
		out = append(out, l)
	}
	return out, nil
}

func decodeDoc(d store.Doc, to any) error {
	if err := json.Unmarshal(d.Value, to); err != nil {
		return fmt.Errorf("read document of kind %s: %w", d.Kind, err)
	}
	return nil
}
