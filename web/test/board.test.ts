import assert from "node:assert/strict";
import { test } from "node:test";
import { Announcer, Call, HOLD, HOLD_BURST, HOLD_MIN } from "../src/board/announcer";
import { lookOf, Look } from "../src/board/look";
import { CALLED_FOR, Moment, viewOf as view } from "../src/board/model";
import { isFresh, Newsroom } from "../src/board/news";
import { ZoneClock } from "../src/board/time";
import { Board, Push, readBoard } from "../src/client/index";
import { FakeEnv } from "./fake";

const AT = "2026-11-21T10:42:05.120Z";
const NOW = Date.parse(AT);
const CHIME = 1150;
const SPEECH = 2000;

function call(publicId: string, times = 1): Call {
  return { key: publicId, publicId, desk: "Desk 3", times, offset: 7 };
}

interface Stage {
  env: FakeEnv;
  announcer: Announcer;
  log: string[];
}

/** A stage whose sounds take their time; log says what happened, in order. */
function stage(locked = false, speech = SPEECH): Stage {
  const env = new FakeEnv();
  const log: string[] = [];
  const announcer = new Announcer((ms, run) => env.after(ms, run), {
    show: (c) => log.push(`show ${c.publicId}`),
    rest: () => log.push("rest"),
    chime: (done) => {
      log.push("chime");
      if (locked) done(false);
      else env.after(CHIME, () => done(true));
    },
    speak: (c, done) => {
      log.push(`speak ${c.publicId}`);
      env.after(speech, () => done(true));
    },
    heard: (c, sounded) => log.push(`${sounded ? "heard" : "silent"} ${c.publicId}`),
  });
  return { env, announcer, log };
}

test("two calls 200 ms apart: both shown, chimed and spoken, in order, none cut", () => {
  const { env, announcer, log } = stage();
  announcer.add(call("A-42"));
  env.pass(200);
  announcer.add(call("A-43"));
  assert.deepEqual(log, ["show A-42", "chime"]);
  env.pass(HOLD_MIN - 201);
  assert.deepEqual(log, ["show A-42", "chime", "speak A-42", "heard A-42"]);
  env.pass(1);
  assert.equal(announcer.announcing!.publicId, "A-43");
  env.pass(HOLD);
  assert.deepEqual(log.slice(4), ["show A-43", "chime", "speak A-43", "heard A-43", "rest"]);
});

test("a voice that takes longer than the hold is heard out", () => {
  const { env, announcer, log } = stage(false, HOLD * 2);
  announcer.add(call("A-42"));
  announcer.add(call("A-43"));
  env.pass(HOLD * 2);
  assert.deepEqual(log, ["show A-42", "chime", "speak A-42"]);
  env.pass(HOLD);
  assert.deepEqual(log.slice(3, 5), ["heard A-42", "show A-43"]);
});

test("a call alone is held 8 s; one that comes after 6 s does not wait longer", () => {
  const { env, announcer, log } = stage();
  announcer.add(call("A-42"));
  env.pass(HOLD - 1);
  assert.equal(log.includes("rest"), false);
  announcer.add(call("A-43"));
  assert.equal(announcer.announcing!.publicId, "A-43");
  env.pass(HOLD);
  assert.equal(announcer.announcing, undefined);
});

test("a burst collapses to chimes, and each call still gets one", () => {
  const { env, announcer, log } = stage();
  for (let i = 1; i <= 8; i++) announcer.add(call(`A-${i}`));
  env.pass(60000);
  assert.deepEqual(log.filter((l) => l.startsWith("show")), [1, 2, 3, 4, 5, 6, 7, 8].map((i) => `show A-${i}`));
  assert.equal(log.filter((l) => l === "chime").length, 8);
  assert.ok(HOLD_BURST < HOLD_MIN);
  assert.ok(log.filter((l) => l.startsWith("speak")).length < 8);
  assert.equal(log[log.length - 1], "rest");
});

test("a locked sound is told and holds nothing up", () => {
  const { env, announcer, log } = stage(true);
  announcer.add(call("A-42"));
  announcer.add(call("A-43"));
  env.pass(HOLD * 2);
  assert.deepEqual(log, ["show A-42", "chime", "silent A-42", "show A-43", "chime", "silent A-43", "rest"]);
});

test("a waiting call that is called again is announced once, as the newer", () => {
  const { env, announcer, log } = stage();
  announcer.add(call("A-42"));
  announcer.add(call("A-43"));
  announcer.add(call("A-43", 2));
  env.pass(60000);
  assert.equal(log.filter((l) => l === "show A-43").length, 1);
});

