// The conversation of the selected ticket: its channel, its entries, who types,
// and how far either side has read.
import { HubError, Push } from "../client/index";
import { button, byId, Item, KeyedList, make, setText } from "../common/dom";
import { clientReadUpTo, readUpTo, takesPart } from "./chats";
import { Host } from "./host";
import { fileAddress, olderEntries } from "./http";
import { StaffTicket } from "./state";
import { Attachment, Entry, markOf, timeline, Transaction } from "./timeline";
import { Outgoing, Unsent } from "./unsent";
import { errorWords, say } from "./words";

/** A typing signal is a lease: it lapses by itself. */
const TYPING_LIFE = 6000;
/** Nearer than this to the end, the view follows what is new. */
const FOLLOW = 60;
/** A snapshot brings that many entries; with fewer there is nothing older. */
const SNAPSHOT = 100;

export interface ThreadHost extends Host {
  readonly outgoing: Outgoing;
  /** Puts a message that is not to be sent after all back where it was typed. */
  takeBack(unsent: Unsent): void;
  changed(): void;
}

export class Thread {
  private readonly box = byId("thread");
  private readonly list: KeyedList<Entry>;
  private readonly entries = new Map<number, Transaction>();
  private readonly typists = new Map<string, { until: number; name: string; staff: boolean }>();
  private leave: (() => void) | undefined;
  private id: string | undefined;
  private opened: StaffTicket | undefined;
  private told = 0;
  private older = false;

  constructor(private readonly host: ThreadHost) {
    this.list = new KeyedList(byId("entries"), (e) => e.key, (e) => entryItem(host, e), this.box);
    byId("older").onclick = () => this.more();
    byId("newest").onclick = () => this.toEnd();
    this.box.onscroll = () => (byId("newest").hidden = this.atEnd());
  }

  /** The ticket as its own channel shows it, when it is not among the live ones. */
  ticket(): StaffTicket | undefined {
    return this.opened;
  }

  open(id: string): void {
    if (this.id === id) return;
    this.close();
    this.id = id;
    this.leave = this.host.client.subscribe(`ticket:${id}`, {
      snapshot: (snapshot) => this.onSnapshot(snapshot as { ticket: StaffTicket; transactions: Transaction[] }),
      push: (push) => this.onPush(push),
      refused: (error) => this.host.notice(errorWords(error as HubError), true),
    });
  }

  close(): void {
    this.leave?.();
    this.leave = undefined;
    this.id = undefined;
    this.opened = undefined;
    this.told = 0;
    this.older = false;
    this.entries.clear();
    this.typists.clear();
    this.list.update([]);
  }

  render(): void {
    const ticket = this.id === undefined ? undefined : this.host.ticket(this.id);
    const follow = this.atEnd();
    const before = byId("entries").childElementCount;
    const { host } = this;
    const names = { user: (id: number | undefined) => host.userName(id), desk: (id: number | undefined) => host.deskName(id), line: (id: number | undefined) => host.lineName(id) };
    const unsent = this.id === undefined ? [] : host.outgoing.of(this.id);
    this.list.update(ticket ? timeline(ticket, this.entries.values(), unsent, names) : []);
    byId("older").hidden = !this.older;
    this.renderTyping();
    if (follow && byId("entries").childElementCount !== before) this.toEnd();
    byId("newest").hidden = this.atEnd();
    this.markRead(ticket);
  }

  /** The part of the page with the thread has come into view. */
  shown(): void {
    this.toEnd();
  }

  private onSnapshot(snapshot: { ticket: StaffTicket; transactions: Transaction[] }): void {
    this.opened = snapshot.ticket;
    // A snapshot is whole from its first entry on; older ones were loaded by hand.
    (snapshot.transactions || []).forEach((one) => this.entries.set(one.seq, one));
    this.older = (snapshot.transactions || []).length >= SNAPSHOT && !this.entries.has(1);
    this.host.changed();
    this.toEnd();
  }

  private onPush(push: Push): void {
    const data = push.data as { ticket?: StaffTicket; transaction?: Transaction; name?: string };
    if (push.push === "signal") {
      this.onSignal(push.data as { name?: string; session?: string; audience?: string; user?: number; userName?: string });
      return;
    }
    if (push.push === "ticket.erased") this.entries.clear();
    if (data.ticket) this.opened = data.ticket;
    if (data.transaction) {
      this.entries.set(data.transaction.seq, data.transaction);
      // What was being typed has come.
      const staff = data.transaction.fromParticipant.type === "User";
      this.typists.forEach((one, session) => {
        if (one.staff === staff) this.typists.delete(session);
      });
    }
    this.host.changed();
  }

  private onSignal(signal: { name?: string; session?: string; audience?: string; user?: number; userName?: string }): void {
    if (signal.name !== "typing" || signal.user === this.host.user.id) return;
    const staff = signal.audience === "staff";
    this.typists.set(signal.session || "", { until: this.host.now() + TYPING_LIFE, name: signal.userName || "", staff });
    this.renderTyping();
  }

  private renderTyping(): void {
    const now = this.host.now();
    this.typists.forEach((one, session) => {
      if (one.until < now) this.typists.delete(session);
    });
    const all = Array.from(this.typists.values());
    const colleague = all.find((one) => one.staff);
    const visitor = all.find((one) => !one.staff);
    const texts = [colleague ? say("colleagueReplies", { name: colleague.name || say("colleague") }) : "", visitor ? say("visitorTypes") : ""];
    setText(byId("typing"), texts.filter(Boolean).join(" "));
    byId("typing").classList.toggle("warn", !!colleague);
  }

