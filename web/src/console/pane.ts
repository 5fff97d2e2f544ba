// My desk, my lines, who waits, who is called, and the one big button.
import { HubError } from "../client/index";
import { byId, fillSelect, KeyedList, make, setText } from "../common/dom";
import { calledCard } from "./cards";
import { DeskChoice } from "./desk";
import { showLink } from "./dialogs";
import { colorOf, Host } from "./host";
import { visitorLink } from "./http";
import { arrows, endedRow, nextOf, waitingRow } from "./queue";
import { calledTickets, Line, StaffTicket, waitingIn } from "./state";
import { deskWords, errorWords, say } from "./words";

const ADD_FIELDS: ReadonlyArray<[id: string, name: string]> = [
  ["add-first", "firstName"], ["add-last", "lastName"], ["add-phone", "phoneNumber"], ["add-email", "email"], ["add-language", "languageCode"],
];

export class QueuePane {
  private readonly called: KeyedList<StaffTicket>;
  private readonly waiting: KeyedList<StaffTicket>;
  private readonly ended: KeyedList<StaffTicket>;
  private readonly lineBoxes: KeyedList<Line>;
  private readonly settle: () => void;
  private readonly settleEnded: () => void;
  private calling = false;

  constructor(private readonly host: Host, private readonly choice: DeskChoice) {
    const heir = byId("call-next");
    this.called = new KeyedList(byId("called"), (t) => t.id, (t) => calledCard(host, t), heir);
    this.waiting = new KeyedList(byId("waiting"), (t) => t.id, (t) => waitingRow(host, t), heir);
    this.ended = new KeyedList(byId("ended"), (t) => t.id, (t) => endedRow(host, t), heir);
    this.lineBoxes = new KeyedList(byId("lines"), (l) => String(l.id), (l) => this.lineBox(l), heir);
    this.settle = arrows(byId("waiting"), ".row-open");
    this.settleEnded = arrows(byId("ended"), ".row-open");
  }

  listen(on: (target: EventTarget, type: string, run: (event: any) => void) => void): void {
    on(byId("call-next"), "click", () => this.callNext());
    on(byId("desk"), "change", () => {
      this.choice.setDesk(Number(byId<HTMLSelectElement>("desk").value) || undefined);
      this.render();
    });
    on(byId("add"), "submit", (event: Event) => this.add(event));
  }

  callNext(): void {
    if (this.calling || this.callNextBlocked()) {
      return;
    }
    this.calling = true;
    this.render();
    const lines = Array.from(this.choice.lines(this.host.state()));
    const desk = this.host.myDesk();
    void this.host.run("ticket.callNext", desk === undefined ? { lines } : { lines, desk }).then(() => {
      this.calling = false;
      this.render();
    });
  }

  /** The ticket that I serve: the one that is shown, else the newest. */
  current(): StaffTicket | undefined {
    const mine = this.mine();
    return mine.find((t) => t.id === this.host.selected()) || mine[0];
  }

  focusList(): void {
    byId("waiting").querySelector<HTMLElement>('.row-open[tabindex="0"]')?.focus();
  }

  link(ticket: string): void {
    visitorLink(ticket).then(
      (link) => showLink(link, this.host.ticket(ticket)?.publicId || ""),
      (error: HubError) => this.host.notice(errorWords(error), true),
    );
  }

