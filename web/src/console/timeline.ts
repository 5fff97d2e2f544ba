// One timeline per visit: what was written, what became of the conversation, and
// the calls to a desk, in the order in which they happened.
import { Participant, StaffTicket } from "./state";
import { Unsent } from "./unsent";

export interface Attachment {
  id: number;
  type: string;
  fileIdentifier: string;
  originalFileName: string;
  uri?: string;
  thumbnails?: string[];
  sanitizationState?: string;
}

export interface Transaction {
  seq: number;
  dateTime: string;
  fromProtocolType?: string;
  type: string;
  text: string;
  status: string;
  fromParticipant: Participant;
  attachments?: Attachment[];
  clientId?: string;
}

export type Entry =
  | { kind: "said"; key: string; at: number; seq: number; said: Transaction }
  | { kind: "event"; key: string; at: number; seq: number; event: string; by: string; to: string }
  | { kind: "unsent"; key: string; at: number; seq: number; unsent: Unsent };

/** The transactions that somebody wrote; the others tell of a change. */
const WRITTEN = ["Message", "Note", "IntroductionMessage", "ByeByeMessage", "PendingAlert", "PhoneCallRecording", "DocumentSigned", "SurveyAnswered"];

export interface Names {
  user(id: number | undefined): string;
  desk(id: number | undefined): string;
  line(id: number | undefined): string;
}

/** The whole timeline; what is not sent yet stands last. */
export function timeline(ticket: StaffTicket | undefined, said: Iterable<Transaction>, unsent: Unsent[], names: Names): Entry[] {
  const entries: Entry[] = [];
  const arrived = new Set<string>();
  for (const one of Array.from(said)) {
    if (one.clientId) arrived.add(one.clientId);
    entries.push(entryOf(one));
  }
  if (ticket) {
    entries.push(...visits(ticket, names));
  }
  // By time; what happened in one millisecond by its number in the thread.
  entries.sort((a, b) => a.at - b.at || a.seq - b.seq);
  for (const one of unsent) {
    if (!arrived.has(one.key)) entries.push({ kind: "unsent", key: `unsent ${one.key}`, at: one.at, seq: 0, unsent: one });
  }
  return entries;
}

function entryOf(one: Transaction): Entry {
  const at = Date.parse(one.dateTime);
  if (WRITTEN.indexOf(one.type) >= 0) {
    return { kind: "said", key: `seq ${one.seq}`, at, seq: one.seq, said: one };
  }
  return { kind: "event", key: `seq ${one.seq}`, at, seq: one.seq, event: one.type, by: one.fromParticipant?.name || "", to: "" };
}

/** What happened to the place in the line, as far as the ticket tells. */
function visits(ticket: StaffTicket, names: Names): Entry[] {
  const out: Entry[] = [];
  const add = (key: string, date: string | undefined, event: string, by: string, to: string) => {
    const at = Date.parse(date || "");
    if (!isNaN(at)) out.push({ kind: "event", key, at, seq: 0, event, by, to });
  };
  if (ticket.publicId) {
    add("created", ticket.created?.date, "Joined", "", names.line(ticket.line));
  }
  for (const visit of ticket.interactions || []) {
    add(`call ${visit.start}`, visit.start, "Called", names.user(visit.user), names.desk(visit.desk));
    add(`end ${visit.start}`, visit.end, "CallEnded", names.user(visit.user), "");
  }
  return out;
}

/** How far a message of ours got, as marks show it. */
export function markOf(said: Transaction, clientRead: number): "sent" | "delivered" | "read" | "failed" {
  if (said.status === "Read" || (said.fromParticipant.type === "User" && clientRead >= said.seq)) {
    return "read";
  }
  const status = said.status.toUpperCase();
  if (status === "INVALID_NUMBER" || status === "FAILED") return "failed";
  return status === "DELIVERED" ? "delivered" : "sent";
}
