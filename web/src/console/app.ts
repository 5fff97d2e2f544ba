// The signed-in console: one location's state, its lists, and its commands.
import { browserEnv, Client, CommandReply, HubError, onWake, Push, Status } from "../client/index";
import { calledCard, Host, waitingRow } from "./cards";
import { DeskChoice } from "./desk";
import { byId, fillSelect, KeyedList, make, setText } from "../common/dom";
import { claimScreen, SessionUser } from "./http";
import { Receipts, Shown } from "./receipts";
import { Texts } from "./texts";
import { screenRow, ScreensHost } from "./screens";
import { calledTickets, Console, Device, Display, foldConsole, Line, readConsole, StaffTicket, waitingIn } from "./state";
import { deskWords, disabledReason, doneWords, errorWords, fullName, statusWords } from "./words";

const TICK = 1000;
/** A clerk notices silence later than a lobby does, and pays for more pings. */
const PING = 10000;
const STALE_AFTER = 19000;
/** Receipts of a call that is pushed this late have gone by unseen. */
const RECEIPTS_SEEN = 10000;
const NOTICE_FOR = 8000;

/** Ends in `left` when the session is over. */
export class App implements Host, ScreensHost {
  private readonly client: Client;
  private readonly receipts = new Receipts();
  private readonly choice: DeskChoice;
  private readonly user: SessionUser;
  private readonly location: number;
  private readonly stopListening: Array<() => void> = [];
  private readonly called: KeyedList<StaffTicket>;
  private readonly waiting: KeyedList<StaffTicket>;
  private readonly lineBoxes: KeyedList<Line>;
  private readonly screens: KeyedList<Display>;
  private readonly texts = new Texts((words) => this.notice(words, true));
  private console = readConsole(undefined);
  private loaded = false;
  private calling = false;
  private undo: (() => void) | undefined;
  private noticeTimer = 0;

  constructor(user: SessionUser, location: number, private readonly left: (code: number) => void) {
    this.user = user;
    this.location = location;
    this.choice = new DeskChoice(user.id, location);
    this.client = new Client(browserEnv(), { name: "console/1.0", pingAtMost: PING, staleAfter: STALE_AFTER });
    const heir = byId("call-next");
    this.called = new KeyedList(byId("called"), (t) => t.id, (t) => calledCard(this, t), heir);
    this.waiting = new KeyedList(byId("waiting"), (t) => t.id, (t) => waitingRow(this, t), heir);
    this.lineBoxes = new KeyedList(byId("lines"), (l) => String(l.id), (l) => this.lineBox(l), heir);
    this.screens = new KeyedList(byId("screens"), (d) => String(d.id), () => screenRow(this), heir);
    setText(byId("user-name"), fullName(user) || user.email);
    this.listen();
  }

  start(): void {
    this.client.subscribe(`console:${this.location}`, {
      snapshot: (snapshot) => this.onSnapshot(snapshot),
      push: (push) => this.onPush(push),
      refused: (error) => this.notice(errorWords(error as HubError), true),
    });
    this.client.status.watch((status) => this.onStatus(status));
    this.client.start();
    // A screen's QR code leads here.
    const code = /^#pair=([A-Z0-9]{6})$/.exec(window.location.hash);
    if (code) {
      byId<HTMLInputElement>("pair-code").value = code[1]!;
      window.history.replaceState(null, "", window.location.pathname);
    }
    byId(code ? "pair-name" : "call-next").focus();
  }

  stop(): void {
    this.client.stop();
    this.stopListening.forEach((stop) => stop());
    // The next one to sign in on this machine must not find these people.
    this.console = readConsole(undefined);
    this.texts.clear();
    this.render();
  }

  state(): Console {
    return this.console;
  }

  now(): number {
    return this.client.serverTime() ?? Date.now();
  }

  blocked(): string {
    return disabledReason(this.client.status.value);
  }

  myDesk(): number | undefined {
    return this.choice.desk(this.console);
  }

  shown(ticket: StaffTicket): Shown | undefined {
    const offset = this.console.calls.get(ticket.id);
    return offset === undefined ? undefined : this.receipts.shown(offset, this.console.displays);
  }

