// What the page remembers in this tab only: a question without an answer, so
// that a reload cannot ask twice, and the number that was given.
import { Pending } from "../form/issuer";

export interface TabMemory {
  pending: Pending | undefined;
  issued: { number: string; path: string } | undefined;
  language: string;
}

/** Storage may be denied; then nothing outlives the page. */
export function tabMemory(location: string): TabMemory {
  const name = (what: string) => `nowserving.join.${what}.${location}`;
  return {
    get pending() {
      const saved = read(name("pending"));
      return saved && typeof saved.key === "string" && saved.request && saved.request.line > 0 ? saved : undefined;
    },
    set pending(pending) {
      write(name("pending"), pending);
    },
    get issued() {
      const saved = read(name("issued"));
      return saved && /^\/t\//.test(String(saved.path)) ? saved : undefined;
    },
    set issued(issued) {
      write(name("issued"), issued);
    },
    get language() {
      const saved = read(name("language"));
      return typeof saved === "string" ? saved : "";
    },
    set language(language) {
      write(name("language"), language);
    },
  };
}

function read(name: string): any {
  try {
    return JSON.parse(window.sessionStorage.getItem(name) || "null") || undefined;
  } catch {
    return undefined;
  }
}

function write(name: string, value: unknown): void {
  try {
    if (value) window.sessionStorage.setItem(name, JSON.stringify(value));
    else window.sessionStorage.removeItem(name);
  } catch {
    // Denied or full.
  }
}
