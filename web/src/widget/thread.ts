// The fold of a visitor's ticket channel, and what follows from it. Pure.
import { Push } from "../client/wire";
import { merge, mine, spoken } from "../common/thread";
import { Ticket, Transaction } from "../common/visit";

/** The ticket and its thread, by sequence number. */
export interface Thread {
  ticket: Ticket;
  transactions: Transaction[];
  /** The hub's time of the last change. */
  asOf: string;
}

/** The thread after a push of the ticket's channel. */
export function foldThread(thread: Thread, push: Push): Thread {
  const ticket = push.data["ticket"] as Ticket | undefined;
  const transaction = push.data["transaction"] as Transaction | undefined;
  if (push.push === "position") {
    const { position, wait } = push.data as { position?: number; wait?: Ticket["wait"] };
    const next: Ticket = { ...thread.ticket };
    delete next.position;
    delete next.wait;
    if (position) next.position = position;
    if (wait) next.wait = wait;
    return { ...thread, ticket: next, asOf: push.time };
  }
  if (push.push === "ticket.erased") {
    return { ticket: { ...(ticket || thread.ticket), erased: true }, transactions: [], asOf: push.time };
  }
  return {
    ticket: ticket || thread.ticket,
    transactions: transaction ? merge(thread.transactions, [transaction]) : thread.transactions,
    asOf: push.offset ? push.time : thread.asOf,
  };
}

/** How many messages the visitor has not read: arithmetic on the cursor, never a count of its own. */
export function unread(thread: Thread): number {
  const conversation = thread.ticket.conversation;
  const read = conversation ? conversation.readUpTo : 0;
  return thread.transactions.filter((t) => t.seq > read && spoken(t) && !mine(t)).length;
}

/** Up to where there is something to be marked as read; 0 when there is nothing. */
export function readable(thread: Thread): number {
  if (!unread(thread)) return 0;
  const last = thread.transactions[thread.transactions.length - 1];
  return last ? last.seq : 0;
}

export type SendState = "sent" | "delivered" | "read" | "failed";

/** How far one of the visitor's own messages has come. */
export function sendState(thread: Thread, t: Transaction): SendState {
  const conversation = thread.ticket.conversation;
  if (t.status === "Failed" || t.status === "Rejected") return "failed";
  if (t.status === "Read" || (conversation && (conversation.seenUpTo || 0) >= t.seq)) return "read";
  return t.status === "Delivered" ? "delivered" : "sent";
}

/** Nothing more will happen with it: a new conversation may begin. */
export function isOver(thread: Thread): boolean {
  const { status } = thread.ticket;
  const waiting = status === "NEW" || status === "CALLED";
  const conversation = thread.ticket.conversation;
  return !waiting && (!conversation || conversation.state === "Closed");
}
