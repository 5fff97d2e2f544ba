package queueapi

import "testing"

func TestFirstCalls(t *testing.T) {
	r := newRig(t)
	out := r.want(201, req{method: "POST", path: "/tickets", v2: true, body: `{"lineId":"1","firstName":"Ida","phoneNumber":46701234567}`})
	t.Logf("%s", out.body)
	id := out.json["id"].(string)
	t.Logf("%s", r.form("/v1/tickets/"+id+"/call", "user=2&desk=1").body)
	t.Logf("%s", r.form("/v1/tickets/"+id+"/recall", "").body)
	t.Logf("%s", r.form("/v1/tickets/"+id+"/markserved", "").body)
	t.Logf("%s", r.get("/v1/tickets/"+id+"?responseScope=MESSAGES,INTERACTIONS,CONNECTED_TICKETS").body)
	t.Logf("%s", r.get("/v1/tickets/search?status=SERVED&order=created+DESC").body)
	t.Logf("%s", r.get("/v1/tickets/count").body)
	t.Logf("%s", r.form("/v1/tickets/"+id+"/messages", "message=hello&user=2").body)
	t.Logf("%s", r.get("/v1/tickets/"+id+"/messages/").body)
	t.Logf("%s", r.send(req{method: "GET", path: "/v1/nothing"}).body)
	t.Logf("%s", r.send(req{method: "PATCH", path: "/v1/tickets/1"}).body)
	t.Logf("%s", r.send(req{method: "POST", path: "/v1/tickets/1/cancel"}).body)
	t.Logf("%s", r.send(req{method: "POST", path: "/v1/tickets/1/cancel", key: "none"}).body)
}