  /** Does a command and says how it went. */
  run(name: string, params: object): Promise<boolean> {
    return this.client.command(name, params).then(
      (reply) => this.done(name, reply),
      (error: HubError) => {
        this.notice(errorWords(error), true);
        return false;
      },
    );
  }

  private done(name: string, reply: CommandReply): boolean {
    const ticket = reply.ticket as StaffTicket | undefined;
    const undo = name === "ticket.noShow" && ticket
      ? () => void this.run("ticket.returnToQueue", { ticket: ticket.id, position: "FIRST" })
      : undefined;
    this.notice(doneWords(name, ticket), false, undo);
    return true;
  }

  private callNext(): void {
    if (this.calling || this.callNextBlocked()) {
      return;
    }
    this.calling = true;
    this.render();
    const lines = Array.from(this.choice.lines(this.console));
    const desk = this.myDesk();
    void this.run("ticket.callNext", desk === undefined ? { lines } : { lines, desk }).then(() => {
      this.calling = false;
      this.render();
    });
  }

  /** Why Call next is disabled, or "". */
  private callNextBlocked(): string {
    const blocked = this.blocked();
    if (blocked) return blocked;
    if (this.console.desks.length > 0 && this.myDesk() === undefined) return "Choose your desk first.";
    if (this.choice.lines(this.console).size === 0) return "Choose at least one line.";
    return "";
  }

  private onSnapshot(snapshot: unknown): void {
    const before = this.console.calls;
    this.console = readConsole(snapshot);
    before.forEach((offset, id) => {
      if (this.console.tickets.get(id)?.status === "CALLED") this.console.calls.set(id, offset);
    });
    this.loaded = true;
    this.texts.refresh();
    this.choice.suggest(this.console.users.find((u) => u.id === this.user.id));
    this.render();
  }

  private onPush(push: Push): void {
    if (push.push === "ticket.message" || push.push === "ticket.message_status") {
      this.texts.refresh();
    }
    if (push.push === "receipt") {
      this.receipts.take(push);
    } else {
      foldConsole(this.console, push);
      const ticket = push.data["ticket"] as StaffTicket | undefined;
      if (ticket && this.now() - Date.parse(push.time) > RECEIPTS_SEEN) {
        this.console.calls.delete(ticket.id);
      }
    }
    this.render();
  }

  private onStatus(status: Status): void {
    document.body.dataset["state"] = status.state;
    const clock = (ms: number) => new Date(ms).toLocaleTimeString();
    setText(byId("connection"), statusWords(status, clock));
    const reason = disabledReason(status);
    setText(byId("banner"), reason);
    byId("banner").classList.toggle("shown", reason !== "" && this.loaded);
    this.render();
    if (status.state === "final") {
      this.left(status.code ?? 0);
    }
  }

  private render(): void {
    const state = this.console;
    const lines = this.choice.lines(state);
    const waiting = waitingIn(state, lines);
    const everyone = calledTickets(state);
    const mine = (t: StaffTicket) => t.called?.caller === this.user.id;
    const called = everyone.filter(mine).concat(everyone.filter((t) => !mine(t)));
    setText(byId("location-name"), state.location.name || "Console");
    fillSelect(byId("desk"), [["", "No desk"], ...state.desks.map((d): [string, string] => [String(d.id), deskWords(d.name)])]);
    byId<HTMLSelectElement>("desk").value = String(this.myDesk() ?? "");
    fillSelect(byId("add-line"), state.lines.filter((l) => !l.disabled).map((l) => [String(l.id), l.name]));
    this.lineBoxes.update(state.lines.filter((l) => !l.disabled));
    this.called.update(called);
    this.waiting.update(waiting);
    this.screens.update(state.displays);
    byId("called-none").hidden = called.length > 0;
    byId("waiting-none").hidden = waiting.length > 0;
    setText(byId("waiting-count"), waiting.length ? `(${waiting.length})` : "");
    this.renderCallNext(waiting, called);
    const add = byId<HTMLButtonElement>("add-button");
    add.disabled = this.blocked() !== "";
    add.title = this.blocked();
  }

