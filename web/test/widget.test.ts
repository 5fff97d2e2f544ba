// The widget's parts that know nothing of a page: options, colours, the thread's
// fold, the outbox, and a whole conversation against a scripted hub.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, HubError } from "../src/client/index";
import type { Push } from "../src/client/index";
import { choices, merge, safe } from "../src/common/thread";
import type { Transaction } from "../src/common/visit";
import type { SiteConfig, Store, WidgetEvents } from "../src/launcher/api";
import { takesWhite } from "../src/launcher/color";
import { pickLanguage } from "../src/launcher/raw";
import { contrast, palette } from "../src/widget/color";
import type { Doors } from "../src/widget/doors";
import { identityOf } from "../src/widget/identity";
import { initial } from "../src/widget/log";
import { readOptions } from "../src/widget/options";
import { Outbox, Outgoing } from "../src/widget/outbox";
import { Session, TYPING_LEASE } from "../src/widget/session";
import { foldThread, isOver, readable, sendState, Thread, unread } from "../src/widget/thread";
import type { Surroundings } from "../src/widget/surroundings";
import { FakeEnv, settled } from "./fake";

const transaction = (seq: number, fromType: string, extra: Partial<Transaction> = {}): Transaction => ({
  seq, dateTime: `2026-11-22T10:00:${String(seq).padStart(2, "0")}.000Z`, type: "Message", text: `text ${seq}`, status: "Delivered", fromType, attachments: [], ...extra,
});

const thread = (transactions: Transaction[], readUpTo = 0, seenUpTo = 0): Thread => ({
  ticket: { id: "17", location: { id: 1, name: "x" }, conversation: { state: "Open", readUpTo, seenUpTo } }, transactions, asOf: "2026-11-22T10:00:00.000Z",
});

const push = (name: string, data: object, offset?: number, prev?: number): Push =>
  ({ push: name, channel: "ticket:17", time: "2026-11-22T10:01:00.000Z", data, ...(offset ? { offset, prev } : {}) }) as Push;

/** A store in memory, whose other tab is the test. */
function memory(): Store & { values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    get: (name) => values.get(name),
    set: (name, value) => { if (value === undefined) values.delete(name); else values.set(name, value); },
    names: (prefix) => [...values.keys()].filter((name) => name.startsWith(prefix)),
    watch: () => () => undefined,
  };
}

test("options: attributes, the conversation API's names and the old ones all mean the same", () => {
  assert.deepEqual(readOptions({ key: "k", position: "bottom-left", field1: "a", field11: "no", email: "" }), { key: "k", position: "left", fields: { field1: "a" } });
  const both = readOptions({ apiKey: "guid", snippetId: "snippet", participantName: "Ida", participantMailAddress: "i@e", culture: "de-DE", launcherColor: "#123456", introductionMessageText: "Hi" });
  assert.deepEqual(both, { key: "snippet", language: "de-DE", color: "#123456", introduction: "Hi", name: "Ida", email: "i@e" });
  assert.deepEqual(readOptions({ key: "k", fields: { field2: 5, other: 1 } }).fields, { field2: "5" });
});

test("a language: the first wanted one that there is", () => {
  assert.equal(pickLanguage([undefined, "", "he-IL", "fr-CA", "de"], ["en", "de", "fr"]), "fr");
  assert.equal(pickLanguage(["xx"], ["de"]), "en");
});

test("every colour a site may choose can be read", () => {
  for (const color of ["#ffffff", "#000000", "#1c7ed6", "#ffd84d", "#777777", "#ff0000", "#00ff00", "#abc", "nonsense", undefined]) {
    const p = palette(color) as Record<string, string>;
    assert.ok(contrast(p["--brand"]!, p["--on-brand"]!) >= 4.5, `${color}: text on it`);
    assert.ok(contrast(p["--brand-text"]!, "#ffffff") >= 4.5, `${color}: as text`);
    assert.ok(contrast(p["--brand-text-dark"]!, "#141f2c") >= 4.5, `${color}: as text in the dark`);
  }
  assert.equal(takesWhite("#0a4f96"), true);
  assert.equal(takesWhite("#ffd84d"), false);
});

