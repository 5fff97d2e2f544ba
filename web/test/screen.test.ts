// The parts of a board that need no page: sizes, hours, languages, clips, looks.
import assert from "node:assert/strict";
import test from "node:test";
import all from "words:all";
import { clipNames, Clips } from "../src/board/clips";
import { Hours, isOpen, nextOpen, shift, spanText } from "../src/board/hours";
import { Display, lookOf } from "../src/board/look";
import { Moment, viewOf } from "../src/board/model";
import { engineOf } from "../src/board/report";
import { CAP, capFor, COMFORT, EN, heightMm, LEAD, reach, sizesFor } from "../src/board/size";
import { ZoneClock } from "../src/board/time";
import { voiceVersion, wordsOf } from "../src/board/words";
import { readBoard } from "../src/client/index";

const TV = (inches: number, seat: number, extra = {}) => ({ inches, width: 1920, height: 1080, seat, ...extra });

test("cap heights are those of the tables", () => {
  for (const [metres, comfort, en] of [[3, 19, 37], [5, 32, 61], [8, 51, 98], [10, 64, 122]] as const) {
    assert.equal(Math.round(capFor(metres, COMFORT)), comfort);
    assert.equal(Math.round(capFor(metres, EN)), en);
    assert.ok(Math.abs(reach(capFor(metres, EN), EN) - metres) < 1e-9);
  }
  // The share of the height of a 43, 55 and 65 inch screen at 8 m, in percent.
  for (const [inches, share] of [[43, 18.3], [55, 14.3], [65, 12.1]] as const) {
    assert.ok(Math.abs((capFor(8, EN) / heightMm(TV(inches, 8))) * 100 - share) < 0.06, `${inches}`);
  }
});

test("a warning says what cannot be read to the standard, and from where it can", () => {
  const at = (inches: number, seat: number) => sizesFor("focus", TV(inches, seat)).warnings;
  const far = at(43, 8);
  assert.deepEqual(far.map((w) => w.part), ["desk", "list"]);
  assert.equal(far[0]!.needs, 98);
  assert.ok(far[0]!.upTo < 8 && far[0]!.upTo > 5, `${far[0]!.upTo}`);
  assert.deepEqual(at(65, 3), []);
  assert.deepEqual(sizesFor("focus", { inches: 43 }).warnings, [], "nothing is claimed of a place that is not known");
  assert.equal(sizesFor("board", TV(32, 40)).warnings.some((w) => w.unreadable), true);
});

test("what fits is what is shown: never more rows than the list has room for", () => {
  const areas: { [layout: string]: number } = { focus: 65, board: 40, media: 65, portrait: 33.4 };
  for (const layout of Object.keys(areas)) {
    for (let inches = 20; inches <= 100; inches += 7) {
      for (let seat = 1; seat <= 30; seat += 1.5) {
        for (const rows of [0, 1, 4, 8]) {
          const sizes = sizesFor(layout, TV(inches, seat, { rows }));
          assert.ok(sizes.rows >= 1 && sizes.rows * sizes.row * LEAD <= areas[layout]! + 1e-6, JSON.stringify([layout, inches, seat, rows, sizes]));
          if (rows) assert.ok(sizes.rows <= rows);
          const needs = capFor(seat, EN) / CAP / heightMm(TV(inches, seat)) * 100;
          const warned = sizes.warnings.some((w) => w.part === "number");
          assert.equal(warned, sizes.number < needs - 0.2 ? true : warned, "a number that is too small is warned of");
          if (sizes.number >= needs) assert.equal(warned, false);
        }
      }
    }
  }
});

test("farther seats get larger letters and fewer rows", () => {
  const near = sizesFor("board", TV(55, 3));
  const far = sizesFor("board", TV(55, 9));
  assert.ok(far.number >= near.number && far.row > near.row && far.rows <= near.rows);
});

test("every language has every text, with the same places to fill in", () => {
  const codes = Object.keys(all);
  for (const code of ["ar", "de", "en", "es", "fr"]) assert.ok(codes.includes(code), code);
  const places = (text: unknown) => (String(text).match(/\{\w+\}/g) || []).sort();
  for (const code of codes) {
    assert.deepEqual(Object.keys(all[code]!).sort(), Object.keys(all["en"]!).sort(), code);
    for (const key of Object.keys(all["en"]!)) {
      const text = all[code]![key]!;
      assert.ok(text.length > 0, `${code}.${key}`);
      assert.deepEqual(places(text), places(all["en"]![key]), `${code}.${key}`);
      // Some words are the same in two languages.
      if (code !== "en" && key !== "important" && typeof text === "string" && text.replace(/\{\w+\}/g, "").length > 6) assert.notEqual(text, all["en"]![key], `${code}.${key} is not translated`);
    }
    assert.equal((all[code]!["days"] as string[]).length, 7, code);
    assert.match(String(all[code]!["dir"]), /^(ltr|rtl)$/);
  }
});

