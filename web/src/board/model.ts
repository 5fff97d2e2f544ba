// What is on screen, as a pure function of the board and the time.
import { Board, BoardTicket, newestCall } from "../client/index";
import { Call } from "./announcer";
import { words } from "./words";

export const ROWS = 6;
export const CHIPS = 4;
/** A call keeps its inverted colours this long, so that a late look finds it. */
export const CALLED_FOR = 60000;

export interface RowView {
  key: string;
  publicId: string;
  desk: string;
  note: string;
  ended: boolean;
}

/** calling: being announced; called: not long ago; quiet: the last one there was. */
export type HeroMode = "calling" | "called" | "quiet" | "idle";

export interface HeroView {
  mode: HeroMode;
  key: string;
  publicId: string;
  desk: string;
  label: string;
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
  /** The call being announced. */
  announcing: Call | undefined;
  /** The ticket announced last, with the time of that. */
  last: { key: string; at: number } | undefined;
  /** Calls learned of too late to announce, and until when that is said. */
  earlier: Map<string, number>;
}

export function viewOf(board: Board, moment: Moment): BoardView {
  // Served calls stay where they were, so that nothing moves while it is read.
  const calls = board.serving.concat(board.recent).sort(newestCall);
  const hero = heroOf(board, calls, moment);
  return {
    location: board.location.name,
    hero,
    rows: calls.filter((t) => t.key !== hero.key).slice(0, ROWS).map((t) => rowOf(board, t, moment)),
    waiting: words.waiting(board.waiting.length),
    chips: chipsOf(board),
  };
}

function heroOf(board: Board, calls: BoardTicket[], moment: Moment): HeroView {
  const { announcing, last } = moment;
  if (announcing) {
    // As it was called: it may have been served, and left the board, since.
    const { key, publicId, desk, times } = announcing;
    return { mode: "calling", key, publicId, desk, label: times > 1 ? words.nth(times) : words.calling };
  }
  // The call announced last stays, a recall of an older ticket too, until
  // there is a newer one: also one that was not announced, being old news.
  const overtaken = !last || !calls[0] || Date.parse(calls[0].calledAt || "") > last.at;
  const kept = last && !overtaken ? findKey(board.serving, last.key) : undefined;
  const ticket = kept || calls[0];
  if (!ticket) {
    return { mode: "idle", key: "", publicId: "", desk: "", label: words.idle };
  }
  const mode = modeOf(ticket, moment);
  return {
    mode,
    key: ticket.key,
    publicId: ticket.publicId,
    desk: deskWords(board, ticket.desk),
    label: labelOf(ticket, mode),
  };
}

function modeOf(ticket: BoardTicket, moment: Moment): HeroMode {
  if (ticket.status !== "CALLED" || moment.now === undefined) {
    return "quiet";
  }
  const again = moment.last && moment.last.key === ticket.key ? moment.last.at : 0;
  const at = Math.max(again, Date.parse(ticket.calledAt || "") || 0);
  return moment.now - at < CALLED_FOR ? "called" : "quiet";
}

function labelOf(ticket: BoardTicket, mode: HeroMode): string {
  if (mode === "quiet") {
    return words.lastCalled;
  }
  if (ticket.recalls > 0) {
    return words.nth(ticket.recalls + 1);
  }
  return words.called;
}

function rowOf(board: Board, ticket: BoardTicket, moment: Moment): RowView {
  const until = moment.earlier.get(ticket.key);
  const earlier = until !== undefined && moment.now !== undefined && moment.now < until;
  return {
    key: ticket.key,
    publicId: ticket.publicId,
    desk: deskWords(board, ticket.desk),
    note: earlier ? words.earlier : "",
    ended: ticket.status !== "CALLED",
  };
}

function chipsOf(board: Board): ChipView[] {
  return board.lines.slice(0, CHIPS).map((line) => ({
    name: line.name,
    color: /^#?[0-9a-fA-F]{6}$/.test(line.color || "") ? "#" + (line.color || "").replace("#", "") : "",
    text: line.wait && line.waiting > 0 ? words.wait(line.wait.min, line.wait.max) : String(line.waiting),
  }));
}

/** "Desk 3", or a desk's own words. */
export function deskWords(board: Board, id: number | undefined): string {
  if (!id) {
    return "";
  }
  for (const desk of board.desks) {
    if (desk.id === id) {
      return words.desk(desk.name);
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
