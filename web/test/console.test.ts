import assert from "node:assert/strict";
import { test } from "node:test";
import { Receipts } from "../src/console/receipts";
import { calledTickets, foldConsole, readConsole, waitingIn } from "../src/console/state";
import { disabledReason, duration, errorWords, shownWords } from "../src/console/words";
import { HubError, Push } from "../src/client/index";

const ticket = (id: string, status: string, extra: object = {}) =>
  ({ id, publicId: `A-${id}`, key: `A-${id}.20261121`, status, line: 1, recalls: 0, ...extra });

function push(type: string, data: any, offset?: number): Push {
  const base = { push: type, channel: "console:1", time: "2026-11-21T10:42:05.120Z", data };
  return offset ? { ...base, offset, prev: offset - 1 } : base;
}

test("tickets are replaced by id and leave when they are over", () => {
  const state = readConsole({ tickets: [ticket("1", "NEW", { order: "a" }), ticket("2", "NEW", { order: "b" })] });
  foldConsole(state, push("ticket.called", { ticket: ticket("1", "CALLED", { called: { date: "2026", desk: 3 } }) }, 6));
  assert.deepEqual(calledTickets(state).map((t) => t.id), ["1"]);
  assert.deepEqual(waitingIn(state, undefined).map((t) => t.id), ["2"]);
  assert.equal(state.calls.get("1"), 6);
  foldConsole(state, push("ticket.served", { ticket: ticket("1", "SERVED") }, 7));
  assert.equal(state.tickets.has("1"), false);
  assert.equal(state.calls.size, 0);
});

test("an ended ticket with an open conversation is kept", () => {
  const state = readConsole({ tickets: [ticket("1", "CALLED")] });
  foldConsole(state, push("ticket.served", { ticket: ticket("1", "SERVED", { conversation: { state: "Open" } }) }, 7));
  assert.equal(state.tickets.has("1"), true);
  foldConsole(state, push("ticket.state", { ticket: ticket("1", "SERVED", { conversation: { state: "Closed" } }) }, 8));
  assert.equal(state.tickets.has("1"), false);
});

test("an erased person is gone; a number that still waits is not", () => {
  const state = readConsole({ tickets: [ticket("1", "NEW", { firstName: "Ida" }), ticket("2", "NEW", { firstName: "Bo" })] });
  foldConsole(state, push("ticket.erased", { ticket: ticket("1", "NEW") }, 7));
  assert.equal(JSON.stringify([...state.tickets.values()]).includes("Ida"), false);
  assert.equal(state.tickets.get("1")!.publicId, "A-1");
  foldConsole(state, push("ticket.erased", { ticket: { id: "2", status: "ERASED" } }, 8));
  assert.equal(state.tickets.has("2"), false);
});

test("waiting is in the hub's order and only of the chosen lines", () => {
  const state = readConsole({ tickets: [ticket("1", "NEW", { order: "b" }), ticket("2", "NEW", { order: "a" }), ticket("3", "NEW", { order: "0", line: 2 })] });
  assert.deepEqual(waitingIn(state, new Set([1])).map((t) => t.id), ["2", "1"]);
});

test("lines, desks, users and displays: replaced, added, removed", () => {
  const state = readConsole({ lines: [{ id: 2, name: "B" }], displays: [{ id: 1, name: "TV" }] });
  foldConsole(state, push("line.changed", { line: { id: 1, name: "A" } }, 1));
  foldConsole(state, push("desk.changed", { desk: { id: 1, name: "1" } }, 2));
  foldConsole(state, push("user.changed", { user: { id: 4, email: "a@b" } }, 3));
  foldConsole(state, push("display.changed", { display: { id: 1, name: "Lobby" } }, 4));
  assert.deepEqual([state.lines.map((l) => l.id), state.desks.length, state.users.length, state.displays[0]!.name], [[1, 2], 1, 1, "Lobby"]);
  foldConsole(state, push("line.changed", { line: { id: 2 }, removed: true }, 5));
  assert.deepEqual(state.lines.map((l) => l.id), [1]);
});

test("a screen is online while any of its sessions is", () => {
  const state = readConsole({ displays: [{ id: 1, name: "TV", online: false }] });
  const presence = (session: string, online: boolean) =>
    foldConsole(state, push("presence", { session, display: 1, audience: "display", online }));
  presence("s-1", true);
  presence("s-2", true);
  presence("s-1", false);
  assert.equal(state.displays[0]!.online, true);
  presence("s-2", false);
  assert.equal(state.displays[0]!.online, false);
});

test("a snapshot says which screens are online, and a rename does not change it", () => {
  const state = readConsole({
    displays: [{ id: 1, name: "TV" }, { id: 2, name: "Door" }],
    presence: [{ session: "s-1", name: "board", audience: "display", display: 1 }],
  });
  assert.deepEqual(state.displays.map((d) => d.online), [true, false]);
  foldConsole(state, push("display.changed", { display: { id: 1, name: "Lobby" } }, 5));
  assert.deepEqual(state.displays.map((d) => [d.name, d.online]), [["Lobby", true], ["Door", false]]);
});

test("receipts are counted per screen and per call", () => {
  const receipts = new Receipts();
  const displays = [{ id: 1, name: "a", online: true }, { id: 2, name: "b", online: false }, { id: 3, name: "door", kind: "kiosk", online: true }];
  const receipt = (display: number, offset: number, spoken: boolean) =>
    receipts.take(push("receipt", { display, offset, painted: true, spoken }));
  receipt(1, 6, false);
  receipt(1, 6, true);
  receipt(2, 5, true);
  assert.deepEqual(receipts.shown(6, displays), { painted: 1, spoken: 1, screens: 2, offline: 1, silent: 0, rooms: 1, heard: 1 });
  assert.equal(shownWords(receipts.shown(6, displays)), "Shown on 1/2 screens, sound ok (1 offline)");
  receipt(2, 6, false);
  assert.equal(receipts.shown(6, displays).painted, 2);
  assert.equal(receipts.shown(7, displays).silent, 1, "one that is there has not shown it");
  for (let i = 100; i < 400; i++) receipt(1, i, false);
  assert.equal(receipts.shown(6, displays).painted, 0, "old calls are let go");
});

test("lines are in the order that the branch gave them", () => {
  const state = readConsole({ lines: [{ id: 1, name: "a", rank: 2 }, { id: 2, name: "b", rank: 1 }] });
  assert.deepEqual(state.lines.map((l) => l.id), [2, 1]);
  foldConsole(state, push("line.changed", { line: { id: 2, name: "b", rank: 3 } }, 7));
  assert.deepEqual(state.lines.map((l) => l.id), [1, 2]);
});

test("errors and states in words", () => {
  const words = (code: string, message = "") => errorWords(new HubError({ code, message }));
  assert.equal(words("conflict", "A-42 was already called to desk 2"), "A-42 was already called to desk 2.");
  assert.equal(words("empty"), "Nobody is waiting in your lines.");
  assert.equal(words("internal", "x"), "Something went wrong at the hub. Try again.");
  assert.equal(disabledReason({ state: "live" }), "");
  for (const state of ["connecting", "stale", "offline", "final"] as const) {
    assert.notEqual(disabledReason({ state }), "", state);
  }
  assert.deepEqual([duration(0), duration(67000), duration(3787000), duration(-5)], ["0:00", "1:07", "1:03:07", "0:00"]);
});
