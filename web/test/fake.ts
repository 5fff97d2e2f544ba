// A scripted hub in the same process, with a clock that only tests move.
// Nothing here waits: time passes when a test calls `pass`.
import type { Env, SocketLike } from "../src/client/index";

export interface Frame {
  id: number;
  [verb: string]: any;
}

/** The hub's end of one socket; a test answers what `take` hands out. */
export class FakeSocket implements SocketLike {
  onopen: ((event: any) => void) | null = null;
  onmessage: ((event: any) => void) | null = null;
  onclose: ((event: any) => void) | null = null;
  onerror: ((event: any) => void) | null = null;
  readonly received: Frame[] = [];
  closedByClient = false;
  readyState = 1;

  send(frame: string): void {
    this.received.push(JSON.parse(frame));
  }

  close(): void {
    this.closedByClient = true;
  }

  accept(): void {
    this.onopen?.({});
  }

  /** Sends a frame to the client. */
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  reply(to: Frame, reply: unknown): void {
    this.say({ id: to.id, reply });
  }

  fail(to: Frame, code: string, extra: object = {}): void {
    this.say({ id: to.id, error: { code, message: code, ...extra } });
  }

  drop(code = 1006): void {
    this.onclose?.({ code, reason: "" });
  }

  /** The oldest frame with that verb that was not taken yet. */
  take(verb: string): Frame {
    const at = this.received.findIndex((frame) => verb in frame);
    if (at < 0) {
      throw new Error(`no ${verb} frame; there is ${JSON.stringify(this.received)}`);
    }
    return this.received.splice(at, 1)[0]!;
  }

  has(verb: string): boolean {
    return this.received.some((frame) => verb in frame);
  }
}

interface Timer {
  at: number;
  run: () => void;
}

/** An Env whose time, chance and network are in the test's hands. */
export class FakeEnv implements Env {
  readonly sockets: FakeSocket[] = [];
  readonly reports: string[] = [];
  chance = 0.5;
  private time = 1000;
  private timers: Timer[] = [];
  private keys = 0;

  now = () => this.time;
  random = () => this.chance;
  key = () => `key-${++this.keys}`;
  report = (problem: string) => {
    this.reports.push(problem);
  };

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  open(): FakeSocket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1]!;
  }

  get pendingTimers(): number {
    return this.timers.length;
  }

  /** Lets ms go by, running what falls due, in order. */
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) {
        break;
      }
      this.timers = this.timers.filter((other) => other !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }
}

/** Settles promises that were resolved by now. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
