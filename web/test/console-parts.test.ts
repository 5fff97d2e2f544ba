// The pure parts of the console: unread, the timeline, what is on its way, drafts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HubError } from "../src/client/index";
import { findReplies } from "../src/console/canned";
import { CHAT_LISTS, chatsIn, clientReadUpTo, listOf, unread } from "../src/console/chats";
import { DeskChoice } from "../src/console/desk";
import { screenTroubles } from "../src/console/people";
import { heldUntil, nextOf } from "../src/console/queue";
import { Conversation, foldConsole, noteEnded, readConsole, StaffTicket } from "../src/console/state";
import { Drafts } from "../src/console/storage";
import { markOf, timeline, Transaction } from "../src/console/timeline";
import { Give, Outgoing } from "../src/console/unsent";

const ME = "me@example.com";
const staff = (userName: string, readUpTo: number) => ({ id: 2, name: "", type: "User", userName, readUpTo });
const client = (readUpTo: number) => ({ id: 1, name: "", type: "Client", readUpTo });
const ticket = (id: string, extra: Partial<StaffTicket> = {}): StaffTicket =>
  ({ id, publicId: `A-${id}`, key: `A-${id}.1`, status: "NEW", line: 1, recalls: 0, ...extra });

/** Stands in for the browser's storage. */
function storage(): Map<string, string> {
  const kept = new Map<string, string>();
  (globalThis as any).localStorage = {
    getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v), removeItem: (k: string) => kept.delete(k),
  };
  return kept;
}

test("unread is what lies between the cursor and the visitor's last message", () => {
  const talk = (clientFrom: number, clientSeq: number, ...participants: any[]): Conversation => ({ clientFrom, clientSeq, participants });
  assert.equal(unread(undefined, ME), 0);
  assert.equal(unread({ state: "Open", seq: 4 }, ME), 0, "only we have written");
  assert.equal(unread(talk(2, 3), ME), 2, "nobody takes part yet");
  assert.equal(unread(talk(2, 3, staff(ME, 2)), ME), 1);
  assert.equal(unread(talk(2, 3, staff(ME, 3)), ME), 0);
  assert.equal(unread(talk(5, 6, staff(ME, 0)), ME), 2, "what was answered does not count again");
  assert.equal(unread(talk(2, 3, staff("other@example.com", 3)), ME), 0, "a colleague has read it");
  assert.equal(unread(talk(2, 3, staff("other@example.com", 3), staff(ME, 0)), ME), 2, "but where I take part, my own cursor counts");
  assert.equal(clientReadUpTo(talk(0, 0, client(3), staff(ME, 9))), 3);
});

test("every conversation is in exactly one list", () => {
  const state = readConsole({ tickets: [
    ticket("1", { conversation: { state: "Open", owner: { user: 7 } } }), ticket("2", { conversation: { state: "Open", owner: null } }),
    ticket("3", { conversation: { state: "Open", owner: { user: 8 } } }), ticket("4", { conversation: { state: "Pending" } }),
    ticket("5", { conversation: { state: "Snoozed" } }), ticket("6", { conversation: { state: "Closed" } }), ticket("7"),
  ] });
  noteEnded(state, ticket("8", { status: "SERVED", conversation: { state: "Closed" } }));
  assert.deepEqual(CHAT_LISTS.map((list) => chatsIn(state, list, 7).map((t) => t.id)), [["1"], ["2"], ["3"], ["4"], ["5"], ["8", "6"]]);
  assert.equal(listOf(ticket("9"), 7), undefined);
});

test("the newest activity stands first", () => {
  const at = (id: string, lastActivity: string) => ticket(id, { conversation: { state: "Open", owner: { user: 7 }, lastActivity } });
  const state = readConsole({ tickets: [at("1", "2026-11-21T10:00:00Z"), at("2", "2026-11-21T11:00:00Z")] });
  assert.deepEqual(chatsIn(state, "mine", 7).map((t) => t.id), ["2", "1"]);
});

test("what ended is kept for a while, and an erased person is not", () => {
  const state = readConsole({ tickets: [ticket("1"), ticket("2")] });
  const push = (type: string, of: StaffTicket, offset: number) => foldConsole(state, { push: type, channel: "console:1", offset, prev: offset - 1, time: "", data: { ticket: of } });
  push("ticket.noshow", ticket("1", { status: "NOSHOW" }), 1);
  push("ticket.cancelled", ticket("2", { status: "CANCELLED_BY_CLERK" }), 2);
  assert.deepEqual([...state.ended.keys()], ["1", "2"]);
  push("ticket.returned", ticket("1"), 3);
  assert.deepEqual([[...state.ended.keys()], [...state.tickets.keys()]], [["2"], ["1"]]);
  push("ticket.erased", ticket("2", { publicId: "", status: "ERASED" }), 4);
  assert.equal(state.ended.size, 0);
});