test("addresses of schemes that run something are no addresses", () => {
  for (const bad of ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "/relative", undefined, "vbscript:x"]) assert.equal(safe(bad, /^https?:$/), undefined, String(bad));
  assert.equal(safe("https://a.example/x", /^https?:$/), "https://a.example/x");
  assert.equal(initial("  ida"), "I");
  assert.equal(initial("😀 x"), "😀");
});

test("unread is arithmetic on the cursor, whatever order things come in", () => {
  const all = [transaction(1, "Client"), transaction(2, "User"), transaction(3, "User", { type: "TicketClosed" }), transaction(4, "System", { type: "IntroductionMessage" })];
  assert.equal(unread(thread(all)), 2);
  assert.equal(unread(thread(all, 2)), 1);
  assert.equal(unread(thread(merge(all, all, [transaction(2, "User")]), 2)), 1, "the same again counts once");
  assert.equal(unread(thread(all, 4)), 0);
  assert.equal(readable(thread(all)), 4);
  assert.equal(readable(thread(all, 4)), 0, "nothing to mark");
});

test("the thread folds messages by number, positions by their own push, and forgets what was erased", () => {
  let t = thread([transaction(1, "Client")]);
  t = foldThread(t, push("ticket.message", { ticket: t.ticket, transaction: transaction(2, "User") }, 5, 4));
  t = foldThread(t, push("ticket.message", { ticket: t.ticket, transaction: transaction(2, "User", { text: "later word" }) }, 6, 5));
  assert.deepEqual(t.transactions.map((x) => x.text), ["text 1", "later word"]);
  t = foldThread(t, push("position", { position: 3, wait: { min: 5, max: 15 } }));
  assert.deepEqual([t.ticket.position, t.ticket.wait, t.asOf], [3, { min: 5, max: 15 }, "2026-11-22T10:01:00.000Z"]);
  t = foldThread(t, push("position", {}));
  assert.deepEqual([t.ticket.position, t.ticket.wait], [undefined, undefined]);
  t = foldThread(t, push("ticket.erased", { ticket: { id: "17" } }, 7, 6));
  assert.deepEqual([t.ticket.erased, t.transactions], [true, []]);
});

test("how far a message has come, and what is offered to choose", () => {
  const own = transaction(1, "Client");
  assert.equal(sendState(thread([own]), own), "delivered");
  assert.equal(sendState(thread([own], 0, 1), own), "read");
  assert.equal(sendState(thread([own]), { ...own, status: "Sent" }), "sent");
  assert.equal(sendState(thread([own]), { ...own, status: "Failed" }), "failed");
  const offer = transaction(2, "User", { payload: { quickReplies: [{ title: "Yes" }] } });
  assert.equal(choices(thread([own, offer]))?.locked, true);
  assert.equal(choices(thread([own, { ...offer, payload: { ...offer.payload, enableFreeTextInput: true } }]))?.locked, false);
  assert.equal(choices(thread([own, offer, transaction(3, "Client")])), undefined, "answered");
  const link = transaction(2, "User", { payload: { templates: [{ title: "A", buttons: [{ title: "B", type: "web_url" }] }] } });
  assert.equal(choices(thread([own, link]))?.locked, false, "a link asks for no answer");
  assert.equal(isOver(thread([])), false);
  assert.equal(isOver({ ...thread([]), ticket: { id: "1", location: thread([]).ticket.location, status: "SERVED" } }), true);
  assert.equal(isOver({ ...thread([]), ticket: { id: "1", location: thread([]).ticket.location, status: "NEW" } }), false);
});