  render(): void {
    const state = this.host.state();
    const open = state.lines.filter((l) => !l.disabled && !l.archived);
    const waiting = waitingIn(state, this.choice.lines(state));
    const everyone = calledTickets(state);
    const mine = this.mine();
    setText(byId("location-name"), state.location.name || say("console"));
    fillSelect(byId("desk"), [["", say("noDesk")], ...state.desks.map((d): [string, string] => [String(d.id), deskWords(d.name)])]);
    byId<HTMLSelectElement>("desk").value = String(this.host.myDesk() ?? "");
    fillSelect(byId("add-line"), open.map((l) => [String(l.id), l.name]));
    this.lineBoxes.update(open);
    this.called.update(mine.concat(everyone.filter((t) => t.called?.caller !== this.host.user.id)));
    this.waiting.update(waiting);
    this.settle();
    // A visit is over at the desk also while its conversation goes on: a no-show must be found to be undone.
    const talking = Array.from(state.tickets.values()).filter((t) => t.status && t.status !== "NEW" && t.status !== "CALLED");
    const ended = talking.concat(Array.from(state.ended.values()).filter((t) => t.status).reverse());
    this.ended.update(ended);
    this.settleEnded();
    byId("called-none").hidden = everyone.length > 0;
    byId("waiting-none").hidden = waiting.length > 0;
    byId("ended-none").hidden = ended.length > 0;
    setText(byId("waiting-count"), waiting.length ? String(waiting.length) : "");
    this.renderKnown();
    this.renderCallNext(waiting, mine);
    const add = byId<HTMLButtonElement>("add-button");
    add.disabled = this.host.blocked() !== "";
    add.title = this.host.blocked();
  }

  private mine(): StaffTicket[] {
    return calledTickets(this.host.state()).filter((t) => t.called?.caller === this.host.user.id);
  }

  /** Why Call next is disabled, or "". */
  private callNextBlocked(): string {
    const state = this.host.state();
    return this.host.blocked()
      || (state.desks.length > 0 && this.host.myDesk() === undefined ? say("blocked.desk") : "")
      || (this.choice.lines(state).size === 0 ? say("blocked.lines") : "");
  }

  private renderCallNext(waiting: StaffTicket[], mine: StaffTicket[]): void {
    const reason = this.callNextBlocked();
    const button = byId<HTMLButtonElement>("call-next");
    button.disabled = reason !== "";
    // Not disabled while it is calling: that would take the focus away.
    button.setAttribute("aria-busy", String(this.calling));
    const next = nextOf(waiting, this.host.user.id, this.host.state().users, this.host.now());
    const hint = next ? say("nextIs", { number: next.publicId }) : say("nobodyNext");
    const ends = mine.length ? ` ${say("willBeServed", { numbers: mine.map((t) => t.publicId).join(", ") })}` : "";
    setText(byId("call-next-hint"), reason || hint + (next ? ends : ""));
  }

  /** Labels that are in use are offered for others. */
  private renderKnown(): void {
    const known = new Set<string>();
    this.host.state().tickets.forEach((t) => (t.labels || []).forEach((label) => known.add(label.value)));
    const list = byId("known-labels");
    const wanted = JSON.stringify(Array.from(known).sort());
    if (list.dataset["known"] === wanted) return;
    list.dataset["known"] = wanted;
    list.replaceChildren(...(JSON.parse(wanted) as string[]).map((value) => {
      const option = make("option", "");
      option.value = value;
      return option;
    }));
  }

  private lineBox(first: Line) {
    const element = make("label", "chip");
    const box = make("input", "", element);
    box.type = "checkbox";
    const swatch = make("span", "swatch", element);
    const name = make("span", "", element);
    const count = make("span", "count", element);
    box.addEventListener("change", () => {
      if (!this.choice.toggleLine(this.host.state(), first.id, box.checked)) {
        box.checked = true;
        this.host.notice(say("oneLine"), true);
      }
      this.render();
    });
    return {
      element,
      update: (line: Line) => {
        box.checked = this.choice.lines(this.host.state()).has(line.id);
        swatch.style.background = colorOf(line.color);
        setText(name, line.series ? `${line.series} \u00b7 ${line.name}` : line.name);
        setText(count, line.waiting ? String(line.waiting) : "");
      },
    };
  }

  private add(event: Event): void {
    event.preventDefault();
    const params: { [name: string]: unknown } = { line: Number(byId<HTMLSelectElement>("add-line").value), source: "MANUAL" };
    for (const [id, name] of ADD_FIELDS) {
      const value = byId<HTMLInputElement>(id).value.trim();
      if (value) params[name] = value;
    }
    void this.host.run("ticket.create", params).then((done) => {
      if (done) {
        ADD_FIELDS.forEach(([id]) => (byId<HTMLInputElement>(id).value = ""));
      }
    });
  }
}
