// Messages on their way. Each has a key from the moment it is written, which goes
// with every attempt, so that it arrives once however often it is sent; and each
// is kept in the site's storage until the hub has it.
import { HubError, LINK_LOST, NOT_SENT, TIMED_OUT } from "../client/wire";
import { Store } from "../launcher/api";

export interface Outgoing {
  id: string;
  text: string;
  files: Array<{ file: string; name: string }>;
  at: number;
  /** Why the hub refused it; absent while it is still to be sent. */
  refused?: string;
}

const PREFIX = "out.";

/** Errors after which the same message may simply be sent again. */
function passing(code: string): boolean {
  return [LINK_LOST, TIMED_OUT, NOT_SENT, "unavailable", "internal", "rate_limited"].indexOf(code) >= 0;
}

/** One conversation's unsent messages, sent one after another in order. */
export class Outbox {
  private messages: Outgoing[] = [];
  private busy = false;
  private cancelRetry: (() => void) | undefined;

  constructor(
    private readonly store: Store,
    private readonly send: (message: Outgoing) => Promise<unknown>,
    private readonly after: (ms: number, run: () => void) => () => void,
    private readonly changed: () => void,
  ) {
    for (const name of store.names(PREFIX)) {
      try {
        this.messages.push(JSON.parse(store.get(name) as string) as Outgoing);
      } catch {
        store.set(name);
      }
    }
    this.messages.sort((a, b) => a.at - b.at);
  }

  get all(): readonly Outgoing[] {
    return this.messages;
  }

  add(message: Outgoing): void {
    this.messages = this.messages.concat(message);
    this.keep(message);
    this.changed();
    this.flush();
  }

  /** The hub has it: seen in the thread, or another tab sent it. */
  done(id: string): void {
    if (this.messages.some((m) => m.id === id)) {
      this.messages = this.messages.filter((m) => m.id !== id);
      this.store.set(PREFIX + id);
      this.changed();
    }
  }

  /** Tries a refused message again, as a new one: the hub remembers what it refused. */
  retry(id: string, fresh: string): void {
    this.messages = this.messages.map((m) => {
      if (m.id !== id) return m;
      this.store.set(PREFIX + id);
      const again: Outgoing = { id: fresh, text: m.text, files: m.files, at: m.at };
      this.keep(again);
      return again;
    });
    this.changed();
    this.flush();
  }

  /** Another tab changed what is kept. */
  noticed(name: string): void {
    const id = name.slice(PREFIX.length);
    if (name.indexOf(PREFIX) === 0 && this.store.get(name) === undefined) this.done(id);
  }

  clear(): void {
    for (const message of this.messages) this.store.set(PREFIX + message.id);
    this.messages = [];
    this.stop();
  }

  stop(): void {
    if (this.cancelRetry) this.cancelRetry();
    this.cancelRetry = undefined;
  }

  /** Sends what is due; to be called whenever the link is there again. */
  flush(): void {
    const next = this.messages.filter((m) => m.refused === undefined)[0];
    if (this.busy || !next) return;
    this.stop();
    this.busy = true;
    this.send(next).then(
      () => {
        this.busy = false;
        this.done(next.id);
        this.flush();
      },
      (error: HubError) => {
        this.busy = false;
        if (passing(error.code)) {
          this.cancelRetry = this.after(Math.max(2, error.retryAfter || 0) * 1000, () => this.flush());
          return;
        }
        this.messages = this.messages.map((m) => (m.id === next.id ? { ...m, refused: error.code } : m));
        this.messages.filter((m) => m.id === next.id).forEach((m) => this.keep(m));
        this.changed();
        this.flush();
      },
    );
  }

  private keep(message: Outgoing): void {
    this.store.set(PREFIX + message.id, JSON.stringify(message));
  }
}