  private renderCallNext(waiting: StaffTicket[], called: StaffTicket[]): void {
    const reason = this.callNextBlocked();
    const next = byId<HTMLButtonElement>("call-next");
    next.disabled = reason !== "";
    // Not disabled while it is calling: that would take the focus away.
    next.setAttribute("aria-busy", String(this.calling));
    const mine = called.filter((t) => t.called?.caller === this.user.id).map((t) => t.publicId);
    const hint = waiting.length ? `Next is ${waiting[0]!.publicId}.` : "Nobody is waiting.";
    setText(byId("call-next-hint"), reason || hint + (mine.length ? ` ${mine.join(", ")} will be marked served.` : ""));
  }

  device(display: number): Device | undefined {
    return this.console.devices.get(display);
  }

  notice(text: string, bad: boolean, undo?: () => void): void {
    const box = byId("notice");
    box.className = `notice shown${bad ? " bad" : ""}`;
    setText(byId("notice-text"), text);
    this.undo = undo;
    byId("undo").hidden = !undo;
    window.clearTimeout(this.noticeTimer);
    this.noticeTimer = window.setTimeout(() => box.classList.remove("shown"), NOTICE_FOR);
  }

  private lineBox(first: Line) {
    const element = make("label", "");
    const box = make("input", "", element);
    box.type = "checkbox";
    const swatch = make("span", "swatch", element);
    const name = make("span", "", element);
    box.addEventListener("change", () => {
      this.choice.toggleLine(this.console, first.id, box.checked);
      this.render();
    });
    return {
      element,
      update: (line: Line) => {
        box.checked = this.choice.lines(this.console).has(line.id);
        swatch.style.background = /^#?[0-9a-f]{6}$/i.test(line.color || "") ? `#${line.color!.replace("#", "")}` : "";
        setText(name, line.series ? `${line.series} \u00b7 ${line.name}` : line.name);
      },
    };
  }

  private listen(): void {
    const on = (target: EventTarget, type: string, run: (event: any) => void) => {
      target.addEventListener(type, run);
      this.stopListening.push(() => target.removeEventListener(type, run));
    };
    on(byId("call-next"), "click", () => this.callNext());
    on(byId("undo"), "click", () => {
      byId("notice").classList.remove("shown");
      this.undo?.();
    });
    on(byId("desk"), "change", () => {
      this.choice.setDesk(Number(byId<HTMLSelectElement>("desk").value) || undefined);
      this.render();
    });
    on(document, "keydown", (event: KeyboardEvent) => this.onKey(event));
    on(byId("add"), "submit", (event: Event) => this.add(event));
    on(byId("pair"), "submit", (event: Event) => this.pair(event));
    this.stopListening.push(onWake(() => this.client.wake()));
    const ticker = window.setInterval(() => this.render(), TICK);
    this.stopListening.push(() => window.clearInterval(ticker));
  }

  /** F2 from anywhere; Enter only where it means nothing else. */
  private onKey(event: KeyboardEvent): void {
    const free = event.target === document.body && event.key === "Enter";
    if ((event.key === "F2" || free) && !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.callNext();
    }
  }

  private add(event: Event): void {
    event.preventDefault();
    const params: { [name: string]: unknown } = { line: Number(byId<HTMLSelectElement>("add-line").value), source: "MANUAL" };
    const fields: Array<[id: string, name: string]> = [["add-first", "firstName"], ["add-last", "lastName"], ["add-phone", "phoneNumber"]];
    for (const [id, name] of fields) {
      const value = byId<HTMLInputElement>(id).value.trim();
      if (value) params[name] = value;
    }
    void this.run("ticket.create", params).then((done) => {
      if (done) {
        fields.forEach(([id]) => (byId<HTMLInputElement>(id).value = ""));
      }
    });
  }

  private pair(event: Event): void {
    event.preventDefault();
    const code = byId<HTMLInputElement>("pair-code").value.replace(/[\s-]/g, "").toUpperCase();
    const name = byId<HTMLInputElement>("pair-name").value.trim();
    const note = byId("pair-note");
    claimScreen(code, this.location, name).then(
      () => {
        note.className = "note good";
        setText(note, `${name} is paired.`);
        byId<HTMLInputElement>("pair-code").value = "";
      },
      (error: HubError) => {
        note.className = "note";
        setText(note, error.code === "not_found" ? "No screen shows this code." : errorWords(error));
      },
    );
  }
}
