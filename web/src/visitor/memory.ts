// What a visit remembers over a reload of its page, in this tab only: what was
// typed and not sent. Storage may be denied; then nothing outlives the page.
import { Outgoing } from "./outgoing";

const DRAFT = "nowserving.visit.draft.";
const OUTGOING = "nowserving.visit.outgoing.";
const LANGUAGE = "nowserving.visit.language";

export class Memory {
  constructor(private readonly ticket: string) {}

  get draft(): string {
    return read(DRAFT + this.ticket) || "";
  }

  set draft(text: string) {
    write(DRAFT + this.ticket, text);
  }

  get outgoing(): Outgoing[] {
    try {
      const saved: unknown = JSON.parse(read(OUTGOING + this.ticket) || "[]");
      return Array.isArray(saved) ? saved.filter(isOutgoing) : [];
    } catch {
      return [];
    }
  }

  set outgoing(messages: Outgoing[]) {
    write(OUTGOING + this.ticket, messages.length ? JSON.stringify(messages) : "");
  }

  /** The conversation goes on in another ticket: what was not sent yet comes along. */
  moved(ticket: string): Memory {
    const next = new Memory(ticket);
    next.draft = this.draft;
    next.outgoing = this.outgoing;
    this.forget();
    return next;
  }

  /** The link does not work any more: nothing of it may stay. */
  forget(): void {
    write(DRAFT + this.ticket, "");
    write(OUTGOING + this.ticket, "");
  }
}

/** The language that somebody chose by hand on this page. */
export function chosenLanguage(): string {
  return read(LANGUAGE) || "";
}

export function chooseLanguage(language: string): void {
  write(LANGUAGE, language);
}

function isOutgoing(thing: any): thing is Outgoing {
  return !!thing && typeof thing.key === "string" && typeof thing.text === "string" && Array.isArray(thing.files);
}

function read(name: string): string | null {
  try {
    return window.sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    if (value) window.sessionStorage.setItem(name, value);
    else window.sessionStorage.removeItem(name);
  } catch {
    // Denied or full.
  }
}