  /** Moves my cursor to the visitor's newest message, once I can be seen to look. */
  private markRead(ticket: StaffTicket | undefined): void {
    const talk = ticket?.conversation;
    const newest = talk?.clientSeq || 0;
    if (!ticket || !talk || document.hidden || !document.hasFocus() || this.host.blocked() || !this.entries.has(newest)) return;
    const me = this.host.user.email;
    if (!takesPart(talk, me) || readUpTo(talk, me) >= newest || this.told >= newest) return;
    this.told = newest;
    this.host.client.command("message.read", { ticket: ticket.id, upTo: newest }).catch(() => (this.told = 0));
  }

  private more(): void {
    const id = this.id;
    const first = Math.min(...Array.from(this.entries.keys()));
    if (id === undefined || !isFinite(first)) return;
    olderEntries(id, first).then((found) => {
      if (this.id !== id) return;
      const height = this.box.scrollHeight;
      found.forEach((one) => this.entries.set(one.seq, one));
      this.older = found.length > 0 && !this.entries.has(1);
      this.host.changed();
      this.box.scrollTop += this.box.scrollHeight - height;
    }, (error: HubError) => this.host.notice(errorWords(error), true));
  }

  private atEnd(): boolean {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < FOLLOW;
  }

  private toEnd(): void {
    this.box.scrollTop = this.box.scrollHeight;
  }
}

function entryItem(host: ThreadHost, entry: Entry): Item<Entry> {
  switch (entry.kind) {
    case "event":
      return eventItem(host, entry);
    case "unsent":
      return unsentItem(host);
    default:
      return saidItem(host, entry);
  }
}

function eventItem(host: ThreadHost, entry: Entry & { kind: "event" }): Item<Entry> {
  const element = make("li", "event");
  const text = make("span", "", element);
  const time = make("time", "", element, host.clock(new Date(entry.at).toISOString()));
  time.dateTime = new Date(entry.at).toISOString();
  return {
    element,
    update(next) {
      if (next.kind !== "event") return;
      const known = say(`event.${next.event}`, { name: next.by, to: next.to });
      setText(text, known.startsWith("event.") ? next.event : known);
    },
  };
}

function saidItem(host: ThreadHost, entry: Entry & { kind: "said" }): Item<Entry> {
  const side = entry.said.type === "Note" ? "aside" : entry.said.fromParticipant.type === "Client" ? "theirs" : "ours";
  const element = make("li", `said ${side}`);
  element.dataset["seq"] = String(entry.seq);
  const about = make("p", "said-about", element);
  const from = make("span", "said-from", about);
  const time = make("time", "", about);
  const text = make("p", "said-text", element);
  text.dir = "auto";
  const files = make("div", "said-files", element);
  const mark = make("span", "said-mark", about);
  return {
    element,
    update(next) {
      if (next.kind !== "said") return;
      const { said } = next;
      const name = said.fromParticipant.name || said.fromParticipant.displayName || (side === "theirs" ? say("visitor") : "");
      setText(from, side === "aside" ? say("noteBy", { name }) : name);
      setText(time, host.clock(said.dateTime));
      time.dateTime = said.dateTime;
      setText(text, said.text);
      text.hidden = !said.text;
      fillFiles(files, host.selected() || "", said.attachments || []);
      if (side === "ours") {
        const how = markOf(said, clientReadUpTo(host.ticket(host.selected() || "")?.conversation));
        setText(mark, { sent: "\u2713", delivered: "\u2713", read: "\u2713\u2713", failed: "!" }[how]);
        mark.dataset["mark"] = how;
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", say(`mark.${how}`));
        mark.title = say(`mark.${how}`);
      }
    },
  };
}

function unsentItem(host: ThreadHost): Item<Entry> {
  const element = make("li", "said ours unsent");
  const text = make("p", "said-text", element);
  text.dir = "auto";
  const state = make("p", "said-about", element);
  let current: Unsent | undefined;
  const words = make("span", "", state);
  const retry = button(state, say("retry"), () => current && host.outgoing.retry(current.key), "small");
  const edit = button(state, say("edit"), () => {
    const back = current && host.outgoing.drop(current.key);
    if (back) host.takeBack(back);
  }, "small");
  return {
    element,
    update(next) {
      if (next.kind !== "unsent") return;
      current = next.unsent;
      element.classList.toggle("aside", current.note);
      element.classList.toggle("refused", current.state === "refused");
      element.dataset["state"] = current.state;
      setText(text, current.text || current.files.map((f) => f.name).join(", "));
      setText(words, current.state === "refused" ? current.problem || "" : say(`unsent.${current.state}`));
      retry.hidden = current.state === "sending";
      edit.hidden = current.state === "sending";
    },
  };
}

function fillFiles(box: HTMLElement, ticket: string, files: Attachment[]): void {
  const wanted = JSON.stringify(files);
  if (box.dataset["files"] === wanted) return;
  box.dataset["files"] = wanted;
  box.replaceChildren(...files.map((file) => {
    const state = (file.sanitizationState || "passed").toLowerCase();
    if (state === "blocked" || state === "pending") {
      return make("span", `file ${state}`, undefined, `${file.originalFileName}: ${say(`file.${state}`)}`);
    }
    const link = make("a", "file");
    link.href = file.uri && /^https?:/.test(file.uri) ? file.uri : fileAddress(ticket, file.fileIdentifier);
    link.download = file.originalFileName;
    link.rel = "noopener noreferrer";
    if (file.type.toLowerCase().startsWith("image")) {
      const image = make("img", "", link);
      image.alt = "";
      image.loading = "lazy";
      image.addEventListener("error", () => image.remove());
      image.src = fileAddress(ticket, file.fileIdentifier, true);
    }
    make("span", "", link, file.originalFileName);
    return link;
  }));
}
