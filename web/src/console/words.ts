// What the console says, and errors in words.
import { HubError, NOT_SENT, Status, TIMED_OUT } from "../client/index";
import { Shown } from "./receipts";
import { StaffTicket } from "./state";

export function fullName(person: { firstName?: string; lastName?: string }): string {
  return [person.firstName, person.lastName].filter(Boolean).join(" ");
}

export function deskWords(name: string): string {
  return /^\d+[A-Za-z]?$/.test(name) ? `Desk ${name}` : name;
}

/** The error for people; the hub's own message where it says more than we could. */
export function errorWords(error: HubError): string {
  switch (error.code) {
    case "empty":
      return "Nobody is waiting in your lines.";
    case "conflict":
    case "bad_request":
    case "too_large":
      return sentence(error.message);
    case "not_found":
      return "That ticket is not there any more.";
    case "forbidden":
      return "You may not do this.";
    case "unauthenticated":
      return "Your sign-in has ended. Sign in again.";
    case "rate_limited":
      return error.retryAfter ? `Too fast. Try again in ${error.retryAfter} s.` : "Too fast. Try again in a moment.";
    case "unavailable":
      return "The hub cannot take this now. Try again in a moment.";
    case TIMED_OUT:
      return "No answer from the hub. It may have been done: look before you press again.";
    case NOT_SENT:
      return "The hub could not be reached. Nothing was done.";
    default:
      return "Something went wrong at the hub. Try again.";
  }
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : capital + ".";
}

export function statusWords(status: Status, clock: (ms: number) => string): string {
  const since = status.since === undefined ? "" : ` since ${clock(status.since)}`;
  switch (status.state) {
    case "live":
      return "Live";
    case "connecting":
      return "Connecting\u2026";
    case "stale":
      return `No news${since}`;
    case "offline":
      return `Offline${since}`;
    case "final":
      return "Signed out";
  }
}

/** Why buttons are disabled, or "" when they are not. */
export function disabledReason(status: Status): string {
  switch (status.state) {
    case "live":
      return "";
    case "connecting":
      return "Connecting to the hub\u2026";
    case "final":
      return "This session has ended.";
    default:
      return "No connection to the hub. What you see may be old.";
  }
}

/** "Shown on 2/2 screens, sound ok" */
export function shownWords(shown: Shown): string {
  if (shown.screens === 0) {
    return "No screens are paired";
  }
  let text = `Shown on ${shown.painted}/${shown.screens} screens`;
  if (shown.heard > 0) {
    text += shown.heard >= shown.rooms ? ", sound ok" : `, sound in ${shown.heard}/${shown.rooms} rooms`;
  }
  if (shown.offline > 0) {
    text += ` (${shown.offline} offline)`;
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

/** "A-42 is served." after a command that was done. */
export function doneWords(name: string, ticket: StaffTicket | undefined): string {
  const who = ticket ? ticket.publicId : "Ticket";
  switch (name) {
    case "ticket.create":
      return `${who} waits.`;
    case "ticket.call":
    case "ticket.callNext":
      return `${who} is called.`;
    case "ticket.recall":
      return `${who} is called again.`;
    case "ticket.serve":
      return `${who} is served.`;
    case "ticket.noShow":
      return `${who} did not show up.`;
    case "ticket.cancel":
      return `${who} is cancelled.`;
    case "ticket.returnToQueue":
      return `${who} waits again.`;
    case "ticket.forward":
      return `${who} waits in another line.`;
    default:
      return "Done.";
  }
}
