// The pure parts of the visitor's page: the fold of one ticket, what is unread,
// messages on their way, and links in texts.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Push } from "../src/client/index";
import { target } from "../src/common/thread";
import type { Ticket, Transaction } from "../src/common/visit";
import { wantedLanguages } from "../src/visitor/language";
import { linkify } from "../src/visitor/linkify";
import { Outgoing, OutgoingQueue } from "../src/visitor/outgoing";
import { callMark, choiceOf, deliveryOf, foldVisit, readUpTo, readVisit, stageOf, unread, Visit, withOlder } from "../src/visitor/visit";

const ticket = (more: Partial<Ticket> = {}): Ticket => ({
  id: "17", publicId: "A-42", status: "NEW", position: 3, wait: { min: 5, max: 15 }, location: { id: 1, name: "Main Street" }, ...more,
});
const entry = (seq: number, more: Partial<Transaction> = {}): Transaction => ({
  seq, dateTime: "2026-11-22T10:00:00.000Z", type: "Message", text: `text ${seq}`, status: "Delivered", fromType: "User", attachments: [], ...more,
});
const push = (name: string, data: Push["data"]): Push => ({ push: name, channel: "ticket:17", time: "2026-11-22T10:00:00.000Z", data });
const seqs = (visit: Visit): number[] => visit.entries.map((one) => one.seq);

test("a ticket is replaced as a whole, an entry by its number", () => {
  let visit = readVisit({ ticket: ticket(), transactions: [entry(2), entry(1)] });
  assert.deepEqual(seqs(visit), [1, 2]);
  visit = foldVisit(visit, push("ticket.message", { ticket: ticket({ position: 2 }), transaction: entry(3) }));
  visit = foldVisit(visit, push("ticket.message", { ticket: ticket({ position: 2 }), transaction: entry(3, { text: "again" }) }));
  assert.deepEqual(seqs(visit), [1, 2, 3]);
  assert.equal(visit.entries[2]!.text, "again");
  assert.equal(visit.ticket.position, 2);
  const { position: _, wait: __, ...called } = ticket({ status: "CALLED", desk: { id: 3, name: "3" } });
  visit = foldVisit(visit, push("ticket.called", { ticket: called }));
  assert.equal(visit.ticket.position, undefined);
  assert.equal(stageOf(visit.ticket), "called");
});

test("a position push changes the place and nothing else, and takes it away", () => {
  const before = readVisit({ ticket: ticket(), transactions: [entry(1)] });
  const moved = foldVisit(before, push("position", { position: 2, wait: { min: 0, max: 5 } }));
  assert.deepEqual([moved.ticket.position, moved.ticket.wait], [2, { min: 0, max: 5 }]);
  assert.equal(before.ticket.position, 3, "the fold is pure");
  const unknown = foldVisit(moved, push("position", { position: 1 }));
  assert.equal(unknown.ticket.wait, undefined, "an old range is not kept beside a new place");
  assert.equal(foldVisit(unknown, push("position", {})).ticket.position, undefined);
  // It is ephemeral and may come late: a called ticket has no place any more.
  const called = foldVisit(before, push("ticket.called", { ticket: { id: "17", status: "CALLED", location: { id: 1, name: "x" } } }));
  assert.equal(foldVisit(called, push("position", { position: 1 })).ticket.position, undefined);
});

test("a fresh snapshot keeps what was loaded of the past only if it joins on", () => {
  const known = withOlder(readVisit({ ticket: ticket(), transactions: [entry(11), entry(12)] }), [entry(9), entry(10)]);
  assert.deepEqual(seqs(known), [9, 10, 11, 12]);
  assert.deepEqual(seqs(readVisit({ ticket: ticket(), transactions: [entry(12), entry(13)] }, known)), [9, 10, 11, 12, 13]);
  assert.deepEqual(seqs(readVisit({ ticket: ticket(), transactions: [entry(20)] }, known)), [20], "what lies between is not known");
  assert.deepEqual(seqs(readVisit({ ticket: ticket({ id: "18" }), transactions: [entry(12)] }, known)), [12], "another ticket");
  assert.throws(() => readVisit({}));
});

