// What is known of one ticket, and what can be changed about it.
import { HubError } from "../client/index";
import { button, fillSelect, make, setText } from "../common/dom";
import { calledActions } from "./cards";
import { contactForm, extraForm } from "./forms";
import { colorOf, Host, setBlocked } from "./host";
import { InputField, visitorLink } from "./http";
import { minutesWords, remarks, fillMarks } from "./queue";
import { StaffTicket } from "./state";
import { errorWords, fullName, say, whoWords } from "./words";

export const REASONS = ["priority", "appointment", "returned", "mistake", "other"];

type Update = (ticket: StaffTicket) => void;

/** Shows a link as a code to scan, and to copy. */
export type ShowLink = (link: string, ticket: StaffTicket | undefined) => void;

/** One ticket's panel; made once, so that nothing half typed in it is lost. */
export class Details {
  readonly element = make("section", "details");
  private readonly updates: Update[] = [];

  constructor(private readonly host: Host, private readonly id: string, fields: () => InputField[], private readonly link: ShowLink) {
    this.element.dataset["details"] = id;
    this.head();
    this.actions();
    this.labels();
    this.updates.push(contactForm(host, this.fold("contact"), id));
    this.updates.push(extraForm(host, this.fold("fields"), id, fields));
    this.external();
    this.history();
  }

  update(ticket: StaffTicket): void {
    this.updates.forEach((update) => update(ticket));
  }

  private fold(key: string): HTMLElement {
    const details = make("details", "fold", this.element);
    make("summary", "", details, say(key));
    return make("div", "fold-body", details);
  }

  private head(): void {
    const head = make("header", "details-head", this.element);
    const title = make("h3", "", head);
    const about = make("p", "details-about", head);
    const marks = make("p", "row-marks", head);
    this.updates.push((ticket) => {
      setText(title, [ticket.publicId, whoWords(ticket)].filter(Boolean).join(" \u00b7 "));
      const parts = [say(`status.${ticket.status || "none"}`), this.host.lineName(ticket.line)];
      if (ticket.status === "NEW" && ticket.wait) parts.push(say("expected", { wait: minutesWords(ticket.wait) }));
      if (ticket.source) parts.push(say(`source.${ticket.source}`));
      if (ticket.languageCode) parts.push(ticket.languageCode.toUpperCase());
      setText(about, parts.filter(Boolean).join(" \u00b7 "));
      fillMarks(marks, remarks(this.host, ticket));
    });
  }

  private actions(): void {
    const host = this.host;
    const called = make("div", "", this.element);
    const updateCalled = calledActions(host, called, this.id);
    const waiting = make("div", "actions", this.element);
    const call = button(waiting, say("call"), () => {
      const desk = host.myDesk();
      void host.run("ticket.call", { ticket: this.id, ...(desk === undefined ? {} : { desk }), reason: reason.value });
    }, "primary");
    const move = button(waiting, say("toFront"), () => void host.run("ticket.reorder", { ticket: this.id, reason: reason.value }));
    const reason = make("select", "", make("label", "inline", waiting, say("reason")));
    fillSelect(reason, REASONS.map((one) => [one, say(`reason.${one}`)]));
    const back = this.behind(waiting, () => reason.value);
    const cancel = button(waiting, say("cancel"), () => void host.run("ticket.cancel", { ticket: this.id }));
    const more = make("div", "actions", this.element);
    const assign = this.assign(more);
    const join = this.enqueue(more);
    const link = button(more, say("visitorLink"), () => this.showLink());
    this.updates.push((ticket) => {
      // My own called card has these actions already.
      called.hidden = ticket.status !== "CALLED" || ticket.called?.caller === host.user.id;
      updateCalled(ticket);
      waiting.hidden = ticket.status !== "NEW";
      assign(ticket);
      join(ticket);
      back(ticket);
      setBlocked(host, [call, move, reason, cancel, link]);
    });
  }

  private behind(parent: HTMLElement, reason: () => string): Update {
    const select = make("select", "", make("label", "inline", parent, say("behind")));
    select.addEventListener("change", () => {
      const after = select.value;
      select.value = "";
      if (after) void this.host.run("ticket.reorder", { ticket: this.id, after, reason: reason() });
    });
    return (ticket) => {
      const others = Array.from(this.host.state().tickets.values())
        .filter((t) => t.status === "NEW" && t.line === ticket.line && t.id !== ticket.id)
        .sort((a, b) => ((a.order || "") < (b.order || "") ? -1 : 1));
      fillSelect(select, [["", say("choose")], ...others.map((t): [string, string] => [t.id, t.publicId])]);
      setBlocked(this.host, [select]);
    };
  }

