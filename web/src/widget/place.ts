// The card with the visitor's place in a line: the number, how long it may take,
// and, when it is their turn, where to go and what they can answer.
import { fill, h } from "./h";
import { Says } from "./says";
import { Thread } from "./thread";
import { Ticket } from "../common/visit";

export interface PlaceActions {
  command(name: string, params?: object): Promise<unknown>;
}

/** Draws the card into its place above the thread. */
export class PlaceCard {
  readonly element = h("section", { class: "place", hidden: true });
  private leaving = false;
  private problem = "";

  constructor(private readonly says: Says, private readonly actions: PlaceActions) {
    this.element.setAttribute("aria-label", says.say("number"));
  }

  update(thread: Thread | undefined, busy: boolean, current: boolean): void {
    const ticket = thread && thread.ticket;
    const shown = !!ticket && !!ticket.status && !!ticket.publicId;
    this.element.hidden = !shown;
    if (!thread || !ticket || !shown) return;
    if (ticket.status !== "NEW") this.leaving = false;
    this.element.className = "place place-" + (ticket.status || "").toLowerCase();
    const { status, publicId, line, desk, position, wait, answer, recalls } = ticket;
    const signature = JSON.stringify([status, publicId, line, desk, position, wait, answer, recalls, busy, current, this.leaving, this.problem, this.says.clock(thread.asOf)]);
    const focused = this.focused();
    fill(this.element, signature, () => [...this.facts(thread, ticket), this.buttons(ticket, busy, current), this.problem && h("p", { class: "bad", role: "alert" }, this.problem)]);
    this.refocus(focused);
  }

  /** Redrawing must not take the keyboard out of somebody's hands. */
  private focused(): string | undefined {
    const active = (this.element.getRootNode() as ShadowRoot).activeElement as HTMLElement | null;
    return active && this.element.contains(active) ? active.dataset["do"] : undefined;
  }

  private refocus(name: string | undefined): void {
    if (!name) return;
    const same = this.element.querySelector<HTMLElement>(`[data-do="${name}"]:not(:disabled)`) || this.element.querySelector<HTMLElement>("button:not(:disabled)");
    if (same) same.focus();
  }

  private facts(thread: Thread, ticket: Ticket): Node[] {
    const { says } = this;
    const number = h("bdi", { class: "number" }, ticket.publicId);
    switch (ticket.status) {
      case "CALLED":
        return [h("div", { class: "turn", role: "alert" },
          h("p", { class: "turn-word" }, says.say(ticket.recalls ? "calledAgain" : "called")),
          h("p", { class: "turn-where" }, number, ticket.desk && h("span", { class: "arrow", "aria-hidden": "true" }), ticket.desk && h("span", { class: "desk" }, says.say("desk", { desk: ticket.desk.name }))))];
      case "NEW": {
        const place = ticket.position ? says.say(ticket.position === 1 ? "placeNext" : "place", { n: ticket.position }) : "";
        const wait = says.wait(ticket.wait);
        return [h("div", { class: "spot" }, h("div", { class: "spot-number" }, h("small", {}, says.say("number")), number),
          h("div", { class: "spot-facts", "aria-live": "polite" },
            h("strong", {}, ticket.line ? ticket.line.name : ""),
            h("span", { class: "spot-place" }, [place, wait].filter(Boolean).join(" · ")),
            h("small", {}, says.say("asOf", { time: says.clock(thread.asOf) }))))];
      }
    }
    const word = { SERVED: "served", NOSHOW: "noshow" }[ticket.status || ""] || "cancelled";
    return [h("p", { class: "spot-over" }, number, h("span", {}, says.say(word)))];
  }

  private buttons(ticket: Ticket, busy: boolean, current: boolean): HTMLElement | undefined {
    const { says } = this;
    const off = busy || !current;
    const make = (name: string, key: string, run: () => void, kind = "") =>
      h("button", { type: "button", class: kind, "data-do": name, disabled: off, onclick: run }, says.say(key));
    if (ticket.status === "NEW" && this.leaving) {
      return h("div", { class: "row", role: "group" }, h("p", {}, says.say("leaveSure")),
        make("leave", "leave", () => this.run("ticket.cancel"), "danger"),
        make("stay", "stay", () => { this.leaving = false; this.redraw(); }));
    }
    if (ticket.status !== "NEW" && ticket.status !== "CALLED") return undefined;
    const { answer } = ticket;
    const row = h("div", { class: "row", role: "group" });
    if (answer) {
      row.append(h("p", { class: "answered", role: "status" }, answer.kind === "onMyWay" ? says.say("saidOnMyWay")
        : says.say("saidNeedTime", { time: answer.until ? says.clock(answer.until) : "" })));
      row.append(make("back", "takeBack", () => this.answer("cancelAnswer"), "quiet"));
    }
    if (!answer || answer.kind !== "onMyWay") row.append(make("way", "onMyWay", () => this.answer("onMyWay"), "strong"));
    if (!answer || answer.kind !== "needTime") row.append(make("time", "needTime", () => this.answer("needTime", 5)));
    if (ticket.status === "NEW") row.append(make("leave", "leave", () => { this.leaving = true; this.redraw(); }, "quiet"));
    return row;
  }

  private answer(answer: string, minutes?: number): void {
    this.run("ticket.answer", minutes ? { answer, minutes } : { answer });
  }

  private run(name: string, params: object = {}): void {
    this.problem = "";
    this.leaving = false;
    this.actions.command(name, params).catch((error: Error) => {
      this.problem = this.says.say("failedAction", { why: error.message });
      this.redraw();
    });
  }

  /** Set by the panel: draws everything again. */
  redraw: () => void = () => undefined;
}