test("a line's figures do not say that it is open again", () => {
  const state = readConsole({ lines: [{ id: 1, name: "A", disabled: true }] });
  foldConsole(state, { push: "ticket.created", channel: "console:1", offset: 1, prev: 0, time: "", data: { lines: [{ id: 1, name: "A", waiting: 3 }] } });
  assert.deepEqual(state.lines, [{ id: 1, name: "A", disabled: true, waiting: 3 }]);
});

test("next is who waits in turn, is not held and not kept for a colleague", () => {
  const until = "2026-11-21T10:05:00Z";
  const now = Date.parse("2026-11-21T10:00:00Z");
  const list = [
    ticket("1", { answer: { kind: "needTime", at: "", until } }), ticket("2", { assigned: { assignee: 8 } }),
    ticket("3", { assigned: { assignee: 9 } }), ticket("4"),
  ];
  const users = [{ id: 7, email: ME }, { id: 8, email: "b" }];
  assert.equal(nextOf(list, 7, users, now)?.id, "3", "who was removed keeps nobody");
  assert.equal(nextOf(list, 8, users, now)?.id, "2");
  assert.equal(nextOf(list, 7, users, Date.parse(until))?.id, "1", "the time is up");
  assert.equal(heldUntil(list[0]!, now), Date.parse(until));
});

const said = (seq: number, dateTime: string, extra: Partial<Transaction> = {}): Transaction =>
  ({ seq, dateTime, type: "Message", text: "x", status: "Delivered", fromParticipant: staff(ME, 0), ...extra });
const names = { user: () => "Ann", desk: () => "Desk 1", line: () => "Passports" };

test("one timeline: messages, changes and calls by time, what is unsent last and never twice", () => {
  const visit = ticket("1", { created: { date: "2026-11-21T10:00:00Z" }, interactions: [{ start: "2026-11-21T10:02:00Z", end: "2026-11-21T10:04:00Z", line: 1 }] });
  const unsent = ["k1", "k2"].map((key) => ({ key, ticket: "1", text: key, note: false, files: [], at: 0, state: "sending" as const }));
  const entries = timeline(visit, [
    said(2, "2026-11-21T10:03:00Z", { clientId: "k1" }), said(1, "2026-11-21T10:01:00Z", { type: "TicketOpened" }), said(3, "2026-11-21T10:03:00Z"),
  ], unsent, names);
  assert.deepEqual(entries.map((e) => (e.kind === "event" ? e.event : e.kind === "said" ? e.seq : e.unsent.key)),
    ["Joined", "TicketOpened", "Called", 2, 3, "CallEnded", "k2"]);
  assert.equal(new Set(entries.map((e) => e.key)).size, entries.length, "keys are unique");
});

test("marks of what we sent", () => {
  const one = said(5, "");
  assert.equal(markOf(one, 4), "delivered");
  assert.equal(markOf(one, 5), "read");
  assert.equal(markOf(said(5, "", { status: "NEW" }), 0), "sent");
  assert.equal(markOf(said(5, "", { status: "INVALID_NUMBER" }), 0), "failed");
});

test("canned replies: every word, titles first", () => {
  const replies = [{ id: 1, title: "Hours", text: "Bring your passport" }, { id: 2, title: "Passport", text: "..." }, { id: 3, title: "Other", text: "..." }];
  assert.deepEqual(findReplies(replies, "pass").map((r) => r.id), [2, 1]);
  assert.deepEqual(findReplies(replies, "hours bring").map((r) => r.id), [1]);
  assert.equal(findReplies(replies, "").length, 3);
});

test("drafts are kept per ticket and user, and the oldest and stale ones are let go", () => {
  const kept = storage();
  let now = 1000;
  new Drafts(1, () => now).set("17", "half a sent", true);
  assert.deepEqual(new Drafts(1, () => now).get("17"), { text: "half a sent", note: true, at: 1000 });
  assert.equal(new Drafts(2, () => now).get("17"), undefined);
  const mine = new Drafts(1, () => ++now);
  for (let i = 0; i < 150; i++) mine.set(`t${i}`, "x", false);
  assert.equal(mine.get("t0"), undefined);
  assert.ok(mine.get("t149"));
  now += 8 * 24 * 3600 * 1000;
  mine.set("new", "x", false);
  assert.deepEqual([mine.get("t149"), mine.get("new")?.text], [undefined, "x"]);
  mine.set("new", "", false);
  assert.equal(mine.get("new"), undefined);
  mine.clear();
  assert.equal(kept.size, 0);
});

test("damaged storage is no reason to fail", () => {
  storage().set("nowserving.drafts.1", "{damaged");
  assert.equal(new Drafts(1).get("1"), undefined);
});

