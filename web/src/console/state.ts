// The fold of a console channel: everything is replaced by id, never patched.
import { Push } from "../client/index";
import { Device, devicesOf, DisplaySettings } from "../common/displays";

export interface Labelled {
  value: string;
  color?: string;
}

export interface Participant {
  id: number;
  name: string;
  displayName?: string;
  type: string;
  identifier?: string;
  userName?: string;
  isActive?: boolean;
  readUpTo: number;
}

export interface Conversation {
  state?: string;
  owner?: { user: number; name?: string } | null;
  seq?: number;
  /** The visitor's messages since staff wrote last, by their numbers. */
  clientFrom?: number;
  clientSeq?: number;
  lastActivity?: string;
  open?: string;
  participants?: Participant[];
  details?: { source?: { title?: string; uri?: string }; userAgent?: string };
  field1?: string;
}

export interface Visit {
  start: string;
  end?: string;
  line: number;
  user?: number;
  desk?: number;
}

export interface WaitRange {
  min: number;
  max: number;
}

export interface External {
  provider: string;
  title: string;
  data: unknown;
  created?: string;
}

export interface StaffTicket {
  id: string;
  publicId: string;
  key: string;
  status: string;
  line: number;
  source?: string;
  firstName?: string;
  lastName?: string;
  phoneNumber?: string;
  email?: string;
  languageCode?: string;
  created?: { date: string };
  called?: { date: string; caller?: number; desk?: number };
  served?: { date: string };
  assigned?: { assigner?: number; assignee?: number };
  labels?: Labelled[];
  extra?: Array<{ title: string; value: string; url?: string; color?: string }>;
  external?: External[];
  interactions?: Visit[];
  recalls: number;
  order?: string;
  offset?: number;
  wait?: WaitRange;
  quoted?: WaitRange;
  appointment?: { start: string; end: string; assignee?: number };
  overtook?: { reason: string; user?: number; at: string };
  answer?: { kind: string; at: string; until?: string };
  conversation?: Conversation;
  erased?: boolean;
}

export interface Line {
  id: number;
  name: string;
  series?: string;
  color?: string;
  disabled?: boolean;
  archived?: boolean;
  waiting?: number;
  wait?: WaitRange;
  /** The place that the branch gave it; lines without one come by id. */
  rank?: number;
}

export interface Desk {
  id: number;
  name: string;
}

export interface User {
  id: number;
  email: string;
  firstName?: string;
  lastName?: string;
  desk?: number;
  lines?: number[];
}

/** A screen, and whether it is there. */
export interface Display extends DisplaySettings {
  online?: boolean;
}

export interface Presence {
  session: string;
  name?: string;
  audience?: string;
  display?: number;
  user?: number;
  online?: boolean;
}

export interface Console {
  location: { id: number; name: string; timezone?: string };
  lines: Line[];
  desks: Desk[];
  users: User[];
  displays: Display[];
  devices: Map<number, Device>;
  tickets: Map<string, StaffTicket>;
  /** What ended lately, newest last: for a second look, and to undo. */
  ended: Map<string, StaffTicket>;
  /**
   * Per ticket the offset of its last call or recall, which receipts name. Only
   * calls that were pushed: receipts of earlier ones went by unseen.
   */
  calls: Map<string, number>;
  presence: Presence[];
}

export function readConsole(snapshot: unknown): Console {
  const s = (snapshot || {}) as any;
  const state: Console = {
    location: s.location || { id: 0, name: "" },
    lines: byId(s.lines || []),
    desks: byId(s.desks || []),
    users: byId(s.users || []),
    displays: byId(s.displays || []),
    devices: devicesOf(s.devices),
    tickets: new Map(),
    ended: new Map(),
    calls: new Map(),
    presence: s.presence || [],
  };
  for (const ticket of (s.tickets || []) as StaffTicket[]) {
    state.tickets.set(ticket.id, ticket);
  }
  state.displays = state.displays.map((display) => withOnline(state, display));
  return state;
}

/** A screen is online while any session of it is present. */
function withOnline(state: Console, display: Display): Display {
  return { ...display, online: state.presence.some((member) => member.display === display.id) };
}

