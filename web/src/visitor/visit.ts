// What a visitor's page knows of its one ticket, and how pushes change it. Pure.
import { Push, WaitRange } from "../client/index";
import { choices, merge, mine, spoken } from "../common/thread";
import { Payload, Ticket, Transaction } from "../common/visit";

export interface Visit {
  ticket: Ticket;
  /** Ascending by seq. */
  entries: Transaction[];
}

/** Where the visit stands, for what is shown and what may be done. */
export type Stage = "waiting" | "called" | "served" | "missed" | "left" | "chat";

export function stageOf(ticket: Ticket): Stage {
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
  const s = snapshot as { ticket: Ticket; transactions?: Transaction[] };
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
    next.ticket = data["ticket"] as Ticket;
  }
  if (data["transaction"]) {
    next.entries = merge(visit.entries, [data["transaction"] as Transaction]);
  }
  return next;
}

/** The visit with older entries in front. */
export function withOlder(visit: Visit, older: Transaction[]): Visit {
  return { ticket: visit.ticket, entries: merge(older, visit.entries) };
}

/** How many messages of the other side were not read; by the cursor, never counted along. */
export function unread(visit: Visit): number {
  const upTo = visit.ticket.conversation ? visit.ticket.conversation.readUpTo : 0;
  return visit.entries.filter((entry) => entry.seq > upTo && spoken(entry) && !mine(entry)).length;
}

/** What to tell the hub that was read; undefined when it knows. */
export function readUpTo(visit: Visit): number | undefined {
  const newest = visit.entries[visit.entries.length - 1];
  return newest && unread(visit) > 0 ? newest.seq : undefined;
}

export type Delivery = "sent" | "delivered" | "read" | "failed";

/** How far an own message has come. */
export function deliveryOf(entry: Transaction, ticket: Ticket): Delivery {
  const seen = (ticket.conversation && ticket.conversation.seenUpTo) || 0;
  if (entry.status === "Read" || entry.seq <= seen) {
    return "read";
  }
  return entry.status === "Delivered" ? "delivered" : /fail|block|undeliver/i.test(entry.status) ? "failed" : "sent";
}

/** Says of a call or recall which one it is: what rings once must not ring twice. */
export function callMark(ticket: Ticket): string {
  return ticket.status === "CALLED" ? `${ticket.calledAt || ""}/${ticket.recalls || 0}` : "";
}

/** What waits for a choice, unless one is on its way: then it is made. */
export function choiceOf(visit: Visit, answering: boolean): { payload: Payload; locked: boolean; seq: number } | undefined {
  return answering ? undefined : choices({ ticket: visit.ticket, transactions: visit.entries });
}
