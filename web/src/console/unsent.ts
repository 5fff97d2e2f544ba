// Messages and notes on their way. Each keeps its key until it is known what
// became of it, over reconnects and reloads, so that it is there once.
import { CommandReply, HubError, NOT_SENT, randomKey, TIMED_OUT } from "../client/index";
import { Stored } from "./storage";

export interface Unsent {
  /** The idempotency key, and the message's clientId. */
  key: string;
  ticket: string;
  text: string;
  note: boolean;
  files: Array<{ id: string; name: string }>;
  at: number;
  state: "sending" | "waiting" | "refused";
  /** Why it was refused. */
  problem?: string;
}

/** How a command is given: Client.command, or a test's. */
export type Give = (name: string, params: object, key: string) => Promise<CommandReply>;

/** What may turn out well later, with the same key. */
const PASSING = [NOT_SENT, TIMED_OUT, "unavailable", "rate_limited", "internal"];

/** The way of everything that was written here and is not yet at the hub. */
export class Outgoing {
  private readonly stored: Stored<Unsent[]>;

  constructor(
    user: number,
    private readonly give: Give,
    private readonly words: (error: HubError) => string,
    private readonly changed: () => void,
    private readonly now: () => number = Date.now,
  ) {
    this.stored = new Stored(`nowserving.unsent.${user}`, []);
    // What a closed page was sending waits here for the next connection.
    this.stored.set(this.stored.value.map((one) => (one.state === "sending" ? { ...one, state: "waiting" } : one)));
  }

  of(ticket: string): Unsent[] {
    return this.stored.value.filter((one) => one.ticket === ticket);
  }

  add(ticket: string, text: string, note: boolean, files: Unsent["files"]): void {
    const one: Unsent = { key: randomKey(), ticket, text, note, files, at: this.now(), state: "sending" };
    this.stored.set(this.stored.value.concat(one));
    this.send(one);
  }

  /** Sends again what waits for a connection, in the order it was written. */
  flush(): void {
    this.stored.value.filter((one) => one.state === "waiting").forEach((one) => this.again(one));
  }

  /** A refusal is remembered under its key, so another try takes another one. */
  retry(key: string): void {
    const one = this.stored.value.find((other) => other.key === key);
    if (one) this.again(one.state === "refused" ? { ...one, key: randomKey() } : one, key);
  }

  drop(key: string): Unsent | undefined {
    const one = this.stored.value.find((other) => other.key === key);
    this.stored.set(this.stored.value.filter((other) => other.key !== key));
    this.changed();
    return one;
  }

  clear(): void {
    this.stored.clear([]);
  }

  private again(one: Unsent, replaces = one.key): void {
    const next: Unsent = { ...one, state: "sending" };
    delete next.problem;
    this.replace(replaces, next);
    this.send(next);
  }

  private send(one: Unsent): void {
    const files = one.files.map((file) => file.id);
    const params = one.note
      ? { ticket: one.ticket, text: one.text }
      : { ticket: one.ticket, text: one.text, clientId: one.key, ...(files.length ? { files } : {}) };
    this.changed();
    this.give(one.note ? "note.add" : "message.send", params, one.key).then(
      () => this.drop(one.key),
      (error: HubError) => {
        const passing = PASSING.indexOf(error.code) >= 0;
        this.replace(one.key, { ...one, state: passing ? "waiting" : "refused", problem: this.words(error) });
      },
    );
  }

  /** Nothing comes back that was dropped meanwhile. */
  private replace(key: string, next: Unsent): void {
    this.stored.set(this.stored.value.map((other) => (other.key === key ? next : other)));
    this.changed();
  }
}
