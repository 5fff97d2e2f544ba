// Messages on their way. Each has a key of its own for as long as it takes: with
// one key it happens once, however often it has to be sent.
import { LINK_LOST, NOT_SENT, TIMED_OUT } from "../client/index";

export interface SentFile {
  id: string;
  name: string;
}

export type Progress = "waiting" | "sending" | "sent" | "failed";

export interface Outgoing {
  /** Idempotency key and the thread entry's clientId. */
  key: string;
  text: string;
  files: SentFile[];
  state: Progress;
  /** The hub's code when it refused. */
  code?: string;
}

export interface OutgoingDeps {
  key(): string;
  after(ms: number, run: () => void): () => void;
  send(message: Outgoing): Promise<unknown>;
  /** Kept over a reload of the page; undefined where there is no storage. */
  save(messages: Outgoing[]): void;
  changed(): void;
}

const RETRY = 3000;

/** Sends one after the other, so that the thread has them in the order written. */
export class OutgoingQueue {
  private messages: Outgoing[];
  private live = false;
  private busy = false;
  private cancelRetry: (() => void) | undefined;

  constructor(private readonly deps: OutgoingDeps, saved: Outgoing[]) {
    // What was being sent when the page went may or may not have arrived.
    this.messages = saved.map((message) => (message.state === "failed" ? message : { ...message, state: "waiting" }));
  }

  get list(): readonly Outgoing[] {
    return this.messages;
  }

  add(text: string, files: SentFile[]): void {
    this.messages = this.messages.concat({ key: this.deps.key(), text, files, state: "waiting" });
    this.tell();
    this.next();
  }

  /** A refused message goes again: what the hub refused did not happen. */
  retry(key: string): void {
    this.change(key, "waiting");
    this.next();
  }

  drop(key: string): void {
    this.messages = this.messages.filter((message) => message.key !== key);
    this.tell();
  }

  /** Whether the hub can be reached now. */
  setLive(live: boolean): void {
    this.live = live;
    this.next();
  }

  /** Takes out what is in the thread by now. */
  arrived(keys: ReadonlySet<string>): void {
    const left = this.messages.filter((message) => !keys.has(message.key));
    if (left.length !== this.messages.length) {
      this.messages = left;
      this.tell();
    }
  }

  private next(): void {
    const message = this.messages.find((one) => one.state === "waiting");
    if (!message || !this.live || this.busy || this.cancelRetry) {
      return;
    }
    this.busy = true;
    this.change(message.key, "sending");
    this.deps.send(message).then(
      () => this.done(message.key, "sent"),
      (error: { code?: string; retryAfter?: number }) => this.refused(message.key, error),
    );
  }

  private refused(key: string, error: { code?: string; retryAfter?: number }): void {
    switch (error.code) {
      case LINK_LOST:
      case NOT_SENT:
      case TIMED_OUT:
        this.later(0);
        this.done(key, "waiting");
        return;
      case "unavailable":
      case "rate_limited":
      case "internal":
        this.later((error.retryAfter || 0) * 1000);
        this.done(key, "waiting");
        return;
      default:
        this.done(key, "failed", error.code || "internal");
    }
  }

  private later(atLeast: number): void {
    this.cancelRetry = this.deps.after(Math.max(RETRY, atLeast), () => {
      this.cancelRetry = undefined;
      this.next();
    });
  }

  private done(key: string, state: Progress, code?: string): void {
    this.busy = false;
    this.change(key, state, code);
    this.next();
  }

  private change(key: string, state: Progress, code?: string): void {
    this.messages = this.messages.map((message) => {
      if (message.key !== key) return message;
      const { code: _, ...rest } = message;
      return code ? { ...rest, state, code } : { ...rest, state };
    });
    this.tell();
  }

  private tell(): void {
    this.deps.save(this.messages);
    this.deps.changed();
  }
}