test("the queue is bounded", () => {
  const { env, announcer, log } = stage(true);
  for (let i = 0; i < 500; i++) announcer.add(call(`A-${i}`));
  env.pass(3600000);
  assert.ok(log.filter((l) => l.startsWith("show")).length <= 21);
  assert.equal(log.includes("show A-499"), true, "the newest is kept");
});

const ticket = (publicId: string, status: string, extra: object = {}) =>
  ({ key: publicId, publicId, status, line: 1, recalls: 0, ...extra });

function push(type: string, data: any, time = AT): Push {
  return { push: type, channel: "board:1", offset: 5, prev: 4, time, data };
}

test("a call is news once, a recall is news again", () => {
  const newsroom = new Newsroom([]);
  const called = ticket("A-42", "CALLED", { calledAt: AT, desk: 3 });
  assert.equal(newsroom.fromPush(push("ticket.called", { ticket: called }))!.at, NOW);
  assert.equal(newsroom.fromPush(push("ticket.called", { ticket: called })), undefined);
  assert.deepEqual(newsroom.fromSnapshot(readBoard({ serving: [called] })), []);
  assert.ok(newsroom.fromPush(push("ticket.recalled", { ticket: { ...called, recalls: 1 } })));
  assert.equal(newsroom.fromPush(push("ticket.served", { ticket: ticket("A-42", "SERVED") })), undefined);
});

test("a reload does not chime again what was announced before it", () => {
  const before = new Newsroom([]);
  const board = readBoard({ serving: [ticket("A-42", "CALLED", { calledAt: AT })] });
  assert.equal(before.fromSnapshot(board).length, 1);
  assert.equal(new Newsroom(JSON.parse(JSON.stringify(before.announced))).fromSnapshot(board).length, 0);
});

test("missed calls of a snapshot come oldest first", () => {
  const board = readBoard({
    serving: [ticket("A-2", "CALLED", { calledAt: "2026-11-21T10:42:09.000Z" }), ticket("A-1", "CALLED", { calledAt: AT })],
  });
  assert.deepEqual(new Newsroom([]).fromSnapshot(board).map((n) => n.ticket.publicId), ["A-1", "A-2"]);
});

test("calls older than 30 s are not chimed, nor any without the hub's clock", () => {
  const news = { ticket: ticket("A-42", "CALLED"), offset: 1, at: NOW };
  assert.equal(isFresh(news, NOW + 30000), true);
  assert.equal(isFresh(news, NOW + 30001), false);
  assert.equal(isFresh(news, undefined), false);
});

const SCREEN = { width: 1920, height: 1080 };

/** The view of a screen in the focus layout, unless a test is about another. */
const viewOf = (board: Board, moment: Moment, extra: Partial<Look> = {}) =>
  view(board, moment, { ...lookOf({ ...board, settings: { layout: "focus", ...board.settings } }, undefined, SCREEN), ...extra });

const moment = (extra: Partial<Moment> = {}): Moment =>
  ({ now: NOW + 1000, local: undefined, announcing: undefined, queued: 0, last: undefined, earlier: new Map(), card: undefined, ...extra });

test("the newest call is the hero and is not in the list as well", () => {
  const board = readBoard({
    desks: [{ id: 3, name: "3" }, { id: 4, name: "Information" }],
    serving: [ticket("A-42", "CALLED", { calledAt: AT, desk: 3 })],
    recent: [ticket("A-41", "SERVED", { calledAt: "2026-11-21T10:40:00.000Z", desk: 4 })],
    waiting: [ticket("A-43", "NEW")],
  });
  const view = viewOf(board, moment());
  assert.deepEqual([view.hero.publicId, view.hero.desk, view.hero.mode], ["A-42", "Desk 3", "called"]);
  assert.deepEqual(view.rows.map((r) => [r.publicId, r.desk, r.ended]), [["A-41", "Information", true]]);
  assert.equal(view.waiting, "Waiting: 1");
  assert.equal(viewOf(board, moment({ announcing: call("A-42") })).hero.mode, "calling");
  assert.equal(viewOf(board, moment({ now: NOW + CALLED_FOR })).hero.mode, "quiet");
  assert.equal(viewOf(readBoard({}), moment()).hero.mode, "idle");
});

