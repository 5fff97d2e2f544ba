// What a visitor's page knows of its one ticket, and how pushes change it. Pure.
import { Push, WaitRange } from "../client/index";

export interface Answer {
  kind: "onMyWay" | "needTime";
  at: string;
  until?: string;
}

export interface VisitTicket {
  id: string;
  publicId?: string;
  status?: string;
  line?: { id: number; name: string };
  desk?: { id: number; name: string };
  /** 1 is next. */
  position?: number;
  wait?: WaitRange;
  created?: string;
  calledAt?: string;
  recalls?: number;
  firstName?: string;
  languageCode?: string;
  answer?: Answer;
  location: { id: number; name: string; timezone?: string; languages?: string[] };
  conversation?: { state: string; agent?: string; readUpTo: number; seenUpTo?: number; position?: number };
  erased?: boolean;
}

export interface Attachment {
  fileIdentifier: string;
  originalFileName: string;
  type: string;
  /** pending, passed or blocked; absent: passed. */
  state?: string;
  thumbnails?: string[];
}

/** An entry of the thread. */
export interface Entry {
  seq: number;
  dateTime: string;
  type: string;
  text: string;
  status: string;
  fromType: string;
  fromName?: string;
  attachments: Attachment[];
  clientId?: string;
}

export interface Visit {
  ticket: VisitTicket;
  /** Ascending by seq. */
  entries: Entry[];
}

/** Where the visit stands, for what is shown and what may be done. */
export type Stage = "waiting" | "called" | "served" | "missed" | "left" | "chat";

export function stageOf(ticket: VisitTicket): Stage {
  switch (ticket.status) {
    case "NEW":
      return "waiting";
    case "CALLED":
      return "called";
    case "SERVED":
      return "served";
    case "NOSHOW":
      return "missed";
    case "CANCELLED_BY_CLERK":
      return "left";
    default:
      return "chat";
  }
}

/** Makes a visit of a snapshot; what was loaded of the past is kept if it still joins on. */
export function readVisit(snapshot: unknown, known?: Visit): Visit {
  const s = snapshot as { ticket: VisitTicket; transactions?: Entry[] };
  if (!s || !s.ticket || !s.ticket.id) {
    throw new Error("a snapshot without a ticket");
  }
  const fresh = merge([], s.transactions || []);
  const first = fresh[0];
  const old = known && known.ticket.id === s.ticket.id ? known.entries : [];
  const joins = first && old.some((entry) => entry.seq >= first.seq);
  return { ticket: s.ticket, entries: joins ? merge(old.filter((entry) => entry.seq < first.seq), fresh) : fresh };
}

/** The visit after push. Pure: visit is not changed. */
export function foldVisit(visit: Visit, push: Push): Visit {
  const data = push.data || {};
  if (push.push === "position") {
    const ticket = Object.assign({}, visit.ticket);
    delete ticket.position;
    delete ticket.wait;
    if (ticket.status === "NEW" && typeof data["position"] === "number") {
      ticket.position = data["position"];
      if (data["wait"]) ticket.wait = data["wait"] as WaitRange;
    }
    return { ticket, entries: visit.entries };
  }
  const next: Visit = { ticket: visit.ticket, entries: visit.entries };
  if (data["ticket"]) {
    next.ticket = data["ticket"] as VisitTicket;
  }
  if (data["transaction"]) {
    next.entries = merge(visit.entries, [data["transaction"] as Entry]);
  }
  return next;
}

/** The visit with older entries in front. */
export function withOlder(visit: Visit, older: Entry[]): Visit {
  return { ticket: visit.ticket, entries: merge(older, visit.entries) };
}

/** Both lists as one, each seq once; the later list wins. */
export function merge(before: Entry[], after: Entry[]): Entry[] {
  const bySeq = new Map<number, Entry>();
  for (const entry of before.concat(after)) {
    bySeq.set(entry.seq, entry);
  }
  return Array.from(bySeq.values()).sort((a, b) => a.seq - b.seq);
}

/** What the visitor wrote themselves. */
export function isOwn(entry: Entry): boolean {
  return entry.fromType === "Client";
}

/** Entries that are read as messages; the others are notices of what happened. */
export function isMessage(entry: Entry): boolean {
  return entry.type === "Message" || entry.type === "IntroductionMessage" || entry.type === "ByeByeMessage" || entry.type === "PendingAlert";
}

/** How many messages of the other side were not read; by the cursor, never counted along. */
export function unread(visit: Visit): number {
  const upTo = visit.ticket.conversation ? visit.ticket.conversation.readUpTo : 0;
  return visit.entries.filter((entry) => entry.seq > upTo && isMessage(entry) && !isOwn(entry)).length;
}

/** What to tell the hub that was read; undefined when it knows. */
export function readUpTo(visit: Visit): number | undefined {
  const newest = visit.entries[visit.entries.length - 1];
  return newest && unread(visit) > 0 ? newest.seq : undefined;
}

export type Delivery = "sent" | "delivered" | "read" | "failed";

/** How far an own message has come. */
export function deliveryOf(entry: Entry, ticket: VisitTicket): Delivery {
  const seen = (ticket.conversation && ticket.conversation.seenUpTo) || 0;
  if (entry.status === "Read" || entry.seq <= seen) {
    return "read";
  }
  return entry.status === "Delivered" ? "delivered" : /fail|block|undeliver/i.test(entry.status) ? "failed" : "sent";
}

/** Says of a call or recall which one it is: what rings once must not ring twice. */
export function callMark(ticket: VisitTicket): string {
  return ticket.status === "CALLED" ? `${ticket.calledAt || ""}/${ticket.recalls || 0}` : "";
}
