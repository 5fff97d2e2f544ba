// Reads the golden files that the Go side writes: the same scenarios must give
// the same board, and every frame must be one that this client understands.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Board, closeRule, foldBoard, Push, readBoard } from "../src/client/index";

const root = join(process.cwd(), "..");

function goldens(folder: string): Array<[string, any]> {
  const path = join(root, folder);
  if (!existsSync(path)) {
    return [];
  }
  return readdirSync(path)
    .filter((name) => name.endsWith(".json"))
    .map((name) => [name, JSON.parse(readFileSync(join(path, name), "utf8"))]);
}

interface Scenario {
  name: string;
  steps: Array<{ snapshot?: unknown; push?: Push }>;
  want: { serving?: string[]; recent?: string[]; waiting?: string[]; lines?: Array<{ id: number; waiting: number }> };
}

for (const [file, content] of goldens("display/board/testdata")) {
  const scenarios: Scenario[] = Array.isArray(content) ? content : [content];
  for (const scenario of scenarios) {
    test(`board scenario ${file}: ${scenario.name}`, () => {
      let board: Board = readBoard({});
      for (const step of scenario.steps) {
        board = step.push ? foldBoard(board, step.push) : readBoard(step.snapshot);
      }
      const keys = (list: Array<{ key: string }>) => list.map((ticket) => ticket.key);
      const { want } = scenario;
      if (want.serving) assert.deepEqual(keys(board.serving), want.serving, "serving");
      if (want.recent) assert.deepEqual(keys(board.recent), want.recent, "recent");
      if (want.waiting) assert.deepEqual(keys(board.waiting), want.waiting, "waiting");
      if (want.lines) assert.deepEqual(board.lines.map(({ id, waiting }) => ({ id, waiting })), want.lines, "lines");
    });
  }
}

const VERBS = ["connect", "subscribe", "unsubscribe", "command", "signal", "receipt", "ping"];
const CODES = ["bad_request", "unauthenticated", "forbidden", "not_found", "conflict", "empty", "too_large",
  "rate_limited", "unavailable", "internal"];

/** A golden file may wrap its frame; a frame is what has an id or a push. */
function frames(value: any): any[] {
  if (Array.isArray(value)) {
    return value.flatMap(frames);
  }
  if (value === null || typeof value !== "object") {
    return [];
  }
  if ("push" in value || "id" in value) {
    return [value];
  }
  return Object.values(value).flatMap(frames);
}

for (const [file, content] of goldens("hub/wire/testdata")) {
  test(`wire frame ${file}`, () => {
    for (const frame of frames(content)) {
      checkFrame(frame);
    }
  });
}

test("close codes mean here what they mean to the hub", { skip: !existsSync(join(root, "hub/wire/testdata/codes.json")) }, () => {
  const codes = JSON.parse(readFileSync(join(root, "hub/wire/testdata/codes.json"), "utf8"));
  assert.ok(codes.closings.length > 5);
  for (const { code, mayReturn, keepsPosition } of codes.closings) {
    const rule = closeRule(code);
    assert.deepEqual({ code, mayReturn: rule.back !== "never", keepsPosition: rule.keep }, { code, mayReturn, keepsPosition });
  }
});