test("while one call is announced the next one is already in the list", () => {
  const board = readBoard({
    serving: [ticket("A-43", "CALLED", { calledAt: "2026-11-21T10:42:05.320Z" }), ticket("A-42", "CALLED", { calledAt: AT })],
  });
  const view = viewOf(board, moment({ announcing: call("A-42") }));
  assert.deepEqual([view.hero.publicId, view.rows[0]!.publicId], ["A-42", "A-43"]);
});

test("a call is announced in full although its ticket has left the board", () => {
  const view = viewOf(readBoard({ serving: [ticket("A-43", "CALLED", { calledAt: AT })] }), moment({ announcing: call("A-42", 3) }));
  assert.deepEqual([view.hero.publicId, view.hero.desk, view.hero.labels[0]], ["A-42", "Desk 3", "Third call"]);
});

test("a waiting call whose ticket goes back to its line is not announced", () => {
  const { env, announcer, log } = stage();
  announcer.add(call("A-42"));
  announcer.add(call("A-43"));
  announcer.drop("A-43");
  env.pass(60000);
  assert.equal(log.includes("show A-43"), false);
  assert.equal(log[log.length - 1], "rest");
});

test("a recall says which call it is, and stays although a newer call is open", () => {
  const board = readBoard({
    serving: [ticket("A-43", "CALLED", { calledAt: "2026-11-21T10:42:06.000Z" }), ticket("A-42", "CALLED", { calledAt: AT, recalls: 1 })],
  });
  const view = viewOf(board, moment({ now: NOW + 3000, last: { key: "A-42", at: NOW + 2000 } }));
  assert.deepEqual([view.hero.publicId, view.hero.labels[0]], ["A-42", "Second call"]);
});

test("a newer call takes the place of the one announced last, announced or not", () => {
  const board = readBoard({
    serving: [ticket("A-43", "CALLED", { calledAt: "2026-11-21T10:43:00.000Z" }), ticket("A-42", "CALLED", { calledAt: AT })],
  });
  assert.equal(viewOf(board, moment({ last: { key: "A-42", at: NOW } })).hero.publicId, "A-43");
});

test("a call that was learned of too late is marked, for a time", () => {
  const board = readBoard({
    serving: [ticket("A-42", "CALLED", { calledAt: AT }), ticket("A-41", "CALLED", { calledAt: "2026-11-21T10:00:00.000Z" })],
  });
  const earlier = new Map([["A-41", NOW + 60000]]);
  assert.equal(viewOf(board, moment({ earlier })).rows[0]!.note, "called earlier");
  assert.equal(viewOf(board, moment({ earlier, now: NOW + 60000 })).rows[0]!.note, "");
});

test("who was served stays in the list where the call was, between those that are open", () => {
  const at = (second: number) => `2026-11-21T10:41:0${second}.000Z`;
  const board = readBoard({
    serving: [5, 3, 1].map((n) => ticket(`A-${n}`, "CALLED", { calledAt: at(n) })),
    recent: [4, 2, 0].map((n) => ticket(`A-${n}`, "SERVED", { calledAt: at(n) })),
  });
  const order = (b: Board) => viewOf(b, moment()).rows.map((row) => row.publicId);
  assert.deepEqual(order(board), ["A-4", "A-3", "A-2", "A-1", "A-0"]);
  assert.deepEqual(order({ ...board, serving: board.serving.slice(0, 1) }), ["A-4", "A-2", "A-0"]);
});

test("the list never has more rows than the screen", () => {
  const serving = Array.from({ length: 40 }, (_, i) => ticket(`A-${i}`, "CALLED", { calledAt: AT }));
  for (const layout of ["focus", "board", "media", "portrait"]) {
    const look = lookOf(readBoard({ settings: { layout } }), undefined, SCREEN);
    assert.equal(view(readBoard({ serving }), moment(), look).rows.length, look.sizes.rows * look.sizes.columns, layout);
  }
});

test("times are the location's, and an unknown zone does not break the page", () => {
  const tallinn = new ZoneClock("Europe/Tallinn");
  assert.equal(tallinn.hm(NOW), "12:42");
  assert.equal(tallinn.hms(NOW), "12:42:05");
  assert.equal(tallinn.hm(Date.parse("2026-11-20T22:00:00Z")), "00:00");
  assert.equal(tallinn.since(NOW, NOW + 60000), "12:42:05");
  assert.equal(tallinn.since(NOW, NOW + 86400000), "21 Nov, 12:42:05");
  assert.match(new ZoneClock("Not/AZone").hms(NOW), /^\d\d:\d\d:\d\d$/);
});
