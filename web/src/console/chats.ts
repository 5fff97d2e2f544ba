// Conversations by state, and what of them is unread. Nothing here counts: unread
// is what lies between two cursors, so it is right after every reconnect.
import { Console, Conversation, StaffTicket } from "./state";

export type ChatList = "mine" | "unassigned" | "colleagues" | "pending" | "snoozed" | "closed";

export const CHAT_LISTS: readonly ChatList[] = ["mine", "unassigned", "colleagues", "pending", "snoozed", "closed"];

/** The list that a conversation belongs to; undefined where nobody has written. */
export function listOf(ticket: StaffTicket, me: number): ChatList | undefined {
  const talk = ticket.conversation;
  switch (talk?.state) {
    case "Open":
      return !talk.owner ? "unassigned" : talk.owner.user === me ? "mine" : "colleagues";
    case "Pending":
      return "pending";
    case "Snoozed":
      return "snoozed";
    case "Closed":
      return "closed";
    default:
      return undefined;
  }
}

/** The conversations of a list, the one with the latest activity first. */
export function chatsIn(state: Console, list: ChatList, me: number): StaffTicket[] {
  const all = Array.from(state.tickets.values());
  if (list === "closed") all.push(...Array.from(state.ended.values()));
  return all
    .filter((ticket) => listOf(ticket, me) === list)
    .sort((a, b) => Date.parse(b.conversation?.lastActivity || "") - Date.parse(a.conversation?.lastActivity || "") || Number(b.id) - Number(a.id));
}

/** How far staff has read: I myself where I take part, else whoever came furthest. */
export function readUpTo(talk: Conversation, me: string): number {
  const staff = (talk.participants || []).filter((p) => p.type === "User");
  const mine = staff.find((p) => p.userName === me);
  return mine ? mine.readUpTo : staff.reduce((most, p) => Math.max(most, p.readUpTo), 0);
}

/** The visitor's messages behind the cursor; me is my user name, an e-mail address. */
export function unread(talk: Conversation | undefined, me: string): number {
  if (!talk?.clientSeq) {
    return 0;
  }
  return Math.max(0, talk.clientSeq - Math.max(readUpTo(talk, me), (talk.clientFrom || 1) - 1));
}

/** How far the visitor's side has read. */
export function clientReadUpTo(talk: Conversation | undefined): number {
  return (talk?.participants || []).filter((p) => p.type === "Client").reduce((most, p) => Math.max(most, p.readUpTo), 0);
}

/** Whether I am in the conversation: only then does the hub keep my cursor. */
export function takesPart(talk: Conversation | undefined, me: string): boolean {
  return (talk?.participants || []).some((p) => p.type === "User" && p.userName === me);
}
