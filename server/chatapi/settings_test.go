package chatapi

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox"
)

// What an administrator saves holds at once, and never over somebody else's change.
func TestDepartmentSettings(t *testing.T) {
	r := newRig(t)
	s, version, err := r.api.DepartmentSettings(1)
	if err != nil || len(s.Tags) != 3 || s.Tags[0].ParentTags == nil {
		t.Fatalf("%+v %v", s, err)
	}
	s.Tags = append(s.Tags, Tag{Name: " Refund ", Color: "#1c6ea4", ParentTags: []string{"VIP"}})
	s.Idle = map[string]Span{"SMS": Span(24 * time.Hour)}
	next, err := r.api.PutDepartmentSettings(context.Background(), 1, version, s)
	if err != nil || next == version {
		t.Fatalf("%q %v", next, err)
	}
	if got := r.get("tenants/gettags").at(3, "name"); got != "Refund" {
		t.Errorf("the new tag is %v", got)
	}
	r.post("tickets/create", map[string]any{"tags": []string{"refund"}, "participants": []any{map[string]any{"protocolType": "Web", "identifier": "x"}}})
	_, err = r.api.PutDepartmentSettings(context.Background(), 1, version, s)
	if wire.CodeOf(err) != wire.Conflict || wire.AsError(err).Field != "version" {
		t.Errorf("an old version was taken: %v", err)
	}
	if again, v, err := r.api.DepartmentSettings(1); err != nil || v != next || time.Duration(again.Idle["SMS"]) != 24*time.Hour {
		t.Errorf("%+v %q %v", again, v, err)
	}
	if _, _, err := r.api.DepartmentSettings(9); wire.CodeOf(err) != wire.NotFound {
		t.Errorf("location 9: %v", err)
	}
}

func TestBadSettings(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 5000)
	for _, c := range []struct{ body, field string }{
		{`{"tags":[{"name":""}]}`, "tags[0].name"},
		{`{"tags":[{"name":"a"},{"name":"A"}]}`, "tags[1].name"},
		{`{"tags":[{"name":"a\nb"}]}`, "tags[0].name"},
		{`{"tags":[{"name":"a","color":"red"}]}`, "tags[0].color"},
		{`{"tags":[{"name":"a","parentTags":["b"]}]}`, "tags"},
		{`{"surveys":[{"id":0,"title":"x","questions":[{"id":1,"title":"y","type":"Text"}]}]}`, "surveys[0].id"},
		{`{"surveys":[{"id":1,"title":"x","questions":[]}]}`, "surveys[0].questions"},
		{`{"surveys":[{"id":1,"title":"x","questions":[{"id":1,"title":"y","type":"Stars"}]}]}`, "surveys[0].questions[0].type"},
		{`{"surveys":[{"id":1,"title":"x","questions":[{"id":1,"title":"","type":"Text"}]}]}`, "surveys[0].questions[0].title"},
		{`{"templates":[{"id":1,"title":"x","fields":[{"type":"Text","name":""}]}]}`, "templates[0].fields"},
		{`{"templates":[{"id":1,"title":"x"},{"id":1,"title":"y"}]}`, "templates[1].id"},
		{`{"senders":[{"protocol":"Pigeon","from":"1"}]}`, "senders[0].protocol"},
		{`{"senders":[{"protocol":"SMS","from":"12"}]}`, "senders[0].from"},
		{`{"senders":[{"protocol":"SMS","from":"+972526264195"},{"protocol":"SMS","from":"972526264195"}]}`, "senders[1].from"},
		{`{"texts":{"byeBye":"` + long + `"}}`, "texts.byeBye"},
		{`{"idle":{"Pigeon":"1h"}}`, "idle"},
		{`{"idle":{"SMS":"-1h"}}`, "idle.SMS"}, {`{"idle":{"":"-1h"}}`, "idle"},
		{`{"alert":"9999h"}`, "alert"},
	} {
		var s Settings
		if err := json.Unmarshal([]byte(c.body), &s); err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		_, err := r.api.PutDepartmentSettings(context.Background(), 1, "", s)
		if e := wire.AsError(err); err == nil || e.Code != wire.BadRequest || e.Field != c.field {
			t.Errorf("%s: %v of field %q, want %q", c.body, err, e.Field, c.field)
		}
	}
	var s Span
	if err := json.Unmarshal([]byte(`"soon"`), &s); wire.CodeOf(err) != wire.BadRequest {
		t.Errorf("a span called soon: %v", err)
	}
}

