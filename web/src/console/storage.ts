// What survives a reload: drafts, and messages that have no answer yet. Both are
// somebody's words, so they are kept per user and go with the sign-out.

/** Stored as one JSON text; without storage it lasts as long as the page. */
export class Stored<T> {
  private held: T;

  constructor(private readonly name: string, empty: T) {
    this.held = empty;
    try {
      const text = localStorage.getItem(name);
      if (text) this.held = JSON.parse(text) as T;
    } catch {
      // Blocked or damaged: begin anew.
    }
  }

  get value(): T {
    return this.held;
  }

  set(value: T): void {
    this.held = value;
    try {
      localStorage.setItem(this.name, JSON.stringify(value));
    } catch {
      // See the constructor.
    }
  }

  clear(empty: T): void {
    this.held = empty;
    try {
      localStorage.removeItem(this.name);
    } catch {
      // See the constructor.
    }
  }
}

export interface Draft {
  text: string;
  note: boolean;
  at: number;
}

const DRAFTS_KEPT = 100;
const DRAFT_LIFE = 7 * 24 * 3600 * 1000;

/** What was typed and not sent, per ticket. */
export class Drafts {
  private readonly stored: Stored<Record<string, Draft>>;

  constructor(user: number, private readonly now: () => number = Date.now) {
    this.stored = new Stored(`nowserving.drafts.${user}`, {});
  }

  get(ticket: string): Draft | undefined {
    return this.stored.value[ticket];
  }

  set(ticket: string, text: string, note: boolean): void {
    const all = { ...this.stored.value };
    delete all[ticket];
    if (text) {
      all[ticket] = { text, note, at: this.now() };
    }
    const old = Object.keys(all).filter((id) => this.now() - all[id]!.at > DRAFT_LIFE);
    old.forEach((id) => delete all[id]);
    const oldest = Object.keys(all).sort((a, b) => all[a]!.at - all[b]!.at);
    oldest.slice(0, Math.max(0, oldest.length - DRAFTS_KEPT)).forEach((id) => delete all[id]);
    this.stored.set(all);
  }

  clear(): void {
    this.stored.clear({});
  }
}
