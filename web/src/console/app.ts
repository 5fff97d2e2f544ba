// The signed-in console: one location's state, its parts, and its commands.
import { browserEnv, Client, CommandReply, HubError, onWake, Push, Status } from "../client/index";
import { byId, setText } from "../common/dom";
import { Composer } from "./composer";
import { DeskChoice } from "./desk";
import { Details } from "./details";
import { closeDialogs, openDialog, showLink } from "./dialogs";
import { cannedReplies, findTickets, InputField, inputFields, SessionUser } from "./http";
import { Keys } from "./keys";
import { Notices } from "./notices";
import { People } from "./people";
import { QueuePane } from "./pane";
import { Receipts, Shown } from "./receipts";
import { Search } from "./search";
import { Console, ENDED_KEPT, foldConsole, noteEnded, readConsole, StaffTicket } from "./state";
import { Drafts } from "./storage";
import { ChatLists, TalkBar } from "./talk";
import { Texts } from "./texts";
import { Thread, ThreadHost } from "./thread";
import { Outgoing, Unsent } from "./unsent";
import { deskWords, disabledReason, doneWords, errorWords, fullName, say, statusWords, words } from "./words";

const TICK = 1000;
/** A clerk notices silence later than a lobby does, and pays for more pings. */
const PING = 10000;
const STALE_AFTER = 19000;
/** Receipts of a call that is pushed this late have gone by unseen. */
const RECEIPTS_SEEN = 10000;
/** So many tickets keep their panel, and what is half typed in it. */
const PANELS = 10;

/** Ends in `left` when the session is over. */
export class App implements ThreadHost {
  readonly client: Client;
  readonly outgoing: Outgoing;
  private readonly receipts = new Receipts();
  private readonly drafts: Drafts;
  private readonly notices = new Notices();
  private readonly choice: DeskChoice;
  private readonly pane: QueuePane;
  private readonly thread: Thread;
  private readonly composer: Composer;
  private readonly chats: ChatLists;
  private readonly talk: TalkBar;
  private readonly people: People;
  private readonly search: Search;
  private readonly keys: Keys;
  private readonly texts: Texts;
  private readonly panels = new Map<string, Details>();
  private readonly stopListening: Array<() => void> = [];
  private console = readConsole(undefined);
  private fields: InputField[] = [];
  private loaded = false;
  private open: string | undefined;
  private waited: HTMLElement | undefined;

