// What is on screen, as a pure function of the board, the look and the time.
import { Board, BoardTicket, newestCall } from "../client/index";
import { Call } from "./announcer";
import { Day, Hours, isOpen, Local, nextOpen, dayOf, spanText } from "./hours";
import { Card, Look } from "./look";
import { codeOf, Words } from "./words";

/** The most rows that any layout has. */
export const ROWS = 16;
export const CHIPS = 4;
/** A call keeps its inverted colours this long, so that a late look finds it. */
export const CALLED_FOR = 60000;
/** With more than this many calls waiting, how many is said. */
const MORE_FROM = 3;

export interface RowView {
  key: string;
  publicId: string;
  desk: string;
  name: string;
  note: string;
  ended: boolean;
  /** Called so recently that it is inverted, where no hero shows that. */
  hot: boolean;
}

/**
 * calling: being announced; called: not long ago; quiet: the last one there was;
 * idle, closed and card: no call, but words.
 */
export type HeroMode = "calling" | "called" | "quiet" | "idle" | "closed" | "card";

export interface HeroView {
  mode: HeroMode;
  key: string;
  publicId: string;
  desk: string;
  name: string;
  /** The same in the location's first two languages. */
  labels: string[];
  /** "and 4 more", or "". */
  more: string;
  /** The language of a card's text. */
  language: string;
}

export interface ChipView {
  name: string;
  color: string;
  text: string;
}

export interface BoardView {
  location: string;
  hero: HeroView;
  rows: RowView[];
  waiting: string;
  chips: ChipView[];
}

export interface Moment {
  /** The hub's time, or undefined when it is not known. */
  now: number | undefined;
  /** The same on the location's wall. */
  local: Local | undefined;
  /** The call being announced, and how many wait for that. */
  announcing: Call | undefined;
  queued: number;
  /** The ticket announced last, with the time of that. */
  last: { key: string; at: number } | undefined;
  /** Calls learned of too late to announce, and until when that is said. */
  earlier: Map<string, number>;
  /** The card whose turn it is in quiet times. */
  card: Card | undefined;
}

/** Whether a ticket concerns a screen with this look. */
export function concerns(ticket: { line: number; desk?: number }, look: Look): boolean {
  return (!look.lines || look.lines.indexOf(ticket.line) >= 0) && (!look.desk || ticket.desk === look.desk);
}

export function viewOf(board: Board, moment: Moment, look: Look): BoardView {
  const words = look.words[0] as Words;
  const ours = (t: BoardTicket) => concerns(t, look);
  // Served calls stay where they were, so that nothing moves while it is read.
  const calls = newestOf(board.serving.filter(ours), board.recent.filter(ours), ROWS + 1);
  const waiting = board.waiting.filter((t) => !look.lines || look.lines.indexOf(t.line) >= 0);
  const hero = heroOf(board, calls, waiting.length, moment, look);
  // Where the call goes away after a while, the list keeps it throughout: a list
  // that shifts when the call goes is not read to its end.
  const listed = look.layout === "media" || hero.mode === "card" ? "" : hero.key;
  const most = look.sizes.rows * look.sizes.columns;
  return {
    // A sign hangs above its desk: that is the place it names.
    location: (look.desk && deskWords(board, look.desk, words)) || board.location.name,
    hero,
    rows: calls.filter((t) => t.key !== listed).slice(0, Math.min(ROWS, most)).map((t) => rowOf(board, t, moment, words)),
    waiting: words.waiting(waiting.length),
    chips: chipsOf(board, look, words),
  };
}

/** The newest calls of two sorted lists: a burst leaves more open than any screen shows. */
function newestOf(a: BoardTicket[], b: BoardTicket[], most: number): BoardTicket[] {
  const found: BoardTicket[] = [];
  for (let i = 0, j = 0; found.length < most && (i < a.length || j < b.length);) {
    const first = j >= b.length || (i < a.length && newestCall(a[i]!, b[j]!) <= 0);
    found.push(first ? a[i++]! : b[j++]!);
  }
  return found;
}

function heroOf(board: Board, calls: BoardTicket[], waiting: number, moment: Moment, look: Look): HeroView {
  const { announcing } = moment;
  if (announcing) {
    // As it was called: it may have been served, and left the board, since.
    const { key, publicId, desk, name, times } = announcing;
    const labels = both(look, (w) => (times > 1 ? w.nth(times) : w.say("calling")));
    const more = moment.queued >= MORE_FROM ? (look.words[0] as Words).say("more", { n: moment.queued }) : "";
    return { mode: "calling", key, publicId, desk, name: name || "", labels, more, language: "" };
  }
  const ticket = heroTicket(board, calls, moment);
  // Above a desk the number stays for as long as its visitor is there.
  const there = !!look.desk && !!ticket && ticket.status === "CALLED";
  const mode = there ? "called" : ticket ? modeOf(ticket, moment) : "idle";
  if (!ticket || mode !== "called") {
    const resting = restOf(board, waiting, moment, look, !ticket);
    if (resting) {
      return resting;
    }
  }
  const shown = ticket as BoardTicket;
  return {
    mode,
    key: shown.key,
    publicId: shown.publicId,
    desk: deskWords(board, shown.desk, look.words[0] as Words),
    name: shown.name || "",
    labels: both(look, (w) => (isEarlier(shown, moment) ? w.say("earlier") : labelOf(shown, mode, w))),
    more: "",
    language: "",
  };
}

