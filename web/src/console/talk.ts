// The list of conversations by state, and the bar over the open one: who answers,
// what state it is in.
import { HubError } from "../client/index";
import { button, byId, fillSelect, Item, KeyedList, make, setText } from "../common/dom";
import { CHAT_LISTS, ChatList, chatsIn, listOf, unread } from "./chats";
import { Host, setBlocked } from "./host";
import { findTickets } from "./http";
import { arrows } from "./queue";
import { noteEnded, StaffTicket } from "./state";
import { errorWords, fullName, say, whoWords } from "./words";

const STATES = ["Open", "Pending", "Snoozed", "Closed"];

export class ChatLists {
  private list: ChatList = "mine";
  private readonly rows: KeyedList<StaffTicket>;
  private readonly tabs = new Map<ChatList, { tab: HTMLButtonElement; count: HTMLElement }>();
  private readonly settle: () => void;
  private fetched = false;

  constructor(private readonly host: Host) {
    const bar = byId("chat-tabs");
    bar.replaceChildren();
    for (const list of CHAT_LISTS) {
      const tab = button(bar, "", () => this.show(list), "tab");
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", "chats");
      tab.id = `chats-${list}`;
      make("span", "", tab, say(`chats.${list}`));
      this.tabs.set(list, { tab, count: make("span", "count", tab) });
    }
    bar.onkeydown = (event) => this.onKey(event);
    this.rows = new KeyedList(byId("chats-list"), (t) => t.id, (t) => chatRow(host, t), bar);
    this.settle = arrows(byId("chats-list"), ".row-open");
  }

  show(list: ChatList): void {
    this.list = list;
    this.render();
    if (list === "closed" && !this.fetched) {
      this.fetched = true;
      findTickets(this.host.location, { state: "Closed" }).then(
        (found) => {
          found.reverse().forEach((ticket) => noteEnded(this.host.state(), ticket));
          this.render();
        },
        (error: HubError) => {
          this.fetched = false;
          this.host.notice(errorWords(error), true);
        },
      );
    }
  }

  /** All that is unread in what is mine or nobody's. */
  news(): number {
    const { state, user } = this.host;
    return [...chatsIn(state.call(this.host), "mine", user.id), ...chatsIn(state.call(this.host), "unassigned", user.id)]
      .reduce((sum, ticket) => sum + unread(ticket.conversation, user.email), 0);
  }

  render(): void {
    const state = this.host.state();
    const me = this.host.user;
    this.tabs.forEach(({ tab, count }, list) => {
      const chats = chatsIn(state, list, me.id);
      const news = chats.reduce((sum, t) => sum + (unread(t.conversation, me.email) > 0 ? 1 : 0), 0);
      setText(count, list === "closed" || chats.length === 0 ? "" : String(chats.length));
      count.classList.toggle("news", news > 0 && (list === "mine" || list === "unassigned"));
      tab.setAttribute("aria-selected", String(list === this.list));
      tab.tabIndex = list === this.list ? 0 : -1;
    });
    byId("chats").setAttribute("aria-labelledby", `chats-${this.list}`);
    const shown = chatsIn(state, this.list, me.id);
    this.rows.update(shown);
    this.settle();
    byId("chats-none").hidden = shown.length > 0;
  }

  private onKey(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const turn = document.documentElement.dir === "rtl" ? -step : step;
    const at = (CHAT_LISTS.indexOf(this.list) + turn + CHAT_LISTS.length) % CHAT_LISTS.length;
    this.show(CHAT_LISTS[at]!);
    this.tabs.get(CHAT_LISTS[at]!)!.tab.focus();
  }
}

function chatRow(host: Host, first: StaffTicket): Item<StaffTicket> {
  const element = make("li", "row chat");
  element.dataset["chat"] = first.id;
  const open = button(element, "", () => host.select(first.id), "row-open");
  const who = make("span", "row-who", open);
  const name = make("span", "row-name", who);
  const line = make("span", "row-line", who);
  const time = make("span", "row-time", open);
  const badge = make("span", "badge", open);
  badge.setAttribute("role", "img");
  return {
    element,
    update(ticket) {
      const talk = ticket.conversation;
      element.classList.toggle("selected", host.selected() === ticket.id);
      if (host.selected() === ticket.id) open.setAttribute("aria-current", "true");
      else open.removeAttribute("aria-current");
      setText(name, whoWords(ticket));
      const place = ticket.publicId ? `${ticket.publicId} \u00b7 ${say(`status.${ticket.status || "none"}`)}` : say("chatOnly");
      const owner = talk?.owner && talk.owner.user !== host.user.id ? host.userName(talk.owner.user) : "";
      setText(line, [place, talk?.field1, owner].filter(Boolean).join(" \u00b7 "));
      setText(time, host.clock(talk?.lastActivity));
      const news = unread(talk, host.user.email);
      badge.hidden = news === 0;
      setText(badge, String(news));
      badge.setAttribute("aria-label", say("unread", { count: news }));
    },
  };
}

/** The bar over the open conversation. */
export class TalkBar {
  private id: string | undefined;
  private readonly owner = byId<HTMLSelectElement>("talk-owner");
  private readonly state = byId<HTMLSelectElement>("talk-state");
  private readonly take = byId<HTMLButtonElement>("talk-take");

  constructor(private readonly host: Host) {}

  listen(on: (target: EventTarget, type: string, run: (event: any) => void) => void): void {
    on(this.take, "click", () => this.run("conversation.owner", { user: this.host.user.id }));
    on(this.owner, "change", () => this.run("conversation.owner", { user: Number(this.owner.value) }));
    on(this.state, "change", () => this.run("conversation.state", { state: this.state.value }));
  }

  open(id: string | undefined): void {
    this.id = id;
  }

  render(): void {
    const { host } = this;
    const ticket = this.id === undefined ? undefined : host.ticket(this.id);
    byId("talk-none").hidden = this.id !== undefined;
    byId("talk-bar").hidden = this.id === undefined;
    byId("thread").hidden = this.id === undefined;
    if (!ticket) {
      setText(byId("talk-title"), "");
      return;
    }
    const talk = ticket.conversation;
    setText(byId("talk-title"), [ticket.publicId, whoWords(ticket)].filter(Boolean).join(" \u00b7 "));
    const users = host.state().users.map((u): [string, string] => [String(u.id), fullName(u) || u.email]);
    fillSelect(this.owner, [["0", say("nobody")], ...users]);
    if (document.activeElement !== this.owner) this.owner.value = String(talk?.owner?.user ?? 0);
    fillSelect(this.state, [["", say("talk.none")], ...STATES.map((s): [string, string] => [s, say(`talk.${s}`)])]);
    if (document.activeElement !== this.state) this.state.value = talk?.state || "";
    this.take.hidden = talk?.owner?.user === host.user.id || (listOf(ticket, host.user.id) === "closed");
    setText(this.take, say(talk?.owner ? "takeOver" : "take"));
    setBlocked(host, [this.owner, this.state, this.take]);
  }

  private run(name: string, params: object): void {
    if (this.id === undefined) return;
    void this.host.run(name, { ticket: this.id, ...params }).then(() => this.render());
  }
}