test("the outbox sends in order, again after a broken link with the same key, and keeps what is not sent", async () => {
  const store = memory();
  const env = new FakeEnv();
  const sent: Array<{ message: Outgoing; resolve: (v?: unknown) => void; reject: (e: HubError) => void }> = [];
  const make = () => new Outbox(store, (message) => new Promise((resolve, reject) => sent.push({ message, resolve, reject })), env.after.bind(env), () => undefined);
  const outbox = make();
  outbox.add({ id: "a", text: "one", files: [], at: 1 });
  outbox.add({ id: "b", text: "two", files: [], at: 2 });
  assert.deepEqual(sent.map((s) => s.message.id), ["a"], "the second waits for the first");
  sent[0]!.reject(new HubError({ code: "timed_out", message: "" }));
  await settled();
  assert.deepEqual(outbox.all.map((m) => [m.id, m.refused]), [["a", undefined], ["b", undefined]]);
  env.pass(2000);
  assert.deepEqual(sent.map((s) => s.message.id), ["a", "a"], "the same key");
  sent[1]!.resolve();
  await settled();
  assert.equal(sent[2]!.message.id, "b");
  assert.deepEqual(make().all.map((m) => m.id), ["b"], "another page load finds what is left");
  sent[2]!.reject(new HubError({ code: "too_large", message: "too long" }));
  await settled();
  assert.equal(outbox.all[0]!.refused, "too_large");
  outbox.retry("b", "c");
  assert.equal(sent[sent.length - 1]!.message.id, "c", "what was refused is a new try");
  outbox.done("c");
  assert.deepEqual([...store.values.keys()].filter((k) => k === "out.c"), []);
});

/** A session against a scripted hub. */
function rig(values: Record<string, string> = {}, identity?: string) {
  const store = memory();
  for (const name of Object.keys(values)) store.set(name, values[name]!);
  const env = new FakeEnv();
  const events: unknown[] = [];
  const begun: Array<{ key: string; body: any; resolve: (v: unknown) => void; reject: (e: HubError) => void }> = [];
  const counts: number[] = [];
  const called: string[] = [];
  const host = {
    config: { site: { name: "x" }, location: { id: 1, name: "x", timezone: "UTC" }, open: true, available: true, time: "" } as SiteConfig,
    options: { key: "k", ...(identity ? { identity } : {}) }, store, language: "en",
    emit: (name: keyof WidgetEvents, ...more: unknown[]) => events.push([name, ...more]),
    unread: (n: number) => counts.push(n),
  } as unknown as Surroundings;
  const doors = {
    begin: (key: string, body: object) => new Promise((resolve, reject) => begun.push({ key, body, resolve, reject })),
    visit: () => Promise.resolve({ ticket: { id: "17" }, transactions: [], survey: { open: false, answered: false }, lines: [], limits: {} }),
    resume: () => Promise.reject(new HubError({ code: "not_found", message: "" })),
  } as unknown as Doors;
  const session = new Session(host, doors, (token) => new Client(env, { name: "widget/test", token: () => token }), env.after.bind(env), env.now, {
    changed: () => undefined, message: (t) => events.push(["message", t.seq]), called: (t) => called.push(t.publicId || ""),
  });
  const connect = async (snapshot: object) => {
    const socket = env.socket;
    socket.accept();
    socket.reply(socket.take("connect"), { session: "s", audience: "visitor", ping: 25, time: "2026-11-22T10:00:00.000Z" });
    socket.reply(socket.take("subscribe"), { channel: "ticket:17", epoch: "e", offset: 4, recovered: false, snapshot });
    await settled();
    return socket;
  };
  return { store, env, events, begun, counts, called, session, connect };
}

(globalThis as any).location = { href: "https://shop.example/cart#x" };
(globalThis as any).document = { title: "Cart", referrer: "" };
const KEPT = JSON.stringify({ token: "ns_vis_x", ticket: "17" });