/** What there is when nobody is being called: closed, a card, or the way to a ticket. */
function restOf(board: Board, waiting: number, moment: Moment, look: Look, empty: boolean): HeroView | undefined {
  const rest = { key: "", publicId: "", desk: "", name: "", more: "", language: "" };
  const closed = waiting === 0 ? closedText(board.location.hours as Hours | undefined, moment.local, look) : undefined;
  if (closed) {
    return Object.assign({ mode: "closed" as const, labels: closed }, rest);
  }
  if (look.layout === "desk") {
    return Object.assign({ mode: "idle" as const, labels: both(look, (w) => w.say("next")) }, rest);
  }
  if (look.cards.length && look.layout !== "media") {
    if (moment.card) {
      const { text, language } = moment.card;
      return Object.assign({}, rest, { mode: "card" as const, labels: [text], language: codeOf(language) || language });
    }
    return Object.assign({ mode: "card" as const, labels: both(look, (w) => w.say("idle")) }, rest);
  }
  if (empty) {
    return Object.assign({ mode: "idle" as const, labels: both(look, (w) => w.say("idle")) }, rest);
  }
  return undefined;
}

/** The call announced last stays until there is a newer one, announced or not. */
function heroTicket(board: Board, calls: BoardTicket[], moment: Moment): BoardTicket | undefined {
  const { last } = moment;
  const overtaken = !last || !calls[0] || Date.parse(calls[0].calledAt || "") > last.at;
  const kept = last && !overtaken ? findKey(board.serving, last.key) : undefined;
  return kept || calls[0];
}

/** Undefined while open: the title, today's hours, the next day's, where to go. */
export function closedText(hours: Hours | undefined, local: Local | undefined, look: Look): string[] | undefined {
  if (!hours || !local || isOpen(hours, local)) {
    return undefined;
  }
  const words = look.words[0] as Words;
  const line = (name: string, day: Day) =>
    name + ": " + (day.closed ? words.say("closed") : spanText(day) || words.say("allDay"));
  const lines = [words.say("closed"), line(words.say("today"), dayOf(hours, local))];
  const next = nextOpen(hours, local);
  if (next) {
    lines.push(line(words.day(next.local.weekday), next.day));
  }
  return look.where ? lines.concat(look.where) : lines;
}

function both(look: Look, say: (words: Words) => string): string[] {
  return look.words.slice(0, 2).map(say);
}

function modeOf(ticket: BoardTicket, moment: Moment): HeroMode {
  if (ticket.status !== "CALLED" || moment.now === undefined) {
    return "quiet";
  }
  const again = moment.last && moment.last.key === ticket.key ? moment.last.at : 0;
  const at = Math.max(again, Date.parse(ticket.calledAt || "") || 0);
  return moment.now - at < CALLED_FOR ? "called" : "quiet";
}

function labelOf(ticket: BoardTicket, mode: HeroMode, words: Words): string {
  if (mode === "quiet") {
    return words.say("lastCalled");
  }
  return ticket.recalls > 0 ? words.nth(ticket.recalls + 1) : words.say("called");
}

/** Whether the call was learned of too late to announce it, a short while ago. */
function isEarlier(ticket: BoardTicket, moment: Moment): boolean {
  const until = moment.earlier.get(ticket.key);
  return until !== undefined && moment.now !== undefined && moment.now < until;
}

function rowOf(board: Board, ticket: BoardTicket, moment: Moment, words: Words): RowView {
  return {
    key: ticket.key,
    publicId: ticket.publicId,
    desk: deskWords(board, ticket.desk, words),
    name: ticket.name || "",
    note: isEarlier(ticket, moment) ? words.say("earlier") : "",
    ended: ticket.status !== "CALLED",
    hot: modeOf(ticket, moment) === "called",
  };
}

function chipsOf(board: Board, look: Look, words: Words): ChipView[] {
  const lines = board.lines.filter((line) => !look.lines || look.lines.indexOf(line.id) >= 0);
  return lines.slice(0, CHIPS).map((line) => ({
    name: line.name,
    color: /^#?[0-9a-fA-F]{6}$/.test(line.color || "") ? "#" + (line.color || "").replace("#", "") : "",
    text: line.wait && line.waiting > 0 ? words.wait(line.wait.min, line.wait.max) : String(line.waiting),
  }));
}

/** A desk's name as the board says it. */
export function deskWords(board: Board, id: number | undefined, words: Words): string {
  const name = deskName(board, id);
  return name && words.desk(name);
}

export function deskName(board: Board, id: number | undefined): string {
  for (const desk of board.desks) {
    if (desk.id === id) {
      return desk.name;
    }
  }
  return "";
}

function findKey(list: BoardTicket[], key: string | undefined): BoardTicket | undefined {
  for (const ticket of list) {
    if (ticket.key === key) {
      return ticket;
    }
  }
  return undefined;
}
