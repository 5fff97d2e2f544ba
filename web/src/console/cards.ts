// Those who are called: a card each, with what can be done.
import { button, fillSelect, Item, make, setText } from "../common/dom";
import { Host, setBlocked } from "./host";
import { fillMarks, labelMarks, remarks } from "./queue";
import { StaffTicket } from "./state";
import { duration, say, shownWords, whoWords } from "./words";

/** A screen that did not report by then has probably not shown the call. */
const RECEIPT_DUE = 3000;

export function age(host: Host, date: string | undefined): string {
  const at = Date.parse(date || "");
  return isNaN(at) ? "" : duration(host.now() - at);
}

/** What can be done with somebody who is called. Returns how to keep it current. */
export function calledActions(host: Host, parent: HTMLElement, id: string): (ticket: StaffTicket) => void {
  const actions = make("div", "actions", parent);
  const run = (command: string, params: object = {}) => () => void host.run(command, { ticket: id, ...params });
  const action = (key: string, shortcut: string, does: () => void, look = "") => {
    const one = button(actions, say(key), does, look);
    if (shortcut) {
      one.dataset["tip"] = say("shortcutIs", { key: shortcut });
      one.dataset["key"] = shortcut;
    }
    return one;
  };
  const forward = make("select", "");
  forward.setAttribute("aria-label", say("forwardTo"));
  const controls = [
    action("served", "S", run("ticket.serve"), "good"),
    action("recall", "R", run("ticket.recall")),
    action("noShow", "N", run("ticket.noShow")),
    action("returnFirst", "", run("ticket.returnToQueue", { position: "FIRST" })),
    action("returnLast", "", run("ticket.returnToQueue", { position: "LAST" })),
  ];
  const group = make("span", "join", actions);
  group.appendChild(forward);
  const go = button(group, say("forward"), () => {
    if (forward.value) void host.run("ticket.forward", { ticket: id, line: Number(forward.value) });
  });
  return (ticket) => {
    const lines = host.state().lines.filter((l) => l.id !== ticket.line && !l.disabled && !l.archived);
    fillSelect(forward, lines.map((l) => [String(l.id), l.name]));
    group.hidden = lines.length === 0;
    setBlocked(host, [...controls, forward, go]);
  };
}

/** A ticket that is being served: whole where it is mine, else one line. */
export function calledCard(host: Host, first: StaffTicket): Item<StaffTicket> {
  const element = make("article", "called");
  element.dataset["ticket"] = first.id;
  const head = button(element, "", () => host.select(first.id), "called-head");
  const number = make("span", "called-number", head);
  const to = make("span", "called-to", head);
  const timer = make("span", "called-timer", head);
  const name = make("p", "called-name", element);
  const answer = make("p", "called-answer", element);
  answer.setAttribute("role", "status");
  const marks = make("p", "row-marks", element);
  const shown = make("p", "called-shown", element);
  shown.setAttribute("role", "status");
  const update = calledActions(host, element, first.id);

  return {
    element,
    update(ticket) {
      const { desk, caller } = ticket.called || {};
      element.classList.toggle("mine", caller === host.user.id);
      element.classList.toggle("selected", host.selected() === ticket.id);
      element.setAttribute("aria-label", say("calledLabel", { number: ticket.publicId }));
      setText(number, ticket.publicId);
      const place = host.deskName(desk);
      const who = caller === host.user.id ? "" : host.userName(caller);
      setText(to, [place, who].filter(Boolean).join(" \u00b7 "));
      setText(timer, age(host, ticket.called?.date));
      setText(name, describe(host, ticket));
      setText(answer, answerWords(host, ticket));
      answer.hidden = answer.textContent === "";
      fillMarks(marks, labelMarks(ticket));
      paintShown(host, shown, ticket);
      update(ticket);
    },
  };
}

/** "Needs 4:10 more", "On my way": what the visitor has said to the call. */
export function answerWords(host: Host, ticket: StaffTicket): string {
  return remarks(host, ticket).filter(([kind]) => kind === "hold" || kind === "good").map(([, text]) => say("visitorSays", { text })).join(" ");
}

function describe(host: Host, ticket: StaffTicket): string {
  const parts = [whoWords(ticket), host.lineName(ticket.line), ticket.phoneNumber || ""];
  if (ticket.recalls > 0) {
    parts.push(ticket.recalls === 1 ? say("recalledOnce") : say("recalledTimes", { times: ticket.recalls }));
  }
  return Array.from(new Set(parts.filter(Boolean))).join(" \u00b7 ");
}

function paintShown(host: Host, element: HTMLElement, ticket: StaffTicket): void {
  const shown = host.shown(ticket);
  const due = host.now() - (Date.parse(ticket.called?.date || "") || 0) > RECEIPT_DUE;
  // A screen that is switched off shows nothing, and is told of as offline.
  const all = !!shown && shown.painted > 0 && shown.silent === 0;
  const missing = !!shown && shown.screens > 0 && !all && due;
  setText(element, shown ? shownWords(shown) + (missing ? say("shown.missing") : "") : "");
  element.classList.toggle("all", all);
  element.classList.toggle("missing", missing);
}