test("a beginning keeps its key over failures and page loads, and becomes a conversation once", async () => {
  const r = rig();
  r.session.begin({ text: "Hello" });
  r.begun[0]!.reject(new HubError({ code: "unavailable", message: "" }));
  await settled();
  r.env.pass(2000);
  assert.equal(r.begun[1]!.key, r.begun[0]!.key);
  assert.equal(r.begun[0]!.body.page.url, "https://shop.example/cart");
  const again = rig(Object.fromEntries(r.store.values));
  again.session.wake();
  assert.equal(again.begun[0]!.key, r.begun[0]!.key, "another page goes on with it");
  again.begun[0]!.resolve({ token: "ns_vis_x", ticket: "17", resumed: false });
  await settled();
  assert.deepEqual(again.events, [["newTicket", 17]]);
  assert.equal(again.store.get("start"), undefined);
  assert.equal(again.session.active, true);
  const refused = rig();
  refused.session.begin({ text: "Hello" });
  refused.begun[0]!.reject(new HubError({ code: "bad_request", message: "", field: "email" }));
  await settled();
  assert.deepEqual([refused.session.starting, refused.session.startError?.field, refused.store.get("start")], [false, "email", undefined]);
  again.session.stop();
});

test("a live conversation: new messages once, read when looked at, typing on a lease, the call", async () => {
  const r = rig({ session: KEPT });
  r.session.wake();
  const socket = await r.connect(thread([transaction(1, "Client"), transaction(2, "User")]));
  assert.deepEqual(r.events, [], "what was there before is no news");
  assert.equal(r.counts[r.counts.length - 1], 1);
  const ticket = { id: "17", conversation: { state: "Open", readUpTo: 0 } };
  const news = { ...push("ticket.message", { ticket, transaction: transaction(3, "User") }, 5, 4) };
  socket.say(push("signal", { name: "typing", audience: "staff" }));
  assert.equal(r.session.typing, true);
  socket.say(news);
  socket.say(news);
  assert.deepEqual(r.events, [["newMessage"], ["message", 3]]);
  assert.equal(r.session.typing, false, "a message ends it");
  socket.say(push("signal", { name: "typing", audience: "staff" }));
  r.env.pass(TYPING_LEASE - 1);
  assert.equal(r.session.typing, true);
  r.env.pass(1);
  assert.equal(r.session.typing, false, "it lapses");
  r.session.setReading(true);
  r.env.pass(300);
  const read = socket.take("command");
  assert.deepEqual([read["command"].name, read["command"].params], ["message.read", { ticket: "17", upTo: 3 }]);
  socket.say(push("ticket.called", { ticket: { ...ticket, publicId: "A-42", status: "CALLED", calledAt: "2026-11-22T10:02:00.000Z" } }, 6, 5));
  assert.deepEqual(r.called, ["A-42"]);
  r.session.send("On my way", []);
  const said = socket.take("command")["command"];
  assert.equal(said.name, "message.send");
  assert.equal(said.key, said.params.clientId, "one key, from the bubble to the journal");
  r.session.typed();
  r.session.typed();
  assert.ok(socket.take("signal"));
  assert.equal(socket.has("signal"), false, "not with every key");
  r.session.stop();
});

test("a conversation that was erased, or is somebody else's, leaves nothing in the browser", async () => {
  const r = rig({ session: KEPT, draft: "half", "out.z": JSON.stringify({ id: "z", text: "secret", files: [], at: 1 }) });
  r.session.wake();
  const socket = await r.connect(thread([transaction(1, "Client")]));
  socket.say(push("ticket.erased", { ticket: { id: "17", erased: true } }, 5, 4));
  assert.deepEqual([r.session.active, [...r.store.values.keys()]], [false, []]);
  const token = (aud: string) => `x.${btoa(JSON.stringify({ aud }))}.y`;
  assert.equal(identityOf(token("A-B")), "a-b");
  assert.equal(identityOf(undefined), undefined);
  const other = rig({ session: JSON.stringify({ token: "t", ticket: "17", identity: "ida" }) }, token("omar"));
  other.session.wake();
  assert.deepEqual([other.session.active, other.store.get("session")], [false, undefined]);
  const signedOut = rig({ session: JSON.stringify({ token: "t", ticket: "17", identity: "ida" }) });
  signedOut.session.wake();
  assert.equal(signedOut.session.active, false);
});