/** A hub that answers by hand. */
function byHand() {
  const asked: Array<{ name: string; params: any; key: string; answer: (error?: HubError) => Promise<void> }> = [];
  const give: Give = (name, params, key) => new Promise((resolve, reject) => {
    asked.push({ name, params, key, answer: async (error) => {
      if (error) reject(error);
      else resolve({ offset: 1 });
      await new Promise((done) => setImmediate(done));
    } });
  });
  return { asked, give };
}
const away = new HubError({ code: "timed_out", message: "" });
const refused = new HubError({ code: "conflict", message: "closed" });

test("a message keeps its key until it is known what became of it, over a reload too", async () => {
  storage();
  const { asked, give } = byHand();
  const out = new Outgoing(1, give, (e) => e.message, () => undefined, () => 5);
  out.add("17", "hello", false, [{ id: "f1", name: "a.txt" }]);
  assert.deepEqual([asked[0]!.name, asked[0]!.params], ["message.send", { ticket: "17", text: "hello", clientId: asked[0]!.key, files: ["f1"] }]);
  await asked[0]!.answer(away);
  assert.equal(out.of("17")[0]!.state, "waiting");
  const reloaded = new Outgoing(1, give, (e) => e.message, () => undefined);
  reloaded.flush();
  assert.equal(asked[1]!.key, asked[0]!.key, "the same key, so it happens once");
  await asked[1]!.answer();
  assert.deepEqual(reloaded.of("17"), []);
});

test("a page that closed while it was sending sends again, a refusal is tried with another key", async () => {
  storage();
  const { asked, give } = byHand();
  new Outgoing(1, give, (e) => e.message, () => undefined).add("17", "hello", false, []);
  const out = new Outgoing(1, give, (e) => e.message, () => undefined);
  assert.equal(out.of("17")[0]!.state, "waiting");
  out.flush();
  await asked[1]!.answer(refused);
  assert.deepEqual([out.of("17")[0]!.state, out.of("17")[0]!.problem], ["refused", "closed"]);
  out.flush();
  assert.equal(asked.length, 2, "a refusal is not repeated by itself");
  out.retry(asked[1]!.key);
  assert.notEqual(asked[2]!.key, asked[1]!.key);
  await asked[2]!.answer();
  assert.deepEqual(out.of("17"), []);
});

test("notes go as notes; what is dropped does not come back with its answer", async () => {
  storage();
  const { asked, give } = byHand();
  const out = new Outgoing(1, give, (e) => e.message, () => undefined);
  out.add("17", "between us", true, []);
  assert.deepEqual([asked[0]!.name, asked[0]!.params], ["note.add", { ticket: "17", text: "between us" }]);
  assert.equal(out.drop(asked[0]!.key)?.text, "between us");
  await asked[0]!.answer(refused);
  assert.deepEqual(out.of("17"), []);
});

test("a desk that the hub refuses is not kept; the last line cannot be left", async () => {
  const state = readConsole({ desks: [{ id: 1, name: "1" }, { id: 2, name: "2" }], lines: [{ id: 1, name: "A" }, { id: 2, name: "B" }, { id: 3, name: "C", disabled: true }], users: [{ id: 7, email: ME, desk: 1 }] });
  let done: (done: boolean) => void = () => undefined;
  const told: object[] = [];
  const choice = new DeskChoice(7, (params) => {
    told.push(params);
    return new Promise((resolve) => (done = resolve));
  });
  choice.setDesk(2);
  assert.equal(choice.desk(state), 2, "at once");
  done(false);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(choice.desk(state), 1, "and back");
  assert.deepEqual([...choice.lines(state)], [1, 2]);
  assert.equal(choice.toggleLine(state, 1, false), true);
  assert.equal(choice.toggleLine(state, 2, false), false);
  assert.deepEqual(told, [{ desk: 2 }, { lines: [2] }]);
});

test("the console names what is wrong with a screen", () => {
  const device = {
    display: 1, engine: "Chrome 79", version: "v", layout: "focus", sound: "open", drift: 300, width: 1920, height: 1080,
    receipt: 9, seen: "2026-11-21T10:43:00.000Z", speaks: true,
  };
  const now = Date.parse("2026-11-21T10:43:05Z");
  const tv = { id: 1, name: "TV", online: true };
  assert.deepEqual(screenTroubles(tv, device, now), []);
  assert.deepEqual(screenTroubles(tv, { ...device, sound: "locked" }, now), ["sound.locked"]);
  assert.deepEqual(screenTroubles({ ...tv, mute: true }, { ...device, sound: "locked" }, now), []);
  assert.deepEqual(screenTroubles(tv, { ...device, drift: -90000 }, now), ["screenDrift"]);
  assert.deepEqual(screenTroubles(tv, device, now + 60000), ["screenStuck"]);
  assert.deepEqual(screenTroubles({ ...tv, online: false }, device, now + 60000), []);
});