test("the location's languages, as far as there are words; else English", () => {
  const codes = (languages?: string[]) => wordsOf(languages).map((w) => w.code);
  assert.deepEqual(codes(["es", "en"]), ["es", "en"]);
  assert.deepEqual(codes(["de-AT", "xx", "de"]), ["de"]);
  assert.deepEqual(codes(["constructor"]), ["en"]);
  assert.deepEqual(codes(undefined), ["en"]);
  const [german] = wordsOf(["de"]);
  assert.deepEqual([german!.nth(2), german!.nth(3), german!.nth(4)], ["Zweiter Aufruf", "Dritter Aufruf", "4. Aufruf"]);
  assert.deepEqual([german!.desk("3"), german!.desk("Auskunft")], ["Schalter 3", "Auskunft"]);
});

test("a call is put together from letters, digits, the words to the desk and its number", () => {
  assert.deepEqual(clipNames("A-42", "3"), ["letter-a", "digit-4", "digit-2", "to-desk", "number-3"]);
  assert.deepEqual(clipNames("AB-107", "12b"), ["letter-a", "letter-b", "digit-1", "digit-0", "digit-7", "to-desk", "number-12", "letter-b"]);
  assert.deepEqual(clipNames("C-9", "Information"), ["letter-c", "digit-9"]);
  assert.deepEqual(clipNames("Ж-1", "100"), ["letter-ж", "digit-1"]);
});

test("each clip is loaded once; half a sentence is not said", () => {
  let now = 0;
  const asked: string[] = [];
  const clips = new Clips<string>((path, done) => {
    asked.push(path);
    done(path.includes("digit-9") ? undefined : path);
  }, () => now);
  let got: string[] | undefined | null = null;
  clips.load("en", ["letter-a", "digit-4", "digit-4"], (all) => (got = all));
  assert.deepEqual(got, ["/hub/v1/speech/en/letter-a.wav", "/hub/v1/speech/en/digit-4.wav", "/hub/v1/speech/en/digit-4.wav"]);
  assert.equal(asked.length, 2);
  clips.load("en", ["letter-a", "digit-9"], (all) => (got = all));
  assert.equal(got, undefined);
  clips.load("en", ["digit-9"], () => undefined);
  assert.equal(asked.length, 3, "what was not there is not asked for at every call");
  now += 61000;
  clips.load("en", ["digit-9"], () => undefined);
  assert.equal(asked.length, 4);
});

const HOURS: Hours = {
  week: [
    { spans: [{ opens: 540, closes: 720 }, { opens: 780, closes: 1020 }] }, {}, { closed: true }, { spans: [{ opens: 1320, closes: 120 }] },
    { closed: true }, { closed: true }, { closed: true },
  ],
  exceptions: [{ date: "2026-11-23", closed: true }],
};

test("a clip has another address once its language speaks differently", () => {
  const asked: string[] = [];
  let version = "1";
  const load = () => new Clips<string>((path, done) => {
    asked.push(path);
    done(path);
  }, () => 0, (language) => language + version).load("en", ["to-desk"], () => undefined);
  load();
  version = "2";
  load();
  assert.deepEqual(asked, ["/hub/v1/speech/en/to-desk.wav?v=en1", "/hub/v1/speech/en/to-desk.wav?v=en2"]);
  assert.notEqual(voiceVersion("en"), voiceVersion("es"));
});

test("hours: several spans, past midnight, exceptions, all day", () => {
  // 2026-11-16 is a Monday.
  const at = (date: string, weekday: number, minute: number) => ({ date, weekday, minute });
  const open = (date: string, weekday: number, minute: number) => isOpen(HOURS, at(date, weekday, minute));
  assert.deepEqual([539, 540, 719, 720, 780, 1019, 1020].map((m) => open("2026-11-16", 0, m)), [false, true, true, false, true, true, false]);
  assert.equal(open("2026-11-17", 1, 0), true, "no spans: all day");
  assert.equal(open("2026-11-18", 2, 700), false);
  assert.equal(open("2026-11-19", 3, 1330), true);
  assert.equal(open("2026-11-20", 4, 60), true, "yesterday's span");
  assert.equal(open("2026-11-20", 4, 120), false);
  assert.equal(open("2026-11-23", 0, 600), false, "exception");
  assert.equal(isOpen(undefined, at("2026-11-23", 0, 600)), true);
  const next = nextOpen(HOURS, at("2026-11-20", 4, 600))!;
  assert.deepEqual([next.ahead, next.local.date, next.local.weekday], [4, "2026-11-24", 1]);
  assert.equal(spanText(HOURS.week[0]!), "09:00\u201312:00, 13:00\u201317:00");
  assert.equal(shift(at("2026-12-31", 3, 5), 1).date, "2027-01-01");
  assert.equal(nextOpen({ week: Array(7).fill({ closed: true }) }, at("2026-11-20", 4, 0)), undefined);
});