  constructor(readonly user: SessionUser, readonly location: number, private readonly left: (code: number) => void) {
    this.client = new Client(browserEnv(), { name: "console/1.0", pingAtMost: PING, staleAfter: STALE_AFTER });
    this.drafts = new Drafts(user.id);
    this.outgoing = new Outgoing(user.id, (name, params, key) => this.client.command(name, params, undefined, key), errorWords, () => this.changed());
    this.choice = new DeskChoice(user.id, (params) => this.run("user.select", params));
    this.texts = new Texts((text) => this.notice(text, true));
    this.thread = new Thread(this);
    this.composer = new Composer(this, this.drafts, this.outgoing);
    this.chats = new ChatLists(this);
    this.talk = new TalkBar(this);
    this.people = new People(this);
    this.search = new Search(this);
    this.pane = new QueuePane(this, this.choice);
    this.keys = new Keys(this.shortcuts());
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
      byId<HTMLDetailsElement>("people").open = true;
      window.history.replaceState(null, "", window.location.pathname);
    }
    byId(code ? "pair-name" : "call-next").focus();
  }

  /** The clerk has left, and what they wrote and did not send goes too. */
  forgetWords(): void {
    this.drafts.clear();
    this.outgoing.clear();
  }

  stop(): void {
    this.client.stop();
    this.stopListening.forEach((stop) => stop());
    // The next one to sign in on this machine must not find these people.
    closeDialogs();
    this.select(undefined);
    this.panels.forEach((panel) => panel.element.remove());
    this.panels.clear();
    this.console = readConsole(undefined);
    this.texts.clear();
    this.search.clear();
    this.notices.hide();
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

  ticket(id: string): StaffTicket | undefined {
    const opened = this.thread.ticket();
    const known = this.console.tickets.get(id) || this.console.ended.get(id);
    if (opened?.id !== id) return known;
    // The two channels bring the same changes, one a moment before the other.
    return known && (known.offset || 0) >= (opened.offset || 0) ? known : opened;
  }

  selected(): string | undefined {
    return this.open;
  }

  select(id: string | undefined): void {
    if (this.open === id) return;
    this.open = id;
    this.composer.open(id);
    this.talk.open(id);
    if (id === undefined) this.thread.close();
    else this.thread.open(id);
    this.render();
  }

  takeBack(unsent: Unsent): void {
    this.composer.takeBack(unsent);
  }

  changed(): void {
    this.render();
  }

  clock(date: string | undefined): string {
    const at = Date.parse(date || "");
    if (isNaN(at)) return "";
    const zone = this.console.location.timezone;
    const today = new Date(this.now()).toDateString() === new Date(at).toDateString();
    const day: Intl.DateTimeFormatOptions = today ? {} : { day: "numeric", month: "short" };
    const hours = { hourCycle: "h23" }; // as on the boards; newer than the types here
    const how: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", ...hours, ...day, ...(zone ? { timeZone: zone } : {}) };
    return new Intl.DateTimeFormat(words.language, how).format(at);
  }

  userName(id: number | undefined): string {
    const user = this.console.users.find((u) => u.id === id);
    return user ? fullName(user) || user.email : "";
  }

  lineName(id: number | undefined): string {
    return this.console.lines.find((l) => l.id === id)?.name || "";
  }

  deskName(id: number | undefined): string {
    const desk = this.console.desks.find((d) => d.id === id);
    return desk ? deskWords(desk.name) : "";
  }

  /** Does a command and says how it went. */
  run(name: string, params: object): Promise<boolean> {
    return this.client.command(name, params, name === "user.select" ? this.location : undefined).then(
      (reply) => this.done(name, reply),
      (error: HubError) => {
        this.notice(errorWords(error), true);
        this.render();
        return false;
      },
    );
  }

  notice(text: string, bad: boolean, undo?: () => void): void {
    this.notices.show(text, bad, undo ? [say("undo"), undo] : undefined);
  }

  private done(name: string, reply: CommandReply): boolean {
    const ticket = reply.ticket as StaffTicket | undefined;
    const text = doneWords(name, ticket);
    if (name === "ticket.noShow" && ticket) {
      this.notice(text, false, () => void this.run("ticket.returnToQueue", { ticket: ticket.id, position: "FIRST" }));
    } else if (name === "ticket.create" && ticket) {
      this.notices.show(text, false, [say("visitorLink"), () => this.pane.link(ticket.id)]);
    } else if (text) {
      this.notice(text, false);
    }
    if ((name === "ticket.callNext" || name === "ticket.call") && ticket) this.select(ticket.id);
    return true;
  }

  private onSnapshot(snapshot: unknown): void {
    const before = this.console;
    this.console = readConsole(snapshot);
    before.calls.forEach((offset, id) => {
      if (this.console.tickets.get(id)?.status === "CALLED") this.console.calls.set(id, offset);
    });
    if (!this.loaded) this.load();
    this.loaded = true;
    this.fetchEnded();
    this.texts.refresh();
    this.choice.confirmed();
    const mine = Array.from(this.console.tickets.values()).find((t) => t.status === "CALLED" && t.called?.caller === this.user.id);
    if (mine && this.open === undefined) this.select(mine.id);
    this.render();
  }

  /** What is on no channel: it changes seldom, and the console works without. */
  private load(): void {
    cannedReplies(this.location).then((replies) => this.composer.load(replies), () => undefined);
    inputFields(this.location).then((fields) => {
      this.fields = fields;
      this.render();
    }, () => undefined);
  }

  /** A snapshot holds live tickets only; what ended lately is asked for once. */
  private fetchEnded(): void {
    const state = this.console;
    findTickets(this.location, { status: "NOSHOW,SERVED,CANCELLED_BY_CLERK", limit: String(Math.min(ENDED_KEPT, 30)) }).then((found) => {
      found.reverse().forEach((ticket) => {
        if (!state.tickets.has(ticket.id) && !state.ended.has(ticket.id)) noteEnded(state, ticket);
      });
      this.render();
    }, () => undefined);
  }

  private onPush(push: Push): void {
    if (push.push === "ticket.message" || push.push === "ticket.message_status") {
      this.texts.refresh();
    }
    if (push.push === "receipt") {
      this.receipts.take(push);
    } else {
      foldConsole(this.console, push);
      const { ticket, user } = push.data as { ticket?: StaffTicket; user?: { id: number } };
      if (ticket && this.now() - Date.parse(push.time) > RECEIPTS_SEEN) {
        this.console.calls.delete(ticket.id);
      }
      if (push.push === "ticket.erased" && ticket) this.forget(ticket.id);
      if (user?.id === this.user.id) this.choice.confirmed();
    }
    this.render();
  }

  /** Erased people are gone from everywhere, drafts to them as well. */
  private forget(id: string): void {
    this.panels.get(id)?.element.remove();
    this.panels.delete(id);
    this.drafts.set(id, "", false);
    if (this.open === id) this.select(undefined);
  }

  private onStatus(status: Status): void {
    const was = document.body.dataset["state"];
    if (was === "live" && status.state !== "live") this.waited = document.activeElement as HTMLElement;
    document.body.dataset["state"] = status.state;
    setText(byId("connection"), statusWords(status, (ms) => this.clock(new Date(ms).toISOString())));
    const reason = disabledReason(status);
    setText(byId("banner"), reason);
    byId("banner").classList.toggle("shown", reason !== "" && this.loaded);
    this.render();
    if (status.state === "live" && was !== "live") {
      this.outgoing.flush();
      // A button that was disabled has lost the focus to the page.
      if (document.activeElement === document.body && this.waited?.isConnected) this.waited.focus();
    }
    if (status.state === "final") {
      this.left(status.code ?? 0);
    }
  }

  private render(): void {
    this.pane.render();
    this.chats.render();
    this.talk.render();
    this.people.render();
    this.renderDetails();
    this.composer.render();
    this.thread.render();
    const news = this.chats.news();
    byId("talk-count").hidden = news === 0;
    setText(byId("talk-count"), String(news));
    document.title = [news ? `(${news})` : "", this.console.location.name || say("console")].filter(Boolean).join(" ");
  }

  private renderDetails(): void {
    const ticket = this.open === undefined ? undefined : this.ticket(this.open);
    if (ticket && !this.panels.has(ticket.id)) {
      const panel = new Details(this, ticket.id, () => this.fields, (link, of) => showLink(link, of?.publicId || ""));
      this.panels.set(ticket.id, panel);
      byId("details").appendChild(panel.element);
      const oldest = this.panels.size > PANELS ? this.panels.keys().next().value : undefined;
      if (oldest !== undefined) {
        this.panels.get(oldest)!.element.remove();
        this.panels.delete(oldest);
      }
    }
    this.panels.forEach((panel, id) => (panel.element.hidden = id !== this.open));
    if (ticket) this.panels.get(ticket.id)!.update(ticket);
    byId("details-none").hidden = !!ticket;
  }

  private shortcuts() {
    const mine = () => this.pane.current();
    const on = (name: string) => () => {
      const ticket = mine();
      if (ticket && !this.blocked()) void this.run(name, { ticket: ticket.id });
    };
    const letter = (key: string, does: string, run: () => void) => ({ shown: key.toUpperCase(), key, does, run });
    return [
      { shown: "F2", key: "F2", does: "key.callNext", run: () => this.pane.callNext() },
      letter("r", "key.recall", on("ticket.recall")), letter("s", "key.serve", on("ticket.serve")), letter("n", "key.noShow", on("ticket.noShow")),
      letter("m", "key.message", () => this.show("talk", () => this.composer.focus())),
      letter("q", "key.queue", () => this.show("queue", () => this.pane.focusList())),
      letter("a", "key.add", () => this.show("queue", () => byId("add-first").focus())),
      letter("c", "key.chats", () => this.show("talk", () => byId("chat-tabs").querySelector<HTMLElement>('[tabindex="0"]')?.focus())),
      letter("f", "key.search", () => this.search.focus()), { shown: "Ctrl+K", key: "k", ctrl: true, does: "key.search", run: () => this.search.focus() },
      letter("?", "key.help", () => openDialog("shortcuts-dialog")),
    ];
  }

  /** On a narrow page only one part is there at a time. */
  private show(pane: "queue" | "serve" | "talk", then: () => void = () => undefined): void {
    document.body.dataset["pane"] = pane;
    document.querySelectorAll<HTMLElement>("[data-pane-button]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset["paneButton"] === pane)));
    if (pane === "talk") this.thread.shown();
    then();
  }

  private listen(): void {
    const on = (target: EventTarget, type: string, run: (event: any) => void) => {
      target.addEventListener(type, run);
      this.stopListening.push(() => target.removeEventListener(type, run));
    };
    this.pane.listen(on);
    this.composer.listen(on);
    this.talk.listen(on);
    this.people.listen(on);
    this.search.listen(on);
    on(byId("undo"), "click", () => this.notices.act());
    on(document, "keydown", (event: KeyboardEvent) => this.keys.onKey(event, () => this.pane.callNext()));
    on(window, "focus", () => this.render());
    document.querySelectorAll<HTMLElement>("[data-pane-button]").forEach((one) =>
      on(one, "click", () => this.show(one.dataset["paneButton"] as "queue" | "serve" | "talk")));
    this.show("serve");
    this.stopListening.push(onWake(() => this.client.wake()));
    const ticker = window.setInterval(() => this.render(), TICK);
    this.stopListening.push(() => window.clearInterval(ticker));
  }
}
