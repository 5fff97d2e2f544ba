// The words of this page in the reader's language.
import { HubError } from "../client/index";
import { chooseWords } from "../common/words";
import all from "words:admin";

export const words = chooseWords(all, navigator.languages || [navigator.language]);

export function say(key: string, values: Readonly<Record<string, string | number>> = {}): string {
  return words.say(key, values);
}

/** Why something failed: what kind of failure in the reader's words, then the hub's own. */
export function errorWords(error: unknown): string {
  const { code, message } = error as HubError;
  const known = ["bad_request", "conflict", "forbidden", "not_found", "rate_limited", "too_large", "unauthenticated", "unavailable"];
  if (known.indexOf(code) < 0) {
    return say("error.internal");
  }
  const own = code === "bad_request" || code === "conflict" || code === "too_large";
  return own && message ? `${say(`error.${code}`)} ${message}` : say(`error.${code}`);
}

const DATE: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short" } as Intl.DateTimeFormatOptions;

/** An instant in the reader's words, "" for none. */
export function when(instant: string | undefined, zone?: string): string {
  const at = Date.parse(instant || "");
  if (isNaN(at) || at < 0) {
    return "";
  }
  return new Intl.DateTimeFormat(words.language, zone ? { ...DATE, timeZone: zone } : DATE).format(at);
}

/** The name of a weekday, 0 is Monday. */
export function weekday(day: number): string {
  return new Intl.DateTimeFormat(words.language, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + day));
}

export function share(part: number): string {
  return new Intl.NumberFormat(words.language, { style: "percent", maximumFractionDigits: 0 }).format(part);
}

export function amount(value: number, digits = 0): string {
  return new Intl.NumberFormat(words.language, { maximumFractionDigits: digits }).format(value);
}
