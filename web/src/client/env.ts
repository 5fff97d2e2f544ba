// What the client needs from outside, so that tests can bring their own clock,
// chance and network.
import { SUBPROTOCOL } from "./wire";

/** The part of a WebSocket that the client uses. */
export interface SocketLike {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  readonly readyState: number;
  send(frame: string): void;
  close(): void;
}

export interface Env {
  /** Milliseconds since some instant; never runs backwards, counts sleep. */
  now(): number;
  /** Calls run once after ms; returns how to cancel. */
  after(ms: number, run: () => void): () => void;
  /** A number from 0 up to 1. */
  random(): number;
  /** A fresh idempotency key. */
  key(): string;
  open(): SocketLike;
  /** Where defects are told; never shown to a visitor. */
  report(problem: string, cause: unknown): void;
}

/** A jump of the wall clock past this is taken for sleep, not for slewing. */
const SLEEP_JUMP = 2000;

/**
 * Neither clock of a browser is enough: the wall clock is set back and forth
 * when a TV finds its time server, the monotonic one stands still while a
 * laptop sleeps. Time that passed on either one counts as silence.
 */
export function steadyClock(mono: () => number, wall: () => number): () => number {
  let lastMono = mono();
  let lastWall = wall();
  let time = 0;
  return () => {
    const m = mono();
    const w = wall();
    const byMono = Math.max(0, m - lastMono);
    const byWall = w - lastWall;
    time += byWall - byMono > SLEEP_JUMP ? byWall : byMono;
    lastMono = m;
    lastWall = w;
    return time;
  };
}

/** Sixteen random bytes in hex. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let key = "";
  for (let i = 0; i < bytes.length; i++) {
    key += ("0" + bytes[i]!.toString(16)).slice(-2);
  }
  return key;
}

/** The socket's address on the server that the page came from. */
export function socketURL(location: { protocol: string; host: string }): string {
  return (location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/ws";
}

/** The real thing; url is for a page that came from somewhere else than the hub. */
export function browserEnv(url = socketURL(window.location)): Env {
  return {
    now: steadyClock(() => performance.now(), () => Date.now()),
    after: (ms, run) => {
      const timer = window.setTimeout(run, ms);
      return () => window.clearTimeout(timer);
    },
    random: Math.random,
    key: randomKey,
    open: () => new WebSocket(url, SUBPROTOCOL),
    report: (problem, cause) => console.error(problem, cause),
  };
}
