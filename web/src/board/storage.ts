// What a screen remembers over a restart: who it is, and what it last showed.
import { Board, readBoard } from "../client/index";
import { Display } from "./look";

const TOKEN = "nowserving.display";
const IDENTITY = "nowserving.display.identity";
const BOARD = "nowserving.board.";

export interface Identity {
  display: number;
  location: number;
}

export interface Saved {
  /** The hub's time at which the board was last current. */
  at: number;
  board: Board;
  /** Calls that were announced, so that a reload does not chime them again. */
  announced: string[];
  /** The screen's own settings. */
  display?: Display;
}

/** Storage may be denied or full; a screen then lives without a memory. */
function read(name: string): string | null {
  try {
    return window.localStorage.getItem(name);
  } catch (_) {
    return null;
  }
}

function write(name: string, value: string | null): void {
  try {
    if (value === null) {
      window.localStorage.removeItem(name);
    } else {
      window.localStorage.setItem(name, value);
    }
  } catch (_) {
    // Kept in memory for as long as the page lives.
  }
}

let memoryToken: string | undefined;

export function loadToken(): string | undefined {
  return read(TOKEN) || memoryToken;
}

export function saveToken(token: string, identity: Identity): void {
  memoryToken = token;
  write(TOKEN, token);
  write(IDENTITY, JSON.stringify(identity));
}

export function forgetToken(): void {
  memoryToken = undefined;
  write(TOKEN, null);
  write(IDENTITY, null);
}

export function loadIdentity(): Identity | undefined {
  const identity = parse(read(IDENTITY));
  return identity && identity.display > 0 ? identity : undefined;
}

export function loadBoard(location: number): Saved | undefined {
  const saved = parse(read(BOARD + location));
  if (!saved || typeof saved.at !== "number") {
    return undefined;
  }
  const found: Saved = {
    at: saved.at, board: readBoard(saved.board), announced: Array.isArray(saved.announced) ? saved.announced : [],
  };
  if (saved.display && saved.display.id > 0) {
    found.display = saved.display;
  }
  return found;
}

export function saveBoard(location: number, saved: Saved): void {
  write(BOARD + location, JSON.stringify(saved));
}

function parse(text: string | null): any {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch (_) {
    return undefined; // cut off by a power failure: as good as nothing
  }
}