/** Applies push to state. The caller owns state. */
export function foldConsole(state: Console, push: Push): void {
  const data = push.data as any;
  if (push.push === "presence") {
    foldPresence(state, data);
    return;
  }
  if (push.push === "device") {
    state.devices.set(data.display, data);
    return;
  }
  if (push.push === "receipt" || push.push === "signal") {
    return;
  }
  if (data.ticket) {
    foldTicket(state, push, data.ticket);
  }
  for (const line of (data.lines || []) as Line[]) {
    // A change of numbers does not make up a line that was removed, and does not
    // say whether one is open.
    const known = state.lines.find((other) => other.id === line.id);
    if (known) {
      const { disabled, archived } = known;
      state.lines = replace(state.lines, { ...(disabled === undefined ? {} : { disabled }), ...(archived === undefined ? {} : { archived }), ...line }, false);
    }
  }
  const removed = data.removed === true;
  if (data.line) state.lines = replace(state.lines, data.line, removed);
  if (data.desk) state.desks = replace(state.desks, data.desk, removed);
  if (data.user) state.users = replace(state.users, data.user, removed);
  if (data.display) state.displays = replace(state.displays, withOnline(state, data.display), removed);
  if (data.location) state.location = data.location;
}

function foldTicket(state: Console, push: Push, ticket: StaffTicket): void {
  if (!ticket.id) {
    throw new Error("a staff ticket without an id");
  }
  // An erased ticket that still waits keeps its number, and nothing else.
  const erased = push.push === "ticket.erased" && !ticket.publicId;
  if (erased || isOver(ticket)) {
    state.tickets.delete(ticket.id);
    state.calls.delete(ticket.id);
    noteEnded(state, ticket, erased || ticket.erased === true);
    return;
  }
  state.ended.delete(ticket.id);
  state.tickets.set(ticket.id, ticket);
  if (ticket.status !== "CALLED") {
    state.calls.delete(ticket.id);
  } else if (push.offset && (push.push === "ticket.called" || push.push === "ticket.recalled")) {
    state.calls.set(ticket.id, push.offset);
  }
}

/** So many ended tickets are kept in view. */
export const ENDED_KEPT = 60;

/** Keeps what ended, the newest ones; who was erased is gone from here as well. */
export function noteEnded(state: Console, ticket: StaffTicket, erased = ticket.erased === true): void {
  state.ended.delete(ticket.id);
  if (erased) return;
  state.ended.set(ticket.id, ticket);
  if (state.ended.size > ENDED_KEPT) {
    state.ended.delete(state.ended.keys().next().value as string);
  }
}

/** Final in the line, and nobody is writing: out of view until it comes back. */
function isOver(ticket: StaffTicket): boolean {
  const waiting = ticket.status === "NEW" || ticket.status === "CALLED";
  const talk = ticket.conversation ? ticket.conversation.state : undefined;
  return !waiting && (!talk || talk === "Closed");
}

function foldPresence(state: Console, presence: Presence): void {
  state.presence = state.presence.filter((other) => other.session !== presence.session);
  if (presence.online) {
    state.presence = state.presence.concat(presence);
  }
  if (presence.display) {
    // A screen that comes back has two sessions for a moment.
    state.displays = state.displays.map((display) =>
      display.id === presence.display ? withOnline(state, display) : display);
  }
}

/** Those that wait in any of lines, next one first. */
export function waitingIn(state: Console, lines: ReadonlySet<number> | undefined): StaffTicket[] {
  return Array.from(state.tickets.values())
    .filter((t) => t.status === "NEW" && (!lines || lines.has(t.line)))
    .sort((a, b) => compare(a.order || "", b.order || "") || compare(a.key, b.key));
}

/** Those being served, newest call first. */
export function calledTickets(state: Console): StaffTicket[] {
  return Array.from(state.tickets.values())
    .filter((t) => t.status === "CALLED")
    .sort((a, b) => compare(b.called?.date || "", a.called?.date || "") || compare(a.key, b.key));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byId<T extends { id: number; rank?: number }>(list: T[]): T[] {
  return list.slice().sort((a, b) => (a.rank || 0) - (b.rank || 0) || a.id - b.id);
}

function replace<T extends { id: number; rank?: number }>(list: T[], thing: T, removed: boolean): T[] {
  const rest = list.filter((other) => other.id !== thing.id);
  return removed ? rest : byId(rest.concat(thing));
}
