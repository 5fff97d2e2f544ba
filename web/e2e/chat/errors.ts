// Refusals: each with its status, and words that name what is wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Body, ChatClient } from "./client";
import { ErrorForm, TokenForm } from "./forms";
import { exchange } from "./wire";
import type { Answer } from "./wire";
import { around, chat, checked, clientOf, create, get, mailClient, refused, rig, send } from "./rig";

/** Every operation, as its path; {id} stands for a ticket, {guid} for a contact. */
export const operations = [
  "POST /tickets/create", "GET /tickets/get/{id}", "GET /tickets/list", "POST /tickets/send/{id}", "PUT /tickets/setstate/{id}",
  "PUT /tickets/setfields/{id}", "PUT /tickets/setparticipantname/{id}", "PUT /tickets/setowner/{id}", "PUT /tickets/assignavailableuser/{id}",
  "PUT /tickets/setdepartment/{id}", "POST /tickets/addtags/{id}", "DELETE /tickets/removetag/{id}", "POST /tickets/addnote/{id}",
  "POST /tickets/setsummary/{id}", "DELETE /tickets/scramble/{id}", "POST /tickets/pdf/{id}", "POST /tickets/html/{id}",
  "POST /tickets/generatesurveylink/{id}", "GET /users/allusers", "PUT /users/setstatus", "GET /users/getstatus", "POST /users/add",
  "DELETE /users/delete", "PUT /users/setuniqueargument", "GET /users/getbyuniqueargument", "POST /users/update", "POST /users/setroles",
  "GET /users/statuslogs", "GET /tenants/gettags", "GET /contacts/get/{guid}", "PUT /contacts/setname/{guid}",
  "POST /contacts/addidentifier/{guid}", "PUT /contacts/setuniqueargument/{guid}", "DELETE /contacts/deleteidentifier/{guid}",
  "GET /cannedreplies/getall", "POST /cannedreplies/add", "DELETE /cannedreplies/delete", "POST /interactivedocuments/send/{id}",
  "POST /protocols/send", "POST /phonecalls/started/{id}", "POST /phonecalls/ended/{id}", "POST /phonecalls/audiolink/{id}",
  "POST /files/upload", "GET /webhooks/getevents", "POST /webhooks/deleteevents",
];

/** What makes a call of an operation right but for its id. */
const right: Record<string, { query?: string; body?: unknown }> = {
  "/tickets/send": { body: { text: "x" } }, "/tickets/setstate": { query: "nextState=Open" }, "/tickets/setfields": { body: { field1: "x" } },
  "/tickets/setparticipantname": { body: { id: 1, name: "x" } }, "/tickets/setowner": { query: "nextOwnerUserName=clerk1@demo.example" },
  "/tickets/addtags": { body: ["VIP"] }, "/tickets/removetag": { query: "tag=VIP" }, "/tickets/addnote": { body: { text: "x" } },
  "/tickets/setsummary": { body: { summary: "x" } }, "/tickets/generatesurveylink": { body: { surveyId: 1 } },
  "/contacts/setname": { body: { nextName: "x" } }, "/contacts/addidentifier": { body: { identifierType: "FacebookId", identifier: "x" } },
  "/contacts/setuniqueargument": { body: { nextUniqueArgument: "x" } }, "/contacts/deleteidentifier": { query: "contactIdentifierId=1" },
  "/interactivedocuments/send": { body: { baseTemplateId: 20 } }, "/phonecalls/started": { body: { dateTime: "21/11/2026 10:00:00:00" } },
  "/phonecalls/ended": { body: { dateTime: "21/11/2026 10:00:00:00" } }, "/phonecalls/audiolink": { body: { audioUri: "https://a.example/a.mp3" } },
};

