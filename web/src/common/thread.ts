// What follows from a visitor's conversation, on every page that shows one. Pure.
import { CardButton, Payload, Ticket, Transaction } from "./visit";

/** A ticket with its conversation, by sequence number. */
export interface Conversed {
  ticket: Ticket;
  transactions: readonly Transaction[];
}

/** What a person wrote or the house says, as against what merely happened. */
const SPOKEN = ["Message", "IntroductionMessage", "ByeByeMessage", "PendingAlert"];

export const spoken = (t: Transaction): boolean => SPOKEN.indexOf(t.type) >= 0;
export const mine = (t: Transaction): boolean => t.fromType === "Client";

/** Puts transactions together: each number once, the later word counts. */
export function merge(...lists: ReadonlyArray<readonly Transaction[]>): Transaction[] {
  const bySeq = new Map<number, Transaction>();
  for (const list of lists) {
    for (const transaction of list) bySeq.set(transaction.seq, transaction);
  }
  return Array.from(bySeq.values()).sort((a, b) => a.seq - b.seq);
}

export function isOpen(thread: Conversed): boolean {
  const conversation = thread.ticket.conversation;
  return !!conversation && conversation.state !== "Closed";
}

/** The buttons that wait for a choice: those of the last message, if it is not the visitor's. */
export function choices(thread: Conversed): { payload: Payload; locked: boolean; seq: number } | undefined {
  const last = thread.transactions.filter(spoken).pop();
  if (!last || mine(last) || !last.payload) return undefined;
  const payload = last.payload;
  const replies = (payload.quickReplies || []).length > 0 ||
    (payload.templates || []).some((card) => (card.buttons || []).some((b) => b.type === "text" || b.type === "postback"));
  return { payload, locked: replies && !payload.enableFreeTextInput && isOpen(thread), seq: last.seq };
}

/** An address of a scheme that is meant, or none. */
export function safe(address: string | undefined, scheme: RegExp): string | undefined {
  try {
    const url = new URL(address || "");
    return scheme.test(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Where a card's button leads; "" when that is nowhere, undefined when it is pressed to say what is on it. */
export function target(button: CardButton): string | undefined {
  if (button.type === "web_url") return safe(button.uri, /^https?:$/) || "";
  if (button.type === "phone_number") return safe("tel:" + (button.data || button.uri || "").replace(/^tel:/, ""), /^tel:$/) || "";
  return undefined;
}
