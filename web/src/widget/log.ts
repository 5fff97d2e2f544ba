// The thread on the page: bubbles by speaker and day, with each own message's
// state. An entry is drawn again only when something about it changed.
import { choices, mine, safe, spoken, target } from "../common/thread";
import { Card, CardButton, Transaction } from "../common/visit";
import { Files } from "./files";
import { fill, h, icon, linked } from "./h";
import { Outgoing } from "./outbox";
import { Says } from "./says";
import { sendState, Thread } from "./thread";

export interface LogActions {
  choose(text: string): void;
  retry(id: string): void;
  older(): void;
  /** A link to another channel was followed. */
  followed(uri: string): void;
}

interface Entry {
  key: string;
  signature: string;
  make: () => HTMLElement;
}

const STATE_ICON = { sent: "check", delivered: "checks", read: "checks", failed: "alert", sending: "clock", waiting: "clock" } as const;
/** What comes within this many ms of the one before looks like one turn of talk. */
const TURN = 5 * 60 * 1000;
/** This near the end, the log follows what comes. */
const NEAR = 80;

export class Log {
  readonly element = h("div", { class: "scroll", tabindex: 0 });
  private readonly olderButton: HTMLButtonElement;
  private readonly list = h("div", { class: "log", role: "log", "aria-live": "polite" });
  private readonly typing = h("div", { class: "typing", role: "status", hidden: true });
  private readonly below: HTMLButtonElement;
  private readonly drawn = new Map<string, { signature: string; element: HTMLElement }>();
  private follow = true;
  private last = "";

  constructor(private readonly says: Says, private readonly files: Files, private readonly actions: LogActions, tail: HTMLElement) {
    this.list.setAttribute("aria-label", says.say("thread"));
    this.element.setAttribute("aria-label", says.say("thread"));
    this.olderButton = h("button", { type: "button", class: "older", onclick: actions.older }, says.say("older"));
    this.below = h("button", { type: "button", class: "below", hidden: true, onclick: () => this.toEnd() }, icon("down"), says.say("newBelow"));
    this.element.append(this.olderButton, this.list, this.typing, tail, this.below);
    this.element.addEventListener("scroll", () => {
      this.follow = this.nearEnd();
      if (this.follow) this.below.hidden = true;
    }, { passive: true });
  }

  private nearEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  toEnd(): void {
    this.follow = true;
    this.below.hidden = true;
    this.element.scrollTop = this.element.scrollHeight;
  }

  update(thread: Thread, unsent: readonly Outgoing[], link: { live: boolean; typing: boolean; older: boolean; now: number }): void {
    this.olderButton.hidden = !link.older;
    const entries = this.entries(thread, unsent, link.live, link.now);
    this.draw(entries);
    this.typing.hidden = !link.typing;
    if (link.typing) {
      const name = (thread.ticket.conversation || {}).agent || this.says.say("us");
      fill(this.typing, name, () => [h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("span", { class: "hidden-text" }, this.says.say("isTyping", { name }))]);
    }
    const last = entries.length ? (entries[entries.length - 1] as Entry).key : "";
    const fresh = last !== this.last;
    this.last = last;
    if (this.follow || (unsent.length && fresh)) this.toEnd();
    else if (fresh) this.below.hidden = false;
  }

  /** Leaves no word of a conversation in the page that this browser has no more. */
  clear(): void {
    this.draw([]);
    this.last = "";
  }

  private entries(thread: Thread, unsent: readonly Outgoing[], live: boolean, now: number): Entry[] {
    const out: Entry[] = [];
    const lastOwn = thread.transactions.filter((t) => spoken(t) && mine(t)).pop();
    const open = choices(thread);
    let call = this.called(thread);
    let day = "";
    let before: Transaction | undefined;
    for (const t of thread.transactions) {
      if (call && t.dateTime > (thread.ticket.calledAt || "")) {
        out.push(call);
        call = before = undefined;
      }
      const today = this.says.day(t.dateTime, now);
      if (!spoken(t) && t.type !== "TicketClosed") continue;
      if (today && today !== day) out.push({ key: "day" + today, signature: today, make: () => h("p", { class: "day" }, today) });
      const first = !before || before.fromType !== t.fromType || before.fromName !== t.fromName || today !== day || Date.parse(t.dateTime) - Date.parse(before.dateTime) > TURN;
      day = today;
      before = t;
      if (!spoken(t)) {
        out.push({ key: "s" + t.seq, signature: t.type, make: () => h("p", { class: "event" }, this.says.say("ended")) });
        before = undefined;
        continue;
      }
      const state = mine(t) ? sendState(thread, t) : undefined;
      const shown = t === lastOwn || state === "failed" ? state : undefined;
      const buttons = !!open && t.seq === open.seq;
      // By the client's own id, so that a message keeps its bubble when it has arrived.
      out.push({ key: t.clientId || "s" + t.seq, signature: JSON.stringify([t.text, t.attachments, t.payload, first, shown, buttons]), make: () => this.bubble(t, first, shown, buttons) });
    }
    if (call) out.push(call);
    for (const message of unsent) {
      const state = message.refused ? "failed" : live ? "sending" : "waiting";
      out.push({ key: message.id, signature: JSON.stringify([message.text, state]), make: () => this.outgoing(message, state) });
    }
    return out;
  }