function checkFrame(frame: any): void {
  if ("push" in frame) {
    assert.match(frame.push, /^[a-z_]+(\.[a-z_]+)?$/);
    assert.match(frame.channel, /^(board|console|ticket|display):[1-9][0-9]*$/);
    assert.match(frame.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal("offset" in frame, "prev" in frame, "offset and prev come together");
    assert.equal(typeof frame.data, "object");
  } else if ("error" in frame) {
    assert.ok(CODES.includes(frame.error.code), frame.error.code);
    assert.equal(typeof frame.error.message, "string");
  } else if (!("reply" in frame)) {
    assert.equal(VERBS.filter((verb) => verb in frame).length, 1, JSON.stringify(frame));
  }
}

const ticket = (key: string, status: string, extra: object = {}) => ({ key, publicId: key, status, line: 1, recalls: 0, ...extra });
const push = (type: string, data: any): Push => ({ push: type, channel: "board:1", offset: 1, prev: 0, time: "", data });

test("the fold does not change the board it is given", () => {
  const before = readBoard({ waiting: [ticket("A-1", "NEW", { order: "1" })], lines: [{ id: 1, name: "A", waiting: 1 }] });
  const copy = JSON.stringify(before);
  const after = foldBoard(before, push("ticket.called", {
    ticket: ticket("A-1", "CALLED", { calledAt: "2026-11-21T10:00:00.000Z" }),
    lines: [{ id: 1, name: "A", waiting: 0 }],
  }));
  assert.equal(JSON.stringify(before), copy);
  assert.deepEqual([after.waiting.length, after.serving[0]!.key, after.lines[0]!.waiting], [0, "A-1", 0]);
});

test("a ticket has one place, by its status", () => {
  let board = readBoard({});
  const at = "2026-11-21T10:00:00.000Z";
  const steps: Array<[string, any, string]> = [
    ["ticket.created", ticket("A-1", "NEW"), "waiting"],
    ["ticket.called", ticket("A-1", "CALLED", { calledAt: at }), "serving"],
    ["ticket.noshow", ticket("A-1", "NOSHOW", { calledAt: at }), "recent"],
    ["ticket.returned", ticket("A-1", "NEW"), "waiting"],
    ["ticket.cancelled", ticket("A-1", "CANCELLED_BY_CLERK"), ""],
    ["ticket.served", ticket("A-1", "SERVED"), ""],
    ["ticket.erased", ticket("A-1", "ERASED", { calledAt: at }), ""],
  ];
  for (const [type, t, place] of steps) {
    board = foldBoard(board, push(type, { ticket: t }));
    const where = (["serving", "recent", "waiting"] as const).filter((list) => board[list].length);
    assert.deepEqual(where, place ? [place] : [], type);
  }
});

test("recent is cut to twelve, newest call first, ties by key", () => {
  let board = readBoard({});
  for (let i = 0; i < 20; i++) {
    const minute = String(Math.floor(i / 2)).padStart(2, "0");
    board = foldBoard(board, push("ticket.served", { ticket: ticket(`A-${100 - i}`, "SERVED", { calledAt: `2026-11-21T10:${minute}:00.000Z` }) }));
  }
  assert.equal(board.recent.length, 12);
  assert.deepEqual(board.recent.slice(0, 4).map((t) => t.key), ["A-81", "A-82", "A-83", "A-84"]);
});

test("lines and desks: replaced by id, appended in order, removed; unknown lines are not made up", () => {
  let board = readBoard({ lines: [{ id: 2, name: "B", waiting: 0 }], desks: [{ id: 5, name: "5" }] });
  board = foldBoard(board, push("line.changed", { line: { id: 1, name: "A", waiting: 3 } }));
  board = foldBoard(board, push("desk.changed", { desk: { id: 5, name: "five" } }));
  assert.deepEqual(board.lines.map((l) => l.id), [1, 2]);
  assert.deepEqual(board.desks, [{ id: 5, name: "five" }]);
  board = foldBoard(board, push("line.changed", { line: { id: 2 }, removed: true }));
  board = foldBoard(board, push("ticket.created", { ticket: ticket("B-1", "NEW"), lines: [{ id: 2, name: "B", waiting: 1 }] }));
  assert.deepEqual(board.lines.map((l) => l.id), [1]);
  board = foldBoard(board, push("location.changed", { location: { id: 1, name: "New" }, settings: { theme: "light" } }));
  assert.deepEqual([board.location.name, board.settings], ["New", { theme: "light" }]);
});

test("a ticket without a key is refused, so that a snapshot is asked for", () => {
  assert.throws(() => foldBoard(readBoard({}), push("ticket.called", { ticket: { status: "CALLED" } })));
});
