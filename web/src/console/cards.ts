// The elements of the two ticket lists.
import { button, fillSelect, Item, make, setText } from "../common/dom";
import { Shown } from "./receipts";
import { Console, StaffTicket } from "./state";
import { deskWords, duration, fullName, shownWords } from "./words";

/** What a card needs of the page around it. */
export interface Host {
  state(): Console;
  /** The hub's time in ms. */
  now(): number;
  /** The reason why nothing can be done now, or "". */
  blocked(): string;
  myDesk(): number | undefined;
  shown(ticket: StaffTicket): Shown | undefined;
  run(name: string, params: object): void;
}

/** A screen that did not report by then has probably not shown the call. */
const RECEIPT_DUE = 3000;

function age(host: Host, date: string | undefined): string {
  const at = Date.parse(date || "");
  return isNaN(at) ? "" : duration(host.now() - at);
}

function setBlocked(host: Host, buttons: Array<HTMLButtonElement | HTMLSelectElement>): void {
  const reason = host.blocked();
  for (const one of buttons) {
    one.disabled = reason !== "";
    one.title = reason;
  }
}

/** A ticket that is being served. */
export function calledCard(host: Host, first: StaffTicket): Item<StaffTicket> {
  const element = make("article", "called");
  element.dataset["ticket"] = first.id;
  const head = make("div", "called-head", element);
  const number = make("span", "called-number", head);
  const to = make("span", "called-to", head);
  const timer = make("span", "called-timer", head);
  const name = make("p", "called-name", element);
  const shown = make("p", "called-shown", element);
  shown.setAttribute("role", "status");
  const actions = make("div", "actions", element);
  const run = (command: string, params: object = {}) => () => host.run(command, { ticket: first.id, ...params });
  const forward = make("select", "");
  forward.setAttribute("aria-label", "Line to forward to");
  const controls = [
    button(actions, "Served", run("ticket.serve")),
    button(actions, "Recall", run("ticket.recall")),
    button(actions, "No-show", run("ticket.noShow")),
    button(actions, "Return first", run("ticket.returnToQueue", { position: "FIRST" })),
    button(actions, "Return last", run("ticket.returnToQueue", { position: "LAST" })),
    forward,
  ];
  actions.appendChild(forward);
  controls.push(button(actions, "Forward", () => {
    if (forward.value) host.run("ticket.forward", { ticket: first.id, line: Number(forward.value) });
  }));

  return {
    element,
    update(ticket) {
      const state = host.state();
      const desk = ticket.called?.desk;
      element.classList.toggle("mine", desk !== undefined && desk === host.myDesk());
      element.setAttribute("aria-label", `${ticket.publicId}, called`);
      setText(number, ticket.publicId);
      const found = state.desks.find((d) => d.id === desk);
      setText(to, found ? `\u2192 ${deskWords(found.name)}` : "");
      setText(timer, age(host, ticket.called?.date));
      setText(name, describe(state, ticket));
      paintShown(host, shown, ticket);
      fillSelect(forward, state.lines.filter((l) => l.id !== ticket.line && !l.disabled).map((l) => [String(l.id), l.name]));
      setBlocked(host, controls);
    },
  };
}

function describe(state: Console, ticket: StaffTicket): string {
  const line = state.lines.find((l) => l.id === ticket.line);
  const parts = [fullName(ticket), line ? line.name : "", ticket.phoneNumber || ""];
  if (ticket.recalls > 0) {
    parts.push(ticket.recalls === 1 ? "recalled once" : `recalled ${ticket.recalls} times`);
  }
  return parts.filter(Boolean).join(" \u00b7 ");
}

function paintShown(host: Host, element: HTMLElement, ticket: StaffTicket): void {
  const shown = host.shown(ticket);
  const due = host.now() - (Date.parse(ticket.called?.date || "") || 0) > RECEIPT_DUE;
  const all = !!shown && shown.screens > 0 && shown.painted >= shown.screens;
  setText(element, shown ? shownWords(shown) : "");
  element.classList.toggle("all", all);
  element.classList.toggle("missing", !!shown && shown.screens > 0 && !all && due);
}

/** A ticket that waits. */
export function waitingRow(host: Host, first: StaffTicket): Item<StaffTicket> {
  const element = make("li", "");
  element.dataset["ticket"] = first.id;
  const number = make("span", "waiting-number", element);
  const who = make("span", "waiting-who", element);
  const name = make("span", "waiting-name", who);
  const line = make("span", "waiting-line", who);
  const time = make("span", "waiting-time", element);
  const call = button(element, "Call", () => {
    const desk = host.myDesk();
    host.run("ticket.call", desk === undefined ? { ticket: first.id } : { ticket: first.id, desk });
  });
  const cancel = button(element, "Cancel", () => host.run("ticket.cancel", { ticket: first.id }));

  return {
    element,
    update(ticket) {
      const state = host.state();
      element.dataset["publicId"] = ticket.publicId;
      setText(number, ticket.publicId);
      setText(name, fullName(ticket) || "\u2013");
      setText(line, state.lines.find((l) => l.id === ticket.line)?.name || "");
      setText(time, age(host, ticket.created?.date));
      call.setAttribute("aria-label", `Call ${ticket.publicId}`);
      cancel.setAttribute("aria-label", `Cancel ${ticket.publicId}`);
      setBlocked(host, [call, cancel]);
    },
  };
}
