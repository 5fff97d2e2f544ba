// The queue API's official client library, unmodified, through every REST
// function it has, against the real server. The library speaks only https, so a
// proxy with a certificate of its own stands in front.
import assert from "node:assert/strict";
import { request } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { createRequire } from "node:module";
import { generate } from "selfsigned";
import { RealHub } from "./hub.mjs";

process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // our own certificate, on loopback
process.removeAllListeners("warning");
const Qminder = createRequire(import.meta.url)("qminder-api");

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
let hub;
let proxy;
const links = new Set();
let demo;
let line;
let other;

before(async () => {
  hub = await RealHub.start("-queue-rate", "1000", "-queue-burst", "1000");
  demo = hub.demo;
  [line, other] = demo.lines;
  const { private: key, cert } = await generate([{ name: "commonName", value: "127.0.0.1" }]);
  const target = new URL(hub.url);
  proxy = createServer({ key, cert }, (incoming, outgoing) => {
    const forward = request({ host: target.hostname, port: target.port, path: incoming.url, method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on("error", () => outgoing.destroy());
    incoming.pipe(forward);
  });
  proxy.on("upgrade", (incoming, socket, head) => {
    const behind = connect(Number(target.port), target.hostname, () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let i = 0; i < incoming.rawHeaders.length; i += 2) lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
      behind.write(`${lines.join("\r\n")}\r\n\r\n`);
      behind.write(head);
      behind.pipe(socket).pipe(behind);
    });
    for (const end of [behind, socket]) {
      links.add(end);
      end.on("close", () => links.delete(end));
      end.on("error", () => {
        behind.destroy();
        socket.destroy();
      });
    }
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  Qminder.setKey(demo.queueApiKey);
  Qminder.setServer(`127.0.0.1:${proxy.address().port}`);
  // setServer makes "wss://host:port:443" of a host with a port, which is no URL.
  Qminder.graphql.setServer(`wss://127.0.0.1:${proxy.address().port}`);
});

after(async () => {
  // The client would come back for ever.
  clearTimeout(Qminder.graphql.retryTimeout);
  Qminder.graphql.openSocket = () => {};
  await new Promise((resolve) => {
    proxy.close(resolve);
    proxy.closeAllConnections();
    for (const link of links) link.destroy();
  });
  clearTimeout(Qminder.graphql.retryTimeout);
  await hub.stop();
});

/** A ticket has exactly the members that the description gives it. */
function checkTicket(ticket, want) {
  assert.match(ticket.id, /^\d+$/);
  assert.match(ticket.publicId, /^[A-Z]{1,2}-\d+$/);
  assert.match(ticket.created.date, DATE);
  assert.ok(["MANUAL", "NAME", "MICROSITE"].includes(ticket.source));
  assert.equal(typeof ticket.line, "number");
  assert.ok(Array.isArray(ticket.extra) && Array.isArray(ticket.labels));
  const known = ["id", "publicId", "status", "source", "line", "firstName", "lastName", "phoneNumber", "email", "languageCode", "orderAfter",
    "created", "called", "served", "cancelled", "assigned", "extra", "labels", "interactions", "messages", "connectedTickets", "statusCode"];
  for (const [name, value] of Object.entries(ticket)) {
    assert.ok(known.includes(name), `unknown member ${name}`);
    assert.notEqual(value, null, `${name} is null`);
  }
  assert.equal("called" in ticket, ticket.status === "CALLED");
  assert.equal("served" in ticket, ticket.status === "SERVED");
  for (const [name, value] of Object.entries(want)) assert.deepEqual(ticket[name], value, name);
}

const create = async (firstName = "Ida", more = {}) =>
  (await Qminder.tickets.create(line, { firstName, lastName: "Berg", ...more })).id;
const details = (id) => Qminder.tickets.details(id);
const called = async () => {
  const id = await create();
  await Qminder.tickets.call(id, 1, 3, true);
  return id;
};
const refused = (promise, words) => assert.rejects(promise, (error) => words.test(error.message));

test("tickets: create, details, search, count", async () => {
  const extra = [{ title: "Order", value: "Z-19" }];
  const made = await Qminder.tickets.create(line, { firstName: "Ida", lastName: "Berg", phoneNumber: 3725551234, email: "ida@example.com", extra }, "once");
  assert.equal(typeof made.id, "number");
  const again = await Qminder.tickets.create(line, { firstName: "Ida", lastName: "Berg", phoneNumber: 3725551234, email: "ida@example.com", extra }, "once");
  assert.equal(again.id, made.id);
  checkTicket(await details(made.id), {
    id: String(made.id), status: "NEW", line, firstName: "Ida", lastName: "Berg", phoneNumber: "3725551234", email: "ida@example.com",
    languageCode: "en", source: "MANUAL", extra, labels: [],
  });
  const found = await Qminder.tickets.search({ location: 1, line: [line], status: ["NEW"], limit: 5, order: "id DESC" });
  assert.equal(found[0].id, String(made.id));
  for (const ticket of found) checkTicket(ticket, { status: "NEW", line });
  const waiting = await Qminder.tickets.search({ location: 1, line: [line], status: ["NEW"] });
  assert.equal(await Qminder.tickets.count({ location: 1, line: [line], status: ["NEW"] }), waiting.length);
  await refused(details(999999), /not found/i);
  await refused(Qminder.tickets.create(9999, { firstName: "X" }), /9999 not found/);
  await refused(Qminder.tickets.search({ location: 1, order: "size" }), /order/i);
});

test("tickets: edit changes only what is given", async () => {
  const id = await create("Ann", { email: "ann@example.com" });
  assert.equal(await Qminder.tickets.edit(id, { firstName: "Anna", phoneNumber: 37255, line: other }), "success");
  checkTicket(await details(id), { firstName: "Anna", lastName: "Berg", email: "ann@example.com", phoneNumber: "37255", line: other });
  await Qminder.tickets.edit(id, { lastName: null, extra: [{ title: "A", value: "1" }] });
  const after = await details(id);
  checkTicket(after, { extra: [{ title: "A", value: "1" }] });
  assert.ok(!("lastName" in after));
});

test("tickets: call, recall, served, no-show, cancel", async () => {
  const id = await create();
  const now = await Qminder.tickets.call(id, 1, 3, false);
  checkTicket(now, { status: "CALLED" });
  assert.deepEqual([now.called.caller, now.called.desk], [1, 3]);
  assert.match(now.called.date, DATE);
  await refused(Qminder.tickets.call(id, 1), /already called/);
  assert.equal(await Qminder.tickets.recall(id), "success");
  const next = await create();
  await Qminder.tickets.call(next, 1);
  checkTicket(await details(id), { status: "SERVED" });
  assert.equal(await Qminder.tickets.markNoShow(next), "success");
  checkTicket(await details(next), { status: "NOSHOW" });
  await refused(Qminder.tickets.markServed(next), /no-show/);
  const third = await called();
  assert.equal(await Qminder.tickets.markServed(third), "success");
  assert.match((await details(third)).served.date, DATE);
  const fourth = await create();
  assert.equal(await Qminder.tickets.cancel(fourth, 1), "success");
  checkTicket(await details(fourth), { status: "CANCELLED_BY_CLERK" });
  await refused(Qminder.tickets.recall(fourth), /cancelled/);
});

test("tickets: callNext takes the first, and null when nobody waits", async () => {
  const lines = demo.lines.map((id) => ({ id }));
  const first = (await Qminder.tickets.search({ location: 1, status: ["NEW"] }))
    .sort((a, b) => (a.orderAfter || a.created.date).localeCompare(b.orderAfter || b.created.date))[0];
  const next = await Qminder.tickets.callNext(lines, 1, 2, true);
  checkTicket(next, { id: first.id, status: "CALLED" });
  for (let ticket = next; ticket; ticket = await Qminder.tickets.callNext(lines, 1, 2, true)) checkTicket(ticket, { status: "CALLED" });
  assert.equal(await Qminder.tickets.count({ location: 1, status: ["NEW"] }), 0);
});

test("tickets: return to queue, reorder, forward", async () => {
  const [a, b, c] = [await create("A"), await create("B"), await create("C")];
  await Qminder.tickets.call(c, 1, 2, true);
  assert.equal(await Qminder.tickets.returnToQueue(c, 1, "FIRST"), "success");
  const order = async () => (await Qminder.tickets.search({ location: 1, line: [line], status: ["NEW"] }))
    .sort((x, y) => (x.orderAfter || x.created.date).localeCompare(y.orderAfter || y.created.date) || x.id - y.id).map((t) => t.id);
  assert.deepEqual(await order(), [c, a, b].map(String));
  assert.equal(await Qminder.tickets.reorder(c, b), "success");
  assert.deepEqual(await order(), [a, b, c].map(String));
  assert.equal(await Qminder.tickets.reorder(b, null), "success");
  assert.deepEqual(await order(), [b, a, c].map(String));
  await Qminder.tickets.call(a, 1, 2, true);
  await Qminder.tickets.forward(a, other, 1);
  checkTicket(await details(a), { status: "NEW", line: other });
  const visits = (await Qminder.ApiBase.request(`tickets/${a}?responseScope=INTERACTIONS`)).interactions;
  assert.equal(visits.length, 1);
  assert.equal(visits[0].line, line);
  assert.match(visits[0].end, DATE);
});

test("tickets: labels, assignment, external data, messages, estimated time", async () => {
  const id = await create("Lab", { phoneNumber: "+37255512345" });
  assert.equal(await Qminder.tickets.addLabel(id, "VIP", 1), "success");
  assert.equal(await Qminder.tickets.addLabel(id, "VIP"), "no action");
  const { labels } = await details(id);
  assert.equal(labels[0].value, "VIP");
  assert.match(labels[0].color, /^[0-9A-F]{6}$/i);
  assert.equal(await Qminder.tickets.removeLabel(id, "VIP", 1), "success");
  assert.deepEqual((await details(id)).labels, []);
  assert.equal(await Qminder.tickets.assignToUser(id, 1, 2), "success");
  checkTicket(await details(id), { assigned: { assigner: 1, assignee: 2 } });
  assert.equal(await Qminder.tickets.unassign(id, 1), "success");
  assert.ok(!("assigned" in (await details(id))));
  await refused(Qminder.tickets.assignToUser(id, 1, 999), /999/);
  assert.equal(await Qminder.tickets.setExternalData(id, "crm", "Customer", { fields: [{ type: "text", title: "Tier", value: "Gold" }] }), "success");
  assert.equal(await Qminder.tickets.sendMessage(id, "Your turn soon", 1), "success");
  const [message] = await Qminder.tickets.getMessages(id);
  assert.deepEqual([message.body, message.type], ["Your turn soon", "OUTGOING"]);
  assert.match(message.created.date, DATE);
  const time = await Qminder.tickets.getEstimatedTimeOfService(id);
  assert.ok(Number.isInteger(time) && time > Date.now() / 1000 - 60 && time < Date.now() / 1000 + 86400);
});

test("locations, desks, input fields", async () => {
  const all = await Qminder.locations.list();
  const location = await Qminder.locations.details(1);
  assert.deepEqual([all[0].id, location.id, location.name], [1, 1, all[0].name]);
  for (const name of ["latitude", "longitude", "timezoneOffset"]) assert.equal(typeof location[name], "number", name);
  const desks = await Qminder.locations.getDesks(location);
  assert.deepEqual(desks.map((desk) => desk.id), demo.desks);
  const fields = await Qminder.locations.getInputFields(1);
  assert.ok(fields.some((field) => field.type === "firstName"));
  await refused(Qminder.locations.details(77), /77/);
});

test("lines: list, details, create, update, disable, enable, archive", async () => {
  const before = await Qminder.lines.list(1);
  assert.deepEqual(before.map((l) => l.id), demo.lines);
  const made = await Qminder.lines.create(1, { name: "Returns", color: "#1C7ED6" });
  assert.equal(typeof made.id, "number");
  const shown = await Qminder.lines.details(made.id);
  assert.equal(shown.name, "Returns");
  assert.match(shown.color, /^#[0-9a-f]{6}$/i);
  await Qminder.lines.update({ id: made.id, name: "Refunds", color: "#00FF00" });
  assert.equal((await Qminder.lines.details(made.id)).name, "Refunds");
  await Qminder.lines.disable(made.id);
  assert.equal((await Qminder.lines.details(made.id)).disabled, true);
  await refused(Qminder.tickets.create(made.id, { firstName: "X" }), /disabled/);
  await Qminder.lines.enable(made.id);
  await Qminder.lines.archive(made.id);
  assert.ok(!(await Qminder.lines.list(1)).some((l) => l.id === made.id));
});

test("users: list, create, details, role, desk, lines, remove", async () => {
  const users = await Qminder.users.list(1);
  assert.ok(users.length >= 2 && users.every((user) => typeof user.id === "number" && !("roles" in user)));
  const email = "new.clerk@example.com";
  const made = await Qminder.users.create({ email, firstName: "New", lastName: "Clerk", roles: [{ type: "CLERK", location: 1 }] });
  const user = await Qminder.users.details(email);
  assert.equal(user.id, Number(made.id));
  assert.deepEqual([user.email, user.firstName, user.roles[0].type, user.roles[0].location], [email, "New", "CLERK", 1]);
  await Qminder.users.addRole(user.id, { type: "MANAGER", location: 1 });
  assert.equal((await Qminder.users.details(user.id)).roles.length, 2);
  await Qminder.users.selectDesk(user.id, 4);
  assert.equal((await Qminder.ApiBase.request(`users/${user.id}/desk`)).selectedDeskId, 4);
  await Qminder.users.removeDesk(user.id);
  await Qminder.users.setLines(user.id, [line, other]);
  assert.deepEqual((await Qminder.ApiBase.request(`users/${user.id}/lines`)).selectedLines, [line, other]);
  await Qminder.users.remove(user.id);
  await refused(Qminder.users.details(user.id), /not found/i);
  await refused(Qminder.users.create({ email: demo.users[0].email, firstName: "A", lastName: "B", roles: [{ type: "ADMIN" }] }), /./);
});

test("devices: details, edit, remove", async () => {
  const tv = await Qminder.devices.details(demo.tvs[0]);
  assert.deepEqual([tv.id, typeof tv.name, typeof tv.theme, typeof tv.layout], [demo.tvs[0], "string", "string", "string"]);
  assert.equal((await Qminder.devices.edit(tv.id, "Front door")).name, "Front door");
  await Qminder.devices.remove(tv.id);
  await refused(Qminder.devices.details(tv.id), /not found/i);
});

test("webhooks: create, remove", async () => {
  const hook = await Qminder.webhooks.create("https://hooks.example.com/in");
  assert.match(String(hook.id), /^[0-9a-f-]{36}$/);
  assert.ok(hook.secret.length >= 16);
  await Qminder.ApiBase.request(`webhooks/${hook.id}`, undefined, "DELETE"); // remove() itself takes only numbers
  await refused(Qminder.webhooks.create("ftp://x"), /url/i);
});

/** Collects what an observable gives; next() waits for one more. */
function collect(observable) {
  const got = [];
  const waiters = [];
  const take = (value) => (waiters.length ? waiters.shift()(value) : got.push(value));
  const subscription = observable.subscribe(take, (error) => take({ error }), () => take({ complete: true }));
  const next = () => (got.length ? Promise.resolve(got.shift()) : new Promise((resolve) => waiters.push(resolve)));
  return { got, next, stop: () => subscription.unsubscribe() };
}

/** Resolves when everything that was subscribed to before has begun: frames are answered in turn. */
async function begun() {
  const probe = collect(Qminder.graphql.subscribe("createdTickets(locationId: 77) { id }"));
  assert.equal((await probe.next()).error[0].errorType, "NOT_FOUND");
  probe.stop();
}

test("graphql: query", { timeout: 30000 }, async () => {
  const id = await create("Graph", { phoneNumber: "+37255500011", extra: [{ title: "Order", value: "Z-19" }] });
  const answer = await Qminder.graphql.query(`{
    me { id email selectedLocation { id } }
    ticket(id: ${id}) { id publicId status firstName phoneNumber line { id name } fields2 { value } created { date } }
  }`);
  assert.ok(!("errors" in answer));
  const { me, ticket } = answer.data;
  assert.deepEqual([me.id, me.email], ["1", demo.users[0].email]);
  assert.deepEqual([ticket.id, ticket.status, ticket.firstName, ticket.phoneNumber, ticket.line.id], [String(id), "NEW", "Graph", 37255500011, String(line)]);
  assert.match(ticket.created.date, DATE);
  assert.equal((await details(id)).publicId, ticket.publicId);
  const search = await Qminder.graphql.query("query Q($at: ID!) { ticketSearch(locationId: $at, status: [NEW]) { id } }", { at: 1 });
  assert.ok(search.data.ticketSearch.some((t) => t.id === String(id)));
  const wrong = await Qminder.graphql.query("{ nothing }");
  assert.equal(wrong.errors[0].errorType, "ValidationError");
  assert.ok(!("data" in wrong));
  const types = await Qminder.graphql.query("{ __schema { types { name } } }");
  assert.ok(types.data.__schema.types.some((t) => t.name === "Subscription"));
});

test("graphql: subscribe, and the connection observable", { timeout: 30000 }, async () => {
  const status = collect(Qminder.graphql.getSubscriptionConnectionObservable());
  const created = collect(Qminder.graphql.subscribe("createdTickets(locationId: 1) { id status publicId }"));
  const called = collect(Qminder.graphql.subscribe("calledTickets(locationId: 1) { id caller { id } }"));
  assert.deepEqual([await status.next(), await status.next(), await status.next()], ["CONNECTING", "INITIALIZING", "CONNECTED"]);
  await begun();
  const id = await create("Live");
  const first = (await created.next()).createdTickets;
  assert.deepEqual([first.id, first.status], [String(id), "NEW"]);
  await Qminder.tickets.call(id, 1, 3, true);
  assert.deepEqual((await called.next()).calledTickets, { id: String(id), caller: { id: "1" } });
  assert.deepEqual([created.got.length, called.got.length], [0, 0]); // one data frame per event
  status.stop();
  called.stop();
  created.stop();
});

test("graphql: subscriptions outlive a restart", { timeout: 60000 }, async () => {
  const created = collect(Qminder.graphql.subscribe("createdTickets(locationId: 1) { id firstName }"));
  await begun();
  await create("Before");
  assert.equal((await created.next()).createdTickets.firstName, "Before");
  const status = collect(Qminder.graphql.getSubscriptionConnectionObservable());
  assert.equal(await status.next(), "CONNECTED");
  const closed = [];
  Qminder.graphql.socket.addEventListener("close", (event) => closed.push(event.code));
  await hub.kill("SIGTERM");
  assert.equal(await status.next(), "DISCONNECTED");
  assert.deepEqual(closed, [1001]); // 1000 would keep this client away for good
  await hub.up();
  while ((await status.next()) !== "CONNECTED");
  status.stop();
  await begun();
  await create("After");
  assert.equal((await created.next()).createdTickets.firstName, "After");
  created.stop();
});

test("a wrong key is refused in the client's words", async () => {
  Qminder.setKey("wrong");
  await refused(details(1), /authenticate|not known/i);
  await assert.rejects(Qminder.graphql.query("{ me { id } }"), (error) => /authenticate/i.test(String(error.message ?? error)));
  Qminder.setKey(demo.queueApiKey);
});