test("unread is the cursor's arithmetic: the other side's messages after it", () => {
  const conversation = { state: "Open", readUpTo: 2 };
  const visit = readVisit({
    ticket: ticket({ conversation }),
    transactions: [entry(1), entry(2), entry(3), entry(4, { fromType: "Client" }), entry(5, { type: "TicketClosed", fromType: "System" }), entry(6)],
  });
  assert.equal(unread(visit), 2);
  assert.equal(readUpTo(visit), 6);
  const read = foldVisit(visit, push("ticket.message_status", { ticket: ticket({ conversation: { state: "Open", readUpTo: 6 } }) }));
  assert.equal(unread(read), 0);
  assert.equal(readUpTo(read), undefined);
});

test("how far an own message has come", () => {
  const own = (seq: number, status: string) => entry(seq, { fromType: "Client", status });
  const seen = ticket({ conversation: { state: "Open", readUpTo: 0, seenUpTo: 4 } });
  assert.equal(deliveryOf(own(4, "Delivered"), seen), "read");
  assert.equal(deliveryOf(own(5, "Delivered"), seen), "delivered");
  assert.equal(deliveryOf(own(5, "Read"), ticket()), "read");
  assert.equal(deliveryOf(own(5, "Sent"), ticket()), "sent");
  assert.equal(deliveryOf(own(5, "Failed"), ticket()), "failed");
});

test("each call and each recall is one mark, and a waiting ticket has none", () => {
  const called = ticket({ status: "CALLED", calledAt: "a" });
  assert.equal(callMark(ticket()), "");
  assert.notEqual(callMark(called), "");
  assert.equal(callMark(called), callMark({ ...called, desk: { id: 2, name: "2" } }));
  assert.notEqual(callMark(called), callMark({ ...called, recalls: 1 }));
  assert.notEqual(callMark(called), callMark({ ...called, calledAt: "b" }));
});

test("only http addresses become links, and what a sentence puts behind them stays out", () => {
  assert.deepEqual(linkify("see https://a.example/x?y=1, or http://b.example."), [
    { text: "see " }, { text: "https://a.example/x?y=1", href: "https://a.example/x?y=1" }, { text: ", or " },
    { text: "http://b.example", href: "http://b.example" }, { text: "." },
  ]);
  for (const text of ["javascript:alert(1)", "data:text/html,<b>", "ftp://x.example", "https://", "<a href=x>", "https://user@evil.example/"]) {
    assert.ok(linkify(text).every((piece) => piece.href === undefined), text);
  }
  for (const text of ["", "plain", "a https://a.example b https://b.example"]) {
    assert.equal(linkify(text).map((piece) => piece.text).join(""), text, "no letter is lost");
  }
});

test("the language: chosen on the page, then on the ticket, then the phone's", () => {
  assert.deepEqual(wantedLanguages("fr", "ar", ["de"]), ["fr", "ar", "de", "ar"]);
  assert.deepEqual(wantedLanguages("", "ar", ["de", "en"])[0], "ar");
  assert.deepEqual(wantedLanguages("", "en", ["de"])[0], "de", "English on a ticket may only mean that nobody was asked");
  assert.deepEqual(wantedLanguages("", "", ["de"]), ["de"]);
});