  private assign(parent: HTMLElement): Update {
    const label = make("label", "inline", parent, say("assign"));
    const select = make("select", "", label);
    select.addEventListener("change", () => {
      const user = Number(select.value);
      void this.host.run(user ? "ticket.assign" : "ticket.unassign", user ? { ticket: this.id, user } : { ticket: this.id });
    });
    return (ticket) => {
      const users = this.host.state().users.map((u): [string, string] => [String(u.id), fullName(u) || u.email]);
      fillSelect(select, [["", say("nobody")], ...users]);
      if (document.activeElement !== select) select.value = String(ticket.assigned?.assignee ?? "");
      label.hidden = ticket.status !== "NEW" && ticket.status !== "CALLED";
      setBlocked(this.host, [select]);
    };
  }

  /** A conversation that is in no line joins one and keeps its thread. */
  private enqueue(parent: HTMLElement): Update {
    const group = make("span", "join", parent);
    const select = make("select", "", group);
    select.setAttribute("aria-label", say("line"));
    const go = button(group, say("enqueue"), () => void this.host.run("ticket.enqueue", { ticket: this.id, line: Number(select.value) }));
    return (ticket) => {
      group.hidden = !!ticket.status;
      fillSelect(select, this.host.state().lines.filter((l) => !l.disabled && !l.archived).map((l) => [String(l.id), l.name]));
      setBlocked(this.host, [select, go]);
    };
  }

  private showLink(): void {
    visitorLink(this.id).then(
      (link) => this.link(link, this.host.ticket(this.id)),
      (error: HubError) => this.host.notice(errorWords(error), true),
    );
  }

  private labels(): void {
    const box = make("div", "labels", this.element);
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", say("labels"));
    const list = make("span", "label-list", box);
    const form = make("form", "label-add", box);
    const input = make("input", "", form);
    input.maxLength = 60;
    input.placeholder = say("addLabel");
    input.setAttribute("aria-label", say("addLabel"));
    input.setAttribute("list", "known-labels");
    input.name = "label";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const add = input.value.trim();
      if (!add || this.host.blocked()) return;
      void this.host.run("ticket.label", { ticket: this.id, add }).then((done) => {
        if (done && input.value.trim() === add) input.value = "";
      });
    });
    this.updates.push((ticket) => {
      const wanted = JSON.stringify([ticket.labels, this.host.blocked()]);
      if (list.dataset["labels"] === wanted) return;
      list.dataset["labels"] = wanted;
      const focused = list.contains(document.activeElement);
      list.replaceChildren(...(ticket.labels || []).map((label) => {
        const mark = make("span", "mark label", undefined, label.value);
        if (colorOf(label.color)) mark.style.setProperty("--mark", colorOf(label.color));
        const remove = button(mark, "\u00d7", () => void this.host.run("ticket.label", { ticket: this.id, remove: label.value }), "remove");
        remove.setAttribute("aria-label", say("removeLabel", { label: label.value }));
        setBlocked(this.host, [remove]);
        return mark;
      }));
      if (focused) input.focus();
    });
  }

  private external(): void {
    const body = this.fold("external");
    const none = make("p", "none", body, say("externalNone"));
    const list = make("div", "", body);
    this.updates.push((ticket) => {
      const records = ticket.external || [];
      none.hidden = records.length > 0;
      const wanted = JSON.stringify(records);
      if (list.dataset["records"] === wanted) return;
      list.dataset["records"] = wanted;
      list.replaceChildren(...records.map((record) => {
        const one = make("div", "external");
        make("h4", "", one, `${record.title} (${record.provider})`);
        facts(one, record.data);
        return one;
      }));
    });
  }

  private history(): void {
    const body = this.fold("history");
    const list = make("ol", "history", body);
    this.updates.push((ticket) => {
      const wanted = JSON.stringify([ticket.created, ticket.interactions, ticket.conversation?.details]);
      if (list.dataset["visits"] === wanted) return;
      list.dataset["visits"] = wanted;
      const items = [say("history.created", { time: this.host.clock(ticket.created?.date), line: this.host.lineName(ticket.line) })];
      for (const visit of ticket.interactions || []) {
        items.push(say(visit.end ? "history.visit" : "history.visitOpen", {
          start: this.host.clock(visit.start), end: this.host.clock(visit.end), line: this.host.lineName(visit.line),
          desk: this.host.deskName(visit.desk), name: this.host.userName(visit.user),
        }));
      }
      const page = ticket.conversation?.details?.source;
      if (page?.uri) items.push(say("history.page", { page: page.title || page.uri, address: page.uri }));
      list.replaceChildren(...items.map((text) => make("li", "", undefined, text)));
    });
  }
}

/** Another system's data: names and values where it is flat, else as it came. */
function facts(parent: HTMLElement, data: unknown): void {
  const plain = (v: unknown) => v === null || typeof v !== "object";
  if (data && typeof data === "object" && !Array.isArray(data) && Object.keys(data).every((k) => plain((data as Record<string, unknown>)[k]))) {
    const list = make("dl", "", parent);
    for (const key of Object.keys(data)) {
      make("dt", "", list, key);
      make("dd", "", list, String((data as Record<string, unknown>)[key]));
    }
    return;
  }
  const pre = make("pre", "", parent, JSON.stringify(data, undefined, 1));
  pre.tabIndex = 0;
}
