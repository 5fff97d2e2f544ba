// One socket, from opening to its end: the connect frame, requests and their
// answers, pings, and noticing that the other side is gone.
import { Env, SocketLike } from "./env";
import { ConnectReply, HubError, LINK_LOST, Push, TIMED_OUT } from "./wire";

/** How long opening and the connect frame may take together. */
export const CONNECT_TIMEOUT = 8000;
/** How long an answer may take. */
export const REQUEST_TIMEOUT = 10000;
/** How long a link may stay silent after a probe, for a page that woke up. */
export const PROBE_TIMEOUT = 3000;
/** The readyState in which a socket takes frames. */
export const OPEN = 1;
/** Silence of so many ping intervals means the link is dead. */
const DEAD_AFTER = 3;

/** Close codes of our own, for ends that the browser did not report. */
export const CLOSED_BY_US = 1006;

export type Done = (error: HubError | undefined, reply?: any) => void;

export interface LinkEvents {
  connected(reply: ConnectReply): void;
  /** Any frame at all. */
  heard(): void;
  push(push: Push): void;
  /** Refusal is the hub's answer to connect, when it was not a reply. */
  closed(code: number, refusal?: HubError): void;
}

export interface LinkOptions {
  token: string | undefined;
  name: string;
  /** The longest time between two pings, in ms, whatever the hub allows. */
  pingAtMost: number;
}

interface Waiting {
  done: Done;
  cancel: () => void;
}

/** A link ends once; every waiting request then fails with LINK_LOST. */
export class Link {
  private readonly env: Env;
  private readonly events: LinkEvents;
  private readonly options: LinkOptions;
  private readonly socket: SocketLike;
  private readonly waiting = new Map<number, Waiting>();
  private cancelTimer: () => void;
  private cancelProbe: (() => void) | undefined;
  private nextId = 1;
  private lastHeard = 0;
  private frames = 0;
  private open = false;
  private ended = false;
  private refusal: HubError | undefined;

  constructor(env: Env, events: LinkEvents, options: LinkOptions) {
    this.env = env;
    this.events = events;
    this.options = options;
    this.socket = env.open();
    this.cancelTimer = env.after(CONNECT_TIMEOUT, () => this.close());
    this.socket.onopen = () => this.connect();
    this.socket.onmessage = (event) => this.receive(event.data);
    this.socket.onclose = (event) => this.end(event.code);
    // An error is always followed by a close, which says more.
    this.socket.onerror = null;
  }

  /** Sends a request; done is called exactly once. */
  request(verb: string, body: unknown, done: Done): void {
    if (!this.open) {
      done(new HubError({ code: LINK_LOST, message: "not connected" }));
      return;
    }
    this.send(verb, body, done);
  }

  /** Asks for a sign of life, sooner than the next ping would. */
  probe(): void {
    if (!this.open || this.cancelProbe) {
      return;
    }
    this.request("ping", {}, ignore);
    const heard = this.frames;
    this.cancelProbe = this.env.after(PROBE_TIMEOUT, () => {
      this.cancelProbe = undefined;
      if (this.frames === heard) {
        this.close();
      }
    });
  }

  /**
   * Ends the link now. It does not wait for the browser's close event: on a
   * dead network that comes minutes later, or never.
   */
  close(): void {
    const socket = this.socket;
    this.end(CLOSED_BY_US);
    socket.close();
  }

  private connect(): void {
    const body: { token?: string; name: string } = { name: this.options.name };
    if (this.options.token) {
      body.token = this.options.token;
    }
    this.send("connect", body, (error, reply) => {
      if (this.ended) {
        return;
      }
      if (error) {
        this.refusal = error;
        this.close();
        return;
      }
      this.connected(reply as ConnectReply);
    });
  }

  private connected(reply: ConnectReply): void {
    this.open = true;
    this.cancelTimer();
    const interval = Math.min(reply.ping > 0 ? reply.ping * 1000 : Infinity, this.options.pingAtMost);
    this.keepAlive(interval);
    this.events.connected(reply);
  }

  private keepAlive(interval: number): void {
    const silence = this.env.now() - this.lastHeard;
    // Looked at when it is due, and not only with the next ping.
    const left = DEAD_AFTER * interval - silence;
    this.cancelTimer = this.env.after(Math.min(interval, left), () => {
      if (this.env.now() - this.lastHeard >= DEAD_AFTER * interval) {
        this.close();
        return;
      }
      this.keepAlive(interval);
      // Sent even when other frames went out: its answer is what shows that
      // the hub is still there.
      this.request("ping", {}, ignore);
    });
  }

  private send(verb: string, body: unknown, done: Done): void {
    const id = this.nextId++;
    const cancel = this.env.after(REQUEST_TIMEOUT, () => {
      this.waiting.delete(id);
      done(new HubError({ code: TIMED_OUT, message: "no answer in time" }));
    });
    this.waiting.set(id, { done, cancel });
    const frame: { [member: string]: unknown } = { id };
    frame[verb] = body;
    // A socket that is closing would take the frame, drop it and complain of it in
    // the page's console; its close event follows.
    if (this.socket.readyState === OPEN) {
      this.socket.send(JSON.stringify(frame));
    }
  }

  private receive(data: unknown): void {
    let frame: any;
    try {
      frame = JSON.parse(data as string);
    } catch (cause) {
      this.env.report("a frame that is not JSON", cause);
      return;
    }
    this.lastHeard = this.env.now();
    this.frames++;
    if (frame.push) {
      this.events.push(frame as Push);
    } else {
      this.answer(frame);
    }
    if (!this.ended) {
      this.events.heard();
    }
  }

  private answer(frame: any): void {
    const waiting = this.waiting.get(frame.id);
    if (!waiting) {
      if (frame.error) {
        this.env.report("an error that answers nothing", frame.error);
      }
      return;
    }
    this.waiting.delete(frame.id);
    waiting.cancel();
    if (frame.error) {
      waiting.done(new HubError(frame.error));
    } else {
      waiting.done(undefined, frame.reply);
    }
  }

  private end(code: number): void {
    if (this.ended) {
      return;
    }
    this.ended = true;
    this.open = false;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.cancelTimer();
    if (this.cancelProbe) {
      this.cancelProbe();
    }
    const lost = Array.from(this.waiting.values());
    this.waiting.clear();
    for (const waiting of lost) {
      waiting.cancel();
      waiting.done(new HubError({ code: LINK_LOST, message: "the connection was lost" }));
    }
    this.events.closed(code, this.refusal);
  }
}

function ignore(): void {
  // The answer is a sign of life and nothing else.
}