async function call(operation: string, id: string, headers: Record<string, string>): Promise<Answer> {
  const [method = "", path = ""] = operation.split(" ");
  const { query, body } = right[path.replace(/\/\{.*/, "")] ?? {};
  const content = operation.includes("setdepartment") ? JSON.stringify({ departmentId: rig().demo.departmentId2 }) : body === undefined ? undefined : JSON.stringify(body);
  const url = chat().base + path.replace(/\{.*\}/, id) + (query ? `?${query}` : "");
  return exchange(url, { method, headers: { "Content-Type": "application/json", ...headers }, ...(content === undefined ? {} : { body: content }) });
}

function refusal(answer: Answer, status: number, words: RegExp, what: string): void {
  assert.equal(answer.status, status, `${what}: ${answer.status} ${answer.text}`);
  assert.equal(answer.headers["content-type"], "application/json; charset=utf-8", what);
  assert.match(checked(ErrorForm, JSON.parse(answer.text)).message, words, what);
}

test("token: its form, and who gets none", async () => {
  const { chatApiKey: apiKey, chatApiSecret: apiSecret, chatUserName: userName } = rig().demo;
  const ask = (body: Body) => exchange(`${chat().base}/token/get`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const first = checked(TokenForm, JSON.parse((await ask({ apiKey, apiSecret, userName })).text));
  const second = checked(TokenForm, JSON.parse((await ask({ apiKey: apiKey.toUpperCase(), apiSecret, userName: userName.toUpperCase() })).text));
  assert.equal(first.expires_in, 10800);
  for (const { access_token } of [first, second]) { // a new one ends no other
    const answer = await exchange(`${chat().base}/users/getstatus`, { method: "GET", headers: { Authorization: `bearer ${access_token}` } });
    assert.equal(answer.status, 200);
  }
  for (const wrong of [{ apiKey: rig().demo.departmentId2 }, { apiSecret: "x" }, { userName: "nobody@demo.example" }, { apiSecret: rig().demo.staffToken }, { apiKey: "no guid" }]) {
    refusal(await ask({ apiKey, apiSecret, userName, ...wrong }), 401, /./, JSON.stringify(wrong));
  }
  for (const missing of ["apiKey", "apiSecret", "userName"]) {
    refusal(await ask({ apiKey, apiSecret, userName, [missing]: null }), 400, new RegExp(missing), missing);
  }
});

test("401: every operation, without a token, with a wrong one, with another API's", async () => {
  const token = await chat().getToken();
  const wrong = [{}, { Authorization: "Bearer " }, { Authorization: `Bearer ${token.slice(0, -1)}${token.endsWith("0") ? "1" : "0"}` },
    { Authorization: `Bearer ${rig().demo.staffToken}` }, { Authorization: `Basic ${token}` }] as Record<string, string>[];
  for (const [i, operation] of operations.entries()) {
    refusal(await call(operation, "1", wrong[i % wrong.length] ?? {}), 401, /./, operation);
  }
  for (const headers of wrong) {
    refusal(await call("GET /users/allusers", "", headers), 401, /./, JSON.stringify(headers));
  }
});

test("400 and 404: ids that are none, and ids of nobody", async () => {
  const headers = { Authorization: `Bearer ${await chat().getToken()}` };
  for (const operation of operations) {
    if (operation.includes("{id}")) {
      refusal(await call(operation, "2147483647", headers), 404, /2147483647/, operation);
      refusal(await call(operation, "12x", headers), 400, /id/, operation);
    } else if (operation.includes("{guid}")) {
      refusal(await call(operation, "5b09d05d-7e0c-472b-a3aa-5b91f9be826c", headers), 404, /contact/i, operation);
      refusal(await call(operation, "5b09d05db-7e0c-472b-a3aa-5b91f9be826c", headers), 400, /id/, operation);
    }
  }
  for (const id of ["0", "-1", "1.5", "99999999999999999999", "%20", "1e3"]) {
    refusal(await call("GET /tickets/get/{id}", id, headers), 400, /id/, id);
  }
  for (const path of ["GET /tickets/nothing", "GET /nothing/at/all", "GET /tickets/get/1/2"]) {
    refusal(await call(path, "", headers), 404, /./, path);
  }
  refusal(await call("POST /users/allusers", "", headers), 405, /method/, "a wrong method");
});

test("another department's ticket is as unknown", async () => {
  const ticket = await create();
  const { ticketId } = await chat().tickets.setDepartment(ticket.id, { departmentId: rig().demo.departmentId2 });
  const headers = { Authorization: `Bearer ${await chat().getToken()}` };
  for (const operation of operations.filter((one) => one.includes("{id}"))) {
    refusal(await call(operation, String(ticketId), headers), 404, new RegExp(String(ticketId)), operation);
  }
});

type Refused = [what: string, call: (c: ChatClient, id: number) => Promise<unknown>, words: RegExp, code?: number];

const bad: Refused[] = [
  ["no participants", (c) => c.tickets.create({ field1: "x" }), /participants/],
  ["an empty list of them", (c) => c.tickets.create({ participants: [] }), /participants/],
  ["no channel", (c) => c.tickets.create({ participants: [mailClient({ protocolType: null })] }), /protocolType/],
  ["an unknown channel", (c) => c.tickets.create({ participants: [mailClient({ protocolType: "Pigeon" })] }), /protocolType/],
  ["no identifier", (c) => c.tickets.create({ participants: [mailClient({ identifier: "" })] }), /identifier/],
  ["an identifier that is none", (c) => c.tickets.create({ participants: [mailClient({ identifier: "no address" })] }), /identifier/],
  ["an unknown type", (c) => c.tickets.create({ participants: [mailClient({ type: "Ghost" })] }), /type/],
  ["an unknown sub-channel", (c) => c.tickets.create({ participants: [mailClient({ subProtocolType: "MailBlind" })] }), /subProtocolType/],
  ["an unknown culture", (c) => c.tickets.create({ participants: [mailClient()], culture: "tlh" }), /culture/],
  ["an unknown tag at creation", (c) => c.tickets.create({ participants: [mailClient()], tags: ["Nope"] }), /Nope/],
  ["an unknown state at creation", (c) => c.tickets.create({ participants: [mailClient()], state: "Ajar" }), /state/],
  ["a date that is none", (c) => c.tickets.create({ participants: [mailClient()], open: "yesterday" }), /open/],
  ["a close without the state", (c) => c.tickets.create({ participants: [mailClient()], close: "2020-01-01T00:00:00" }), /close/],
  ["a message of nobody here", (c) => c.tickets.create({ participants: [mailClient()], transactions: [{ type: "Message", text: "x", fromParticipant: { type: "Client", identifier: "b@b.example" } }] }), /fromParticipant/],
  ["a field of the wrong type", (c) => c.tickets.create({ participants: [mailClient()], field1: 7 }), /field1/i],
  ["nothing to send", (c, id) => c.tickets.send(id, { text: " ", html: "<p></p>" }), /text/],
  ["files that are no URLs", (c, id) => c.tickets.send(id, { files: ["x"] }), /files/],
  ["a button of no kind", (c, id) => c.tickets.send(id, { text: "x", templates: [{ title: "x", subtitle: "", buttons: [{ title: "x", type: "lever" }] }] }), /type/],
  ["a button that runs", (c, id) => c.tickets.send(id, { text: "x", templates: [{ title: "x", subtitle: "", buttons: [{ title: "x", type: "web_url", uri: "javascript:x()" }] }] }), /uri/],
  ["no next state", (c, id) => c.tickets.setState(id, {}), /nextState/],
  ["a next state in the body only", (c, id) => c.tickets.setState(id, { State: "Closed" }), /nextState/],
  ["an unknown next state", (c, id) => c.tickets.setState(id, { nextState: "Ajar" }), /nextState/],
  ["a flag that is none", (c, id) => c.tickets.setState(id, { nextState: "Open", getTicket: "perhaps" }), /getTicket/],
  ["an unknown tag with a state", (c, id) => c.tickets.setState(id, { nextState: "Open", tags: ["Nope"] }), /Nope/],
  ["no participant id", (c, id) => c.tickets.setParticipantName(id, { name: "x" }), /id/],
  ["no participant name", (c, id) => c.tickets.setParticipantName(id, { id: 1 }), /name/],
  ["a participant of nobody", (c, id) => c.tickets.setParticipantName(id, { id: 77, name: "x" }), /77|participant/, 404],
  ["no next owner", (c, id) => c.tickets.setOwner(id, {}), /nextOwnerUserName/],
  ["an owner of nobody", (c, id) => c.tickets.setOwner(id, { nextOwnerUserName: "nobody@demo.example" }), /nextOwnerUserName/, 404],
  ["no department", (c, id) => c.tickets.setDepartment(id, {}), /departmentId/],
  ["an unknown department", (c, id) => c.tickets.setDepartment(id, { departmentId: "5b09d05d-7e0c-472b-a3aa-5b91f9be826c" }), /departmentId/, 404],
  ["its own department", (c, id) => c.tickets.setDepartment(id, { departmentId: c.options.apiKey }), /departmentId/],
  ["an unknown tag", (c, id) => c.tickets.addTags(id, ["Nope"]), /Nope/],
  ["tags that are no list", (c, id) => c.tickets.addTags(id, {} as string[]), /array/],
  ["no tag to remove", (c, id) => c.tickets.removeTag(id, {}), /tag/],
  ["an empty note", (c, id) => c.tickets.addNote(id, { html: "<script>x()</script>" }), /text|html/],
  ["a survey of nobody", (c, id) => c.tickets.generateSurveyLink(id, { surveyId: 12 }), /surveyId/, 404],
  ["no next status", (c) => c.users.setStatus({}), /nextStatus/],
  ["an unknown status", (c) => c.users.setStatus({ nextStatus: "Asleep" }), /nextStatus/],
  ["a user without a kind", (c) => c.users.add([{ userName: "a@b.example" }], { role: "SystemUser" }), /userType/],
  ["a user of no kind", (c) => c.users.add([{ userName: "a@b.example" }], { role: "SystemUser", userType: "CAT" }), /userType/],
  ["a user of no role", (c) => c.users.add([{ userName: "a@b.example" }], { role: "King", userType: "BOT" }), /role/],
  ["a user without a name", (c) => c.users.add([{}], { role: "SystemUser", userType: "BOT" }), /userName/],
  ["nobody to delete", (c) => c.users.delete({}), /userName/],
  ["an unknown user to delete", (c) => c.users.delete({ userName: "nobody@demo.example" }), /userName/, 404],
  ["oneself to delete", (c) => c.users.delete({ userName: c.options.userName }), /userName/, 409],
  ["no unique argument to look for", (c) => c.users.getByUniqueArgument({}), /uniqueArgument/],
  ["a unique argument of nobody", (c) => c.users.getByUniqueArgument({ uniqueArgument: "nobody's" }), /uniqueArgument/, 404],
  ["no unique argument to set", (c) => c.users.setUniqueArgument({}), /nextUniqueArgument/],
  ["roles of nobody", (c) => c.users.setRoles(["ReadOnly"], { userName: "nobody@demo.example" }), /userName/, 404],
  ["an unknown role", (c) => c.users.setRoles(["King"], { userName: c.options.userName }), /roles/],
  ["no department to be open", (c) => c.tenants.isOnline({}), /departmentId/],
  ["a department that is no id", (c) => c.tenants.isOnline({ departmentId: "7" }), /departmentId/],
  ["a department of nobody", (c) => c.tenants.isOnline({ departmentId: "5b09d05d-7e0c-472b-a3aa-5b91f9be826c" }), /departmentId/, 404],
  ["an unknown channel to be open", (c) => c.tenants.isOnline({ departmentId: c.options.apiKey, protocolType: "Pigeon" }), /protocolType/],
  ["a reply without a title", (c) => c.cannedReplies.add({ id: 0, text: "x" }), /title/],
  ["a reply without words", (c) => c.cannedReplies.add({ id: 0, title: "x" }), /text/],
  ["a reply with an unknown tag", (c) => c.cannedReplies.add({ id: 0, title: "x", text: "x", autoTags: ["Nope"] }), /Nope/],
  ["a reply that is no number", (c) => c.cannedReplies.delete({ cannedReplyId: "x" }), /cannedReplyId/],
  ["a channel that sends by ticket only", (c) => c.protocols.send({ protocolType: "Mail", from: "1", to: "2", text: "x" }), /protocolType/],
  ["another's number to send from", (c) => c.protocols.send({ protocolType: "SMS", from: "972524646214", to: "97252111223", text: "x" }), /from/],
  ["nobody to send to", (c) => c.protocols.send({ protocolType: "SMS", from: "972526264195", text: "x" }), /to/],
  ["nothing to send without a ticket", (c) => c.protocols.send({ protocolType: "SMS", from: "972526264195", to: "97252111223" }), /text/],
  ["a recipient of another channel", (c) => c.protocols.send({ protocolType: "AppleBusinessChat", from: "biz", to: "97252111223", text: "x" }), /to/],
  ["a wait that is none", (c) => c.webhooks.getevents({ deleteEvents: "perhaps" as unknown as boolean }), /deleteEvents/],
];

test("400, 404, 409: each wrong parameter is named, and nothing changes", async () => {
  const ticket = await create();
  const before = await get(ticket.id);
  for (const [what, act, words, code = 400] of bad) {
    await refused(act(chat(), ticket.id), code, words).catch((error: Error) => assert.fail(`${what}: ${error.message}`));
  }
  assert.deepEqual(await get(ticket.id), before);
});

test("closed: an agent's message is refused and not stored", async () => {
  const ticket = await create();
  await chat().tickets.setState(ticket.id, { nextState: "Closed" });
  const before = await get(ticket.id);
  await refused(chat().tickets.send(ticket.id, { text: "Late" }), 400, /closed/i);
  await refused(chat().interactiveDocuments.send(ticket.id, { baseTemplateId: 20 }), 400, /closed/i);
  assert.deepEqual(await get(ticket.id), before);
  await chat().tickets.setState(ticket.id, { nextState: "Open" });
  await send(ticket.id, "In time");
});

test("400: bodies and queries that cannot be read", async () => {
  const ticket = await create();
  const headers = { Authorization: `Bearer ${await chat().getToken()}`, "Content-Type": "application/json" };
  const url = `${chat().base}/tickets/send/${ticket.id}`;
  const wrong = ["{", "[]", "7", "\"x\"", "{\"text\":\"a\"}{}", "{\"text\":7}", Buffer.from("{\"text\":\"\xff\"}", "latin1"), "{\"files\":\"x\"}", "{\"files\":[7]}"];
  for (const body of wrong) {
    refusal(await exchange(url, { method: "POST", headers, body }), 400, /./, String(body));
  }
  refusal(await exchange(`${url}?a=%zz`, { method: "POST", headers, body: "{}" }), 400, /query/, "a broken query");
  const { since, until } = around();
  const twice = `${chat().base}/tickets/list?${new URLSearchParams([["since", since], ["until", until], ["Since", since]])}`;
  refusal(await exchange(twice, { method: "GET", headers }), 400, /since/i, "a parameter twice");
  assert.equal((await get(ticket.id)).agentMessagesCount, 0);
});

test("413: what is too large is refused, and said so while it still comes", async () => {
  const ticket = await create();
  const headers = { Authorization: `Bearer ${await chat().getToken()}`, "Content-Type": "application/json" };
  const url = `${chat().base}/tickets/send/${ticket.id}`;
  refusal(await exchange(url, { method: "POST", headers, body: JSON.stringify({ text: "x".repeat(2 << 20) }) }), 413, /bytes/, "2 MiB");
  assert.equal((await get(ticket.id)).agentMessagesCount, 0);
});

test("paths and names of parameters have no case", async () => {
  const ticket = await create();
  const headers = { Authorization: `Bearer ${await chat().getToken()}` };
  const url = `${chat().base}/Tickets/SetState/${ticket.id}?NEXTSTATE=PENDING&getticket=TRUE`;
  const answer = await exchange(url, { method: "PUT", headers });
  assert.deepEqual([answer.status, answer.headers["content-type"], (JSON.parse(answer.text) as Body)["state"]], [200, "application/json; charset=utf-8", "Pending"]);
  assert.ok(clientOf(ticket));
});