  /** The call stands in the thread where it happened. */
  private called(thread: Thread): Entry | undefined {
    const ticket = thread.ticket;
    if (ticket.status !== "CALLED" || !ticket.calledAt) return undefined;
    const where = ticket.desk ? ", " + this.says.say("desk", { desk: ticket.desk.name }) : "";
    const text = `${this.says.say("calledEntry")}: ${ticket.publicId}${where} · ${this.says.clock(ticket.calledAt)}`;
    return { key: "called" + ticket.calledAt, signature: text, make: () => h("p", { class: "event event-call" }, text) };
  }

  private draw(entries: readonly Entry[]): void {
    const keep = new Set(entries.map((e) => e.key));
    this.drawn.forEach((drawn, key) => {
      if (keep.has(key)) return;
      drawn.element.remove();
      this.drawn.delete(key);
    });
    let next = this.list.firstElementChild;
    for (const entry of entries) {
      let drawn = this.drawn.get(entry.key);
      if (!drawn || drawn.signature !== entry.signature) {
        const element = entry.make();
        if (drawn) {
          if (drawn.element === next) next = next.nextElementSibling;
          drawn.element.remove();
        }
        drawn = { signature: entry.signature, element };
        this.drawn.set(entry.key, drawn);
      }
      if (drawn.element === next) next = next.nextElementSibling;
      else this.list.insertBefore(drawn.element, next);
    }
  }

  private bubble(t: Transaction, first: boolean, state: keyof typeof STATE_ICON | undefined, buttons: boolean): HTMLElement {
    const own = mine(t);
    const name = own ? "" : t.fromName || this.says.say("us");
    const bubble = h("div", { class: "bubble", dir: "auto" });
    if (t.text) bubble.append(...linked(t.text));
    const item = h("div", { class: "item " + (own ? "own" : "theirs") + (first ? " first" : "") },
      first && !own && h("p", { class: "by" }, h("span", { class: "face", "aria-hidden": "true" }, initial(name)), h("bdi", {}, name), h("time", { datetime: t.dateTime }, this.says.clock(t.dateTime))),
      own && h("span", { class: "hidden-text" }, this.says.say("you") + ": "),
      t.text && bubble, ...t.attachments.map((file) => this.files.view(file)), ...this.cards(t, buttons));
    if (state) item.append(this.state(state, this.says.clock(t.dateTime)));
    return item;
  }

  private outgoing(message: Outgoing, state: "failed" | "sending" | "waiting"): HTMLElement {
    const item = h("div", { class: "item own first unsent" }, h("span", { class: "hidden-text" }, this.says.say("you") + ": "),
      message.text && h("div", { class: "bubble", dir: "auto" }, ...linked(message.text)),
      ...message.files.map((f) => h("span", { class: "file" }, icon("file"), h("bdi", {}, f.name))), this.state(state));
    if (state === "failed") {
      item.append(h("button", { type: "button", class: "retry", onclick: () => this.actions.retry(message.id) }, icon("retry"), this.says.say("retry")));
    }
    return item;
  }

  private state(state: keyof typeof STATE_ICON, time = ""): HTMLElement {
    // Not announced each time: the log would read out every tick mark.
    return h("p", { class: "state state-" + state, "aria-live": "off" }, time && h("time", {}, time), icon(STATE_ICON[state]), this.says.say("state." + state));
  }

  private cards(t: Transaction, active: boolean): HTMLElement[] {
    const payload = t.payload || {};
    const out = (payload.templates || []).map((card) => this.card(card, active));
    const replies = active ? payload.quickReplies || [] : [];
    if (replies.length) {
      out.push(h("div", { class: "replies", role: "group" }, ...replies.map((reply) =>
        h("button", { type: "button", class: "reply", onclick: () => this.actions.choose(reply.title) }, reply.title))));
    }
    return out;
  }

  private card(card: Card, active: boolean): HTMLElement {
    const cover = safe(card.coverImageUrl, /^https?:$/);
    const image = cover && h("img", { class: "cover", src: cover, alt: "", loading: "lazy", referrerpolicy: "no-referrer", onerror: (event) => (event.target as Element).remove() });
    return h("div", { class: "card" }, image, card.title && h("strong", { dir: "auto" }, card.title), card.subtitle && h("p", { dir: "auto" }, card.subtitle),
      ...(card.buttons || []).map((button) => this.cardButton(button, active)));
  }

  private cardButton(button: CardButton, active: boolean): HTMLElement | undefined {
    const uri = target(button);
    if (uri !== undefined) {
      return uri ? h("a", { class: "reply", href: uri, target: "_blank", rel: "noopener noreferrer", onclick: () => this.actions.followed(uri) }, button.title) : undefined;
    }
    return h("button", { type: "button", class: "reply", disabled: !active, onclick: () => this.actions.choose(button.title) }, button.title);
  }
}

/** The first letter of a name, as a face. */
export function initial(name: string): string {
  return (Array.from(name.trim())[0] || "?").toUpperCase();
}