func TestCannedRepliesOfAdministrators(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	one, err := r.api.PutCannedReply(ctx, 1, CannedReply{Title: "Hi", HTML: `<p onclick="x()">Hello</p>`, AutoTags: []string{"vip"}})
	if err != nil || one.ID != 1 || one.Text != "Hello" || one.HTML != "<p>Hello</p>" || one.AutoTags[0] != "VIP" {
		t.Fatalf("%+v %v", one, err)
	}
	one.Text = "Good morning"
	if one, err = r.api.PutCannedReply(ctx, 1, one); err != nil {
		t.Fatal(err)
	}
	if got := r.get("cannedreplies/getall"); len(got.json.([]any)) != 1 || got.at(0, "text") != "Good morning" {
		t.Errorf("%s", got.body)
	}
	if _, err := r.api.PutCannedReply(ctx, 1, CannedReply{ID: 7, Title: "x", Text: "y"}); wire.CodeOf(err) != wire.NotFound {
		t.Errorf("reply 7: %v", err)
	}
	if list, err := r.api.CannedReplies(2); err != nil || len(list) != 0 {
		t.Errorf("the other department has %v %v", list, err)
	}
	if err := r.api.DeleteCannedReply(ctx, 2, one.ID); wire.CodeOf(err) != wire.NotFound {
		t.Errorf("deleted in the other department: %v", err)
	}
	if err := r.api.DeleteCannedReply(ctx, 1, one.ID); err != nil {
		t.Error(err)
	}
}

func TestWebhooksOfAdministrators(t *testing.T) {
	var secrets []string
	r := newRig(t, func(d *Deps) {
		d.Hooks = d.Events.(*outbox.Outbox)
		d.Secrets = func(string) ([]string, error) { return secrets, nil }
	})
	ctx := context.Background()
	hook := Webhook{Name: "CRM", URL: "https://hooks.example.com/hook", Events: []string{"new_message", "NEW_MESSAGE"}}
	if _, err := r.api.AddWebhook(ctx, 1, hook, "user:1"); wire.CodeOf(err) != wire.Conflict {
		t.Errorf("without a secret: %v", err)
	}
	secrets = []string{"s"}
	made, err := r.api.AddWebhook(ctx, 1, hook, "user:1")
	if err != nil || len(made.Events) != 1 || made.Events[0] != "NEW_MESSAGE" {
		t.Fatalf("%+v %v", made, err)
	}
	for field, bad := range map[string]Webhook{
		"name": {URL: hook.URL}, "url": {Name: "x", URL: "nowhere"}, "events": {Name: "x", URL: hook.URL, Events: []string{"NEW_CAR"}},
		"headers": {Name: "x", URL: hook.URL, Headers: map[string]string{"Host": "x"}},
	} {
		if _, err := r.api.AddWebhook(ctx, 1, bad, "user:1"); wire.AsError(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	mine, err := r.api.Webhooks(1)
	if err != nil || len(mine) != 2 { // and the polling
		t.Fatalf("%+v %v", mine, err)
	}
	if err := r.api.RemoveWebhook(ctx, 2, made.ID); wire.CodeOf(err) != wire.NotFound {
		t.Errorf("removed by another department: %v", err)
	}
	if err := r.api.RemoveWebhook(ctx, 1, made.ID); err != nil {
		t.Error(err)
	}
}
