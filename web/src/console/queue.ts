// The waiting list: who comes next, since when, and why somebody is before others.
import { button, Item, make, setText } from "../common/dom";
import { colorOf, Host, setBlocked } from "./host";
import { Console, StaffTicket, WaitRange } from "./state";
import { unread } from "./chats";
import { duration, say, whoWords } from "./words";

const MINUTE = 60000;

export function minutesWords(range: WaitRange): string {
  return range.min === range.max ? say("minutes", { minutes: range.max }) : say("minutesRange", { min: range.min, max: range.max });
}

/** Until when a visitor keeps the place without being called, or undefined. */
export function heldUntil(ticket: StaffTicket, now: number): number | undefined {
  const until = ticket.answer?.kind === "needTime" ? Date.parse(ticket.answer.until || "") : NaN;
  return until > now ? until : undefined;
}

/** The one that Call next would call: in turn, not held, not kept for a colleague. */
export function nextOf(waiting: StaffTicket[], me: number, users: Console["users"], now: number): StaffTicket | undefined {
  return waiting.find((ticket) => {
    const assignee = ticket.assigned?.assignee;
    const kept = !!assignee && assignee !== me && users.some((u) => u.id === assignee);
    return !kept && heldUntil(ticket, now) === undefined;
  });
}

export function overtookWords(host: Host, ticket: StaffTicket): string {
  const { overtook } = ticket;
  if (!overtook) return "";
  const reason = say(`reason.${overtook.reason}`);
  const by = host.userName(overtook.user);
  return by ? say("overtookBy", { reason, name: by }) : say("overtook", { reason });
}

/** What is worth knowing of somebody who waits, as short texts with a kind each. */
export function remarks(host: Host, ticket: StaffTicket): Array<[kind: string, text: string]> {
  const out: Array<[string, string]> = [];
  const held = heldUntil(ticket, host.now());
  if (held !== undefined) out.push(["hold", say("needsTime", { time: duration(held - host.now()) })]);
  if (ticket.answer?.kind === "onMyWay") out.push(["good", say("onMyWay")]);
  if (ticket.appointment) out.push(["info", say("appointmentAt", { time: host.clock(ticket.appointment.start) })]);
  const overtook = overtookWords(host, ticket);
  if (overtook) out.push(["why", overtook]);
  const assignee = ticket.assigned?.assignee;
  if (assignee) out.push(["info", say("assignedTo", { name: host.userName(assignee) })]);
  return out;
}

type Mark = [kind: string, text: string, color?: string | undefined];

export function labelMarks(ticket: StaffTicket): Mark[] {
  return (ticket.labels || []).map((label): Mark => ["label", label.value, label.color]);
}

/** Fills a box with small marks; it is made anew only when something differs. */
export function fillMarks(box: HTMLElement, marks: Mark[]): void {
  const wanted = JSON.stringify(marks);
  if (box.dataset["marks"] === wanted) return;
  box.dataset["marks"] = wanted;
  box.replaceChildren(...marks.map(([kind, text, color]) => {
    const mark = make("span", `mark ${kind}`, undefined, text);
    const css = colorOf(color);
    if (css) mark.style.setProperty("--mark", css);
    return mark;
  }));
}

/** A ticket that waits. Only one row of the list is in the tab order; arrows move. */
export function waitingRow(host: Host, first: StaffTicket): Item<StaffTicket> {
  const element = make("li", "row");
  element.dataset["ticket"] = first.id;
  const open = button(element, "", () => host.select(first.id), "row-open");
  const swatch = make("span", "swatch", open);
  const number = make("span", "row-number", open);
  const who = make("span", "row-who", open);
  const name = make("span", "row-name", who);
  const line = make("span", "row-line", who);
  const marks = make("span", "row-marks", who);
  const time = make("span", "row-time", open);
  const since = make("span", "row-since", time);
  const quoted = make("span", "row-quoted", time);
  const badge = make("span", "badge", open);
  const call = button(element, say("call"), () => {
    const desk = host.myDesk();
    void host.run("ticket.call", desk === undefined ? { ticket: first.id } : { ticket: first.id, desk });
  }, "row-call");

  return {
    element,
    update(ticket) {
      const state = host.state();
      const of = state.lines.find((l) => l.id === ticket.line);
      const waited = host.now() - Date.parse(ticket.created?.date || "");
      element.dataset["publicId"] = ticket.publicId;
      element.classList.toggle("selected", host.selected() === ticket.id);
      element.classList.toggle("held", heldUntil(ticket, host.now()) !== undefined);
      if (host.selected() === ticket.id) open.setAttribute("aria-current", "true");
      else open.removeAttribute("aria-current");
      swatch.style.background = colorOf(of?.color);
      setText(number, ticket.publicId);
      setText(name, whoWords(ticket));
      setText(line, of?.name || "");
      fillMarks(marks, [...remarks(host, ticket), ...labelMarks(ticket)]);
      setText(since, isNaN(waited) ? "" : duration(waited));
      setText(quoted, ticket.quoted ? minutesWords(ticket.quoted) : "");
      time.classList.toggle("late", !!ticket.quoted && waited > ticket.quoted.max * MINUTE);
      const news = unread(ticket.conversation, host.user.email);
      badge.hidden = news === 0;
      setText(badge, String(news));
      badge.setAttribute("aria-label", say("unread", { count: news }));
      badge.setAttribute("role", "img");
      call.setAttribute("aria-label", say("callNumber", { number: ticket.publicId }));
      setBlocked(host, [call]);
    },
  };
}

/**
 * One stop in the tab order for a whole list: up, down, home and end move within
 * it, over the elements that `selector` names.
 */
export function arrows(list: HTMLElement, selector: string): () => void {
  const all = () => Array.from(list.querySelectorAll<HTMLElement>(selector));
  const settle = () => {
    const items = all();
    const current = items.find((item) => item === document.activeElement) || items.find((item) => item.hasAttribute("aria-current")) || items[0];
    items.forEach((item) => (item.tabIndex = item === current ? 0 : -1));
  };
  list.onkeydown = (event) => {
    const items = all();
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || to === undefined || !items[to]) return;
    event.preventDefault();
    items[to]!.focus();
    settle();
  };
  return settle;
}

/** Somebody whose visit has ended lately. */
export function endedRow(host: Host, first: StaffTicket): Item<StaffTicket> {
  const element = make("li", "row ended");
  element.dataset["ticket"] = first.id;
  const open = button(element, "", () => host.select(first.id), "row-open");
  const number = make("span", "row-number", open);
  const who = make("span", "row-who", open);
  const name = make("span", "row-name", who);
  const line = make("span", "row-line", who);
  const back = button(element, say("undo"), () =>
    void host.run("ticket.returnToQueue", { ticket: first.id, position: "FIRST" }), "row-call");
  return {
    element,
    update(ticket) {
      setText(number, ticket.publicId);
      setText(name, whoWords(ticket));
      setText(line, `${say(`status.${ticket.status || "none"}`)} \u00b7 ${host.lineName(ticket.line)}`);
      back.hidden = ticket.status !== "NOSHOW";
      back.setAttribute("aria-label", say("undoNumber", { number: ticket.publicId }));
      setBlocked(host, [back]);
    },
  };
}