test("the moment on the location's wall", () => {
  assert.deepEqual(new ZoneClock("Europe/Tallinn").local(Date.parse("2026-11-20T22:30:00Z")), { date: "2026-11-21", weekday: 5, minute: 30 });
  assert.deepEqual(new ZoneClock("America/New_York").local(Date.parse("2026-11-21T03:00:00Z")), { date: "2026-11-20", weekday: 4, minute: 22 * 60 });
});

const moment = (extra: Partial<Moment> = {}): Moment => ({
  now: Date.parse("2026-11-21T10:43:00Z"), local: undefined, announcing: undefined, queued: 0, last: undefined, earlier: new Map(), card: undefined, ...extra,
});
const ticket = (publicId: string, status: string, extra: object = {}) => ({ key: publicId, publicId, status, line: 1, recalls: 0, ...extra });
const WINDOW = { width: 1920, height: 1080 };
const called = (publicId: string, at: string, extra: object = {}) => ticket(publicId, "CALLED", { calledAt: `2026-11-21T${at}.000Z`, ...extra });

test("closed: only when nobody is called and nobody waits", () => {
  const board = readBoard({ location: { id: 1, name: "x", hours: HOURS }, settings: { where: "Quay 2" } });
  const look = lookOf(board, undefined, WINDOW);
  const local = { date: "2026-11-21", weekday: 5, minute: 600 };
  const closed = viewOf(board, moment({ local }), look).hero;
  assert.deepEqual([closed.mode, closed.labels], ["closed", ["Closed", "Today: Closed", "Tuesday: open all day", "Quay 2"]]);
  assert.equal(viewOf({ ...board, waiting: [ticket("A-1", "NEW")] }, moment({ local }), look).hero.mode, "idle");
  const serving = [called("A-1", "10:42:50")];
  assert.equal(viewOf({ ...board, serving }, moment({ local }), look).hero.mode, "called");
});

test("a screen shows its own lines and its own desk", () => {
  const board = readBoard({
    desks: [{ id: 3, name: "3" }, { id: 4, name: "4" }],
    serving: [called("A-1", "10:42:50", { desk: 3 }), called("B-1", "10:42:40", { desk: 4, line: 2 })],
    waiting: [ticket("A-2", "NEW"), ticket("B-2", "NEW", { line: 2 })],
    settings: { layout: "focus" },
  });
  const own = (display: Partial<Display>) => viewOf(board, moment(), lookOf(board, { id: 1, ...display }, WINDOW));
  assert.deepEqual([own({ lines: [2] }).hero.publicId, own({ lines: [2] }).rows.length, own({ lines: [2] }).waiting], ["B-1", 0, "Waiting: 1"]);
  assert.equal(own({ desk: 4 }).hero.publicId, "B-1");
  assert.equal(own({ desk: 9 }).hero.labels[0], "Next, please");
  const later = viewOf(board, moment({ now: Date.parse("2026-11-21T12:00:00Z") }), lookOf(board, { id: 1, desk: 4 }, WINDOW));
  assert.deepEqual([later.hero.publicId, later.hero.mode], ["B-1", "called"], "a sign keeps the number for as long as the visitor is there");
});

test("many waiting calls are counted; a card never hides the last call", () => {
  const board = readBoard({ serving: [called("A-1", "10:00:00")], settings: { layout: "focus", cards: [{ language: "en", text: "Papers" }] } });
  const look = lookOf(board, undefined, WINDOW);
  const announcing = { key: "A-1", publicId: "A-1", desk: "Desk 3", times: 1, offset: 1 };
  assert.equal(viewOf(board, moment({ announcing, queued: 4 }), look).hero.more, "and 4 more");
  assert.equal(viewOf(board, moment({ announcing, queued: 2 }), look).hero.more, "");
  for (const card of [undefined, { language: "en", text: "Papers" }]) {
    const view = viewOf(board, moment({ card }), look);
    assert.deepEqual([view.hero.mode, view.rows.map((r) => r.publicId)], ["card", ["A-1"]]);
  }
});

test("upright screens get the portrait layout; an unknown layout is the board", () => {
  const layout = (chosen: string, window: { width: number; height: number }, display?: Display) =>
    lookOf(readBoard({ settings: { layout: chosen } }), display, window).layout;
  assert.equal(layout("focus", { width: 1080, height: 1920 }), "portrait");
  assert.equal(layout("wall", WINDOW), "board");
  assert.equal(layout("media", WINDOW, { id: 1, layout: "focus" }), "focus");
  assert.equal(layout("media", WINDOW, { id: 1, desk: 2 }), "desk");
});

test("an engine says its name and number", () => {
  assert.equal(engineOf("Mozilla/5.0 (Web0S; Linux) AppleWebKit/538.2 (KHTML, like Gecko) Chrome/53.0.2785.34 Safari/537.36"), "Chrome 53");
  assert.equal(engineOf("something else"), "unknown");
});
