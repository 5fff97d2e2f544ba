// What the console says, and errors in words.
import { HubError, NOT_SENT, Status, TIMED_OUT } from "../client/index";
import { chooseWords } from "../common/words";
import all from "words:console";
import { Shown } from "./receipts";
import { StaffTicket } from "./state";

const LANGUAGE = "nowserving.language";

/** The languages that the console speaks, by their own names. */
export const LANGUAGES: ReadonlyArray<[code: string, name: string]> = [
  ["en", "English"], ["es", "Espa\u00f1ol"], ["de", "Deutsch"], ["fr", "Fran\u00e7ais"], ["ar", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629"],
];

function wanted(): string[] {
  if (typeof window === "undefined") {
    return ["en"];
  }
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(LANGUAGE);
  } catch {
    // Without storage the browser's languages hold.
  }
  return (chosen ? [chosen] : []).concat(Array.from(navigator.languages || [navigator.language]));
}

/** Remembers a language for the next load of the page. */
export function chooseLanguage(code: string): void {
  try {
    localStorage.setItem(LANGUAGE, code);
  } catch {
    // See wanted.
  }
}

export const words = chooseWords(all, wanted());

export function say(key: string, values: Readonly<Record<string, string | number>> = {}): string {
  return words.say(key, values);
}

/** Puts the words into the parts of the page that are there from the start. */
export function translatePage(): void {
  document.documentElement.lang = words.language;
  document.documentElement.dir = words.direction;
  document.querySelectorAll<HTMLElement>("[data-say]").forEach((element) => (element.textContent = say(element.dataset["say"]!)));
  document.querySelectorAll<HTMLElement>("[data-say-label]").forEach((element) => element.setAttribute("aria-label", say(element.dataset["sayLabel"]!)));
  document.querySelectorAll<HTMLElement>("[data-say-hint]").forEach((element) => element.setAttribute("placeholder", say(element.dataset["sayHint"]!)));
}

export function fullName(person: { firstName?: string | undefined; lastName?: string | undefined }): string {
  return [person.firstName, person.lastName].filter(Boolean).join(" ");
}

export function deskWords(name: string): string {
  return /^\d+[A-Za-z]?$/.test(name) ? say("deskNumber", { desk: name }) : name;
}

/** The error for people; the hub's own message where it says more than we could. */
export function errorWords(error: HubError): string {
  switch (error.code) {
    case "empty":
      return say("error.empty");
    case "conflict":
    case "bad_request":
    case "too_large":
      return sentence(error.message);
    case "not_found":
      return say("error.notFound");
    case "forbidden":
      return say("error.forbidden");
    case "unauthenticated":
      return say("error.signedOut");
    case "rate_limited":
      return error.retryAfter ? say("error.fastFor", { seconds: error.retryAfter }) : say("error.fast");
    case "unavailable":
      return say("error.unavailable");
    case TIMED_OUT:
      return say("error.timedOut");
    case NOT_SENT:
      return say("error.notSent");
    default:
      return say("error.internal");
  }
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : capital + ".";
}

export function statusWords(status: Status, clock: (ms: number) => string): string {
  const key = status.since === undefined || status.state === "live" || status.state === "connecting" || status.state === "final"
    ? `link.${status.state}` : `link.${status.state}Since`;
  return say(key, { time: status.since === undefined ? "" : clock(status.since) });
}

/** Why buttons are disabled, or "" when they are not. */
export function disabledReason(status: Status): string {
  switch (status.state) {
    case "live":
      return "";
    case "connecting":
      return say("blocked.connecting");
    case "final":
      return say("blocked.final");
    default:
      return say("blocked.away");
  }
}

/** "Shown on 2/2 screens, sound ok" */
export function shownWords(shown: Shown): string {
  if (shown.screens === 0) {
    return say("shown.none");
  }
  let text = say("shown.on", { painted: shown.painted, screens: shown.screens });
  if (shown.heard > 0) {
    text += shown.heard >= shown.rooms ? say("shown.heard") : say("shown.heardIn", { heard: shown.heard, rooms: shown.rooms });
  }
  if (shown.offline > 0) {
    text += say("shown.offline", { offline: shown.offline });
  }
  return text;
}

/** "3:07", or "1:03:07" */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => `0${n}`.slice(-2);
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

/** The commands whose doing is worth a word, and the word's key. */
const DONE: Readonly<Record<string, string>> = {
  "ticket.create": "done.create",
  "ticket.call": "done.call",
  "ticket.callNext": "done.call",
  "ticket.recall": "done.recall",
  "ticket.serve": "done.serve",
  "ticket.noShow": "done.noShow",
  "ticket.cancel": "done.cancel",
  "ticket.returnToQueue": "done.return",
  "ticket.forward": "done.forward",
  "ticket.enqueue": "done.enqueue",
  "ticket.reorder": "done.reorder",
};

/** "A-42 is served." after a command that was done; "" where the page itself shows it. */
export function doneWords(name: string, ticket: StaffTicket | undefined): string {
  const key = DONE[name];
  return key ? say(key, { number: ticket?.publicId || say("ticket") }) : "";
}

/** Who a ticket is about: its name, or what else is known. */
export function whoWords(ticket: StaffTicket): string {
  const client = ticket.conversation?.participants?.find((p) => p.type === "Client");
  return fullName(ticket) || client?.name || ticket.email || ticket.phoneNumber || say("nameless");
}
