// The fold of a board channel, as PROTOCOL.md describes it under "Board". The
// same fold exists in Go; golden scenarios keep the two alike.
import { Push } from "./wire";

/** More ended calls than this fit on no screen. */
export const MAX_RECENT = 12;

export interface WaitRange {
  min: number;
  max: number;
}

export interface BoardTicket {
  /** Number and business day; there is no internal id on a board. */
  key: string;
  publicId: string;
  status: string;
  line: number;
  desk?: number;
  calledAt?: string;
  recalls: number;
  order?: string;
  name?: string;
  wait?: WaitRange;
}

export interface BoardLine {
  id: number;
  name: string;
  series?: string;
  color?: string;
  /** The line's place among the others; absent before anybody chose. */
  rank?: number;
  waiting: number;
  wait?: WaitRange;
}

export interface BoardDesk {
  id: number;
  name: string;
}

export interface BoardLocation {
  id: number;
  name: string;
  timezone?: string;
  languages?: string[];
  /** Absent: always open. */
  hours?: unknown;
}

export interface Board {
  location: BoardLocation;
  lines: BoardLine[];
  desks: BoardDesk[];
  serving: BoardTicket[];
  recent: BoardTicket[];
  waiting: BoardTicket[];
  settings?: { [name: string]: unknown };
}

/** Makes a board of a snapshot: every list there, sorted, each id once. */
export function readBoard(snapshot: unknown): Board {
  const s = (snapshot || {}) as Partial<Board>;
  const board: Board = {
    location: s.location || { id: 0, name: "" },
    lines: distinct(s.lines || [], idOf, byRank),
    desks: distinct(s.desks || [], idOf, byId),
    serving: distinct(s.serving || [], keyOf, newestCall),
    recent: distinct(s.recent || [], keyOf, newestCall).slice(0, MAX_RECENT),
    waiting: distinct(s.waiting || [], keyOf, waitingOrder),
  };
  if (s.settings) {
    board.settings = s.settings;
  }
  return board;
}

/** The board after push. Pure: board is not changed. */
export function foldBoard(board: Board, push: Push): Board {
  const data = push.data || {};
  const next: Board = Object.assign({}, board);
  if (data["ticket"]) {
    place(next, data["ticket"] as BoardTicket);
    const lines = (data["lines"] || []) as BoardLine[];
    // Numbers of a line that is not on the board are of no use there: it was
    // removed, or line.changed brings it.
    next.lines = next.lines.map((line) => find(lines, line.id) || line);
  }
  if (data["line"]) {
    next.lines = replace(next.lines, data["line"] as BoardLine, data["removed"] === true, byRank);
  }
  if (data["desk"]) {
    next.desks = replace(next.desks, data["desk"] as BoardDesk, data["removed"] === true);
  }
  if (data["location"]) {
    next.location = data["location"] as BoardLocation;
  }
  if (data["settings"]) {
    const settings = data["settings"] as { [name: string]: unknown };
    if (settings["names"] !== (next.settings || {})["names"]) {
      forgetNames(next);
    }
    next.settings = settings;
  }
  return next;
}

/**
 * Takes names away that were shown under another choice; what may be shown under
 * the new one comes with the tickets' next pushes.
 */
function forgetNames(board: Board): void {
  const nameless = (ticket: BoardTicket): BoardTicket => {
    const copy = Object.assign({}, ticket);
    delete copy.name;
    return copy;
  };
  board.serving = board.serving.map(nameless);
  board.recent = board.recent.map(nameless);
  board.waiting = board.waiting.map(nameless);
}

/** Takes the ticket off every list and puts it where its status belongs. */
function place(board: Board, ticket: BoardTicket): void {
  if (!ticket.key) {
    throw new Error("a board ticket without a key");
  }
  board.serving = without(board.serving, ticket.key);
  board.recent = without(board.recent, ticket.key);
  board.waiting = without(board.waiting, ticket.key);
  switch (ticket.status) {
    case "NEW":
      board.waiting = insert(board.waiting, ticket, waitingOrder);
      break;
    case "CALLED":
      board.serving = insert(board.serving, ticket, newestCall);
      break;
    case "SERVED":
    case "NOSHOW":
      if (ticket.calledAt) {
        board.recent = insert(board.recent, ticket, newestCall).slice(0, MAX_RECENT);
      }
  }
}

/** The list itself when the ticket is not on it: most pushes touch one list. */
function without(list: BoardTicket[], key: string): BoardTicket[] {
  for (let i = 0; i < list.length; i++) {
    if (list[i]!.key === key) {
      return list.slice(0, i).concat(list.slice(i + 1));
    }
  }
  return list;
}

/** Into its place in a sorted list: sorting anew for every push is what a burst cannot afford. */
function insert(list: BoardTicket[], ticket: BoardTicket, order: (a: BoardTicket, b: BoardTicket) => number): BoardTicket[] {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order(list[middle]!, ticket) <= 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return list.slice(0, low).concat(ticket, list.slice(low));
}

/** Newest call first, then by key. The wire's instants sort as text. */
export function newestCall(a: BoardTicket, b: BoardTicket): number {
  return compare(b.calledAt || "", a.calledAt || "") || compare(a.key, b.key);
}

function waitingOrder(a: BoardTicket, b: BoardTicket): number {
  return compare(a.order || "", b.order || "") || compare(a.key, b.key);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byRank(a: BoardLine, b: BoardLine): number {
  return (a.rank || 0) - (b.rank || 0) || a.id - b.id;
}

function byId(a: { id: number }, b: { id: number }): number {
  return a.id - b.id;
}

function idOf(thing: { id: number }): number {
  return thing.id;
}

function keyOf(ticket: BoardTicket): string {
  return ticket.key;
}

function find<T extends { id: number }>(list: T[], id: number): T | undefined {
  for (const thing of list) {
    if (thing.id === id) {
      return thing;
    }
  }
  return undefined;
}

function replace<T extends { id: number }>(list: T[], thing: T, removed: boolean, order: (a: T, b: T) => number = byId): T[] {
  const rest = list.filter((other) => other.id !== thing.id);
  return removed ? rest : rest.concat(thing).sort(order);
}

function distinct<T, K>(list: T[], id: (thing: T) => K, order: (a: T, b: T) => number): T[] {
  const last = new Map<K, T>();
  for (const thing of list) {
    last.set(id(thing), thing);
  }
  return Array.from(last.values()).sort(order);
}