/** A queue whose hub answers when the test says so. */
function queue(saved: Outgoing[] = []) {
  const sent: Outgoing[] = [];
  const answers: Array<(error?: { code: string; retryAfter?: number }) => void> = [];
  const timers: Array<{ ms: number; run: () => void }> = [];
  let keys = 0;
  let kept: Outgoing[] = [];
  const q = new OutgoingQueue({
    key: () => `k${++keys}`,
    after: (ms, run) => {
      const timer = { ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    send: (message) => new Promise((resolve, reject) => {
      sent.push(message);
      answers.push((error) => (error ? reject(error) : resolve(undefined)));
    }),
    save: (messages) => { kept = messages; },
    changed: () => undefined,
  }, saved);
  const settle = async (error?: { code: string; retryAfter?: number }) => {
    answers.shift()!(error);
    await new Promise(setImmediate);
  };
  const states = () => q.list.map((message) => `${message.key}:${message.state}`);
  return { q, sent, settle, timers, states, kept: () => kept };
}

test("messages go one after the other, and only while the hub is there", async () => {
  const { q, sent, settle, states } = queue();
  q.add("one", []);
  q.add("two", []);
  assert.deepEqual(states(), ["k1:waiting", "k2:waiting"]);
  q.setLive(true);
  q.add("three", []);
  assert.deepEqual(sent.map((m) => m.text), ["one"], "the others wait for the first");
  await settle();
  assert.deepEqual(sent.map((m) => m.text), ["one", "two"]);
  assert.deepEqual(states(), ["k1:sent", "k2:sending", "k3:waiting"]);
  q.arrived(new Set(["k1"]));
  assert.deepEqual(states(), ["k2:sending", "k3:waiting"]);
});

test("without an answer a message goes again with the same key", async () => {
  const { q, sent, settle, timers, states } = queue();
  q.setLive(true);
  q.add("one", []);
  await settle({ code: "timed_out" });
  assert.deepEqual(states(), ["k1:waiting"]);
  timers.shift()!.run();
  await settle();
  assert.deepEqual(sent.map((m) => m.key), ["k1", "k1"]);
  assert.deepEqual(states(), ["k1:sent"]);
});

test("a hub that has too much to do is left alone for as long as it says", async () => {
  const { q, settle, timers, sent } = queue();
  q.setLive(true);
  q.add("one", []);
  await settle({ code: "rate_limited", retryAfter: 20 });
  assert.equal(timers[0]!.ms, 20000);
  q.add("two", []);
  assert.equal(sent.length, 1);
});

test("a refused message says so, stays, and does not hold up the next", async () => {
  const { q, sent, settle, states } = queue();
  q.setLive(true);
  q.add("one", []);
  q.add("two", []);
  await settle({ code: "bad_request" });
  assert.deepEqual(states(), ["k1:failed", "k2:sending"]);
  await settle();
  q.retry("k1");
  assert.equal(sent[2]!.key, "k1");
  await settle({ code: "bad_request" });
  q.drop("k1");
  assert.deepEqual(states(), ["k2:sent"]);
});

test("what was on its way when the page was loaded again goes on with its key", async () => {
  const first = queue();
  first.q.setLive(true);
  first.q.add("one", []);
  assert.deepEqual(first.kept().map((message) => message.key), ["k1"]);
  const second = queue(first.kept().map((message) => ({ ...message, key: "kept" })));
  assert.deepEqual(second.states(), ["kept:waiting"]);
  second.q.setLive(true);
  assert.equal(second.sent[0]!.key, "kept");
});

test("what is offered can be chosen once: by the last message, and not while an answer is on its way", () => {
  const payload = { quickReplies: [{ title: "Yes" }], enableFreeTextInput: false };
  const open = ticket({ conversation: { state: "Open", readUpTo: 0 } });
  const asked = readVisit({ ticket: open, transactions: [entry(1), entry(2, { payload })] });
  assert.deepEqual(choiceOf(asked, false), { payload, locked: true, seq: 2 });
  assert.equal(choiceOf(asked, true), undefined);
  const notice = { transaction: entry(3, { type: "TicketClosed", fromType: "System", text: "" }) };
  assert.equal(choiceOf(foldVisit(asked, push("ticket.message", notice)), false)?.seq, 2, "what happened is no answer");
  assert.equal(choiceOf(foldVisit(asked, push("ticket.message", { transaction: entry(3, { fromType: "Client" }) })), false), undefined);
  assert.equal(choiceOf(foldVisit(asked, push("ticket.message", { transaction: entry(3) })), false), undefined, "another question");
  const closed = foldVisit(asked, push("conversation.closed", { ticket: ticket({ conversation: { state: "Closed", readUpTo: 0 } }) }));
  assert.equal(choiceOf(closed, false)?.locked, false, "whoever writes opens it again");
  assert.equal(choiceOf(readVisit({ ticket: open, transactions: [entry(1, { payload: null })] }), false), undefined);
});

test("a card's button leads to a web page or a telephone, and to nothing else", () => {
  assert.equal(target({ title: "A", type: "web_url", uri: "https://help.example/a" }), "https://help.example/a");
  for (const uri of ["javascript:alert(1)", "data:text/html,x", "/t/x", "", undefined]) {
    assert.equal(target({ title: "A", type: "web_url", ...(uri === undefined ? {} : { uri }) }), "", uri);
  }
  assert.equal(target({ title: "A", type: "phone_number", data: "+3725550100" }), "tel:+3725550100");
  assert.equal(target({ title: "A", type: "phone_number", uri: "tel:+3725550100" }), "tel:+3725550100");
  assert.equal(target({ title: "A", type: "postback", data: "x", uri: "https://help.example/a" }), undefined);
});
