// The conversation: bubbles with how far each has come, files, and what is offered.
import { byId, Item, KeyedList, make, setText, button } from "../common/dom";
import { Words } from "../common/words";
import { ZoneClock } from "../board/time";
import { mine, spoken } from "../common/thread";
import { Transaction } from "../common/visit";
import { fillOffer, leadAway, Offer } from "./cards";
import { choiceOf, deliveryOf, Visit } from "./visit";
import { linkify } from "./linkify";
import { Outgoing } from "./outgoing";
import { Files, ShownFile } from "./files";

export interface ThreadDeps {
  files: Files;
  retry(key: string): void;
  drop(key: string): void;
  choose(text: string): void;
}

/** What one line of the thread shows: an entry, or a message on its way. */
interface Row {
  key: string;
  own: boolean;
  notice: boolean;
  name: string;
  text: string;
  time: string;
  state: string;
  failed: boolean;
  outgoing: string;
  attachments: ShownFile[];
  offer: Offer | undefined;
  words: Words;
}

/** The rows of a thread, in order. */
export function rowsOf(visit: Visit, outgoing: readonly Outgoing[], words: Words, clock: ZoneClock, now: number | undefined): Row[] {
  const rows: Row[] = [];
  const choice = choiceOf(visit, isAnswering(outgoing));
  for (const entry of visit.entries) {
    const notice = !spoken(entry);
    if (notice && entry.type !== "TicketClosed" && !entry.text) continue;
    rows.push(entryRow(visit, entry, notice, words, clock, now, !!choice && choice.seq === entry.seq));
  }
  for (const message of outgoing) {
    rows.push({
      key: `c:${message.key}`, own: true, notice: false, name: "", text: message.text, time: "",
      state: message.state === "failed" ? refusalWords(words, message.code) : words.say(`send.${message.state}`),
      failed: message.state === "failed", outgoing: message.key, offer: undefined, words,
      attachments: message.files.map((file) => ({ fileIdentifier: file.id, originalFileName: file.name, type: "", state: "pending" })),
    });
  }
  return rows;
}

function entryRow(visit: Visit, entry: Transaction, notice: boolean, words: Words, clock: ZoneClock, now: number | undefined, active: boolean): Row {
  const own = mine(entry);
  const state = own && !notice ? deliveryOf(entry, visit.ticket) : undefined;
  return {
    // An own message keeps its element when it goes from on its way to there.
    key: own && entry.clientId ? `c:${entry.clientId}` : `s:${visit.ticket.id}/${entry.seq}`,
    own, notice, name: own ? "" : entry.fromName || "",
    text: entry.text || (entry.type === "TicketClosed" ? words.say("closed") : ""),
    time: timeWords(clock, Date.parse(entry.dateTime), now),
    state: state ? words.say(`delivery.${state}`) : "", failed: state === "failed",
    outgoing: "", attachments: entry.attachments || [], words,
    offer: entry.payload && !notice ? { payload: entry.payload, active } : undefined,
  };
}

function refusalWords(words: Words, code: string | undefined): string {
  return code === "too_large" ? words.say("tooLong") : words.say("send.failed");
}

function timeWords(clock: ZoneClock, at: number, now: number | undefined): string {
  if (isNaN(at)) return "";
  const full = clock.since(at, now === undefined ? at : now);
  // "21 Nov, 10:42:05" on another day, else "10:42".
  return full.replace(/:\d\d$/, "");
}

/** Keeps the list in the page equal to the rows. */
export class Thread {
  private readonly list: KeyedList<Row>;
  private readonly scroll = byId("scroll");

  constructor(private readonly deps: ThreadDeps) {
    this.list = new KeyedList<Row>(byId("thread"), (row) => row.key, (row) => this.bubble(row), this.scroll);
  }

  render(rows: Row[]): void {
    const atEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
    const before = byId("thread").childElementCount;
    this.list.update(rows);
    // Who reads further up is not dragged away.
    if (atEnd && rows.length !== before) this.toEnd();
  }

  toEnd(): void {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  /** Keeps what is read in place while older entries come in above it. */
  keepPlace(change: () => void): void {
    const fromEnd = this.scroll.scrollHeight - this.scroll.scrollTop;
    change();
    this.scroll.scrollTop = this.scroll.scrollHeight - fromEnd;
  }

  /** The button goes with the choice; who pressed it stays in the conversation. */
  private choose(text: string): void {
    this.scroll.focus();
    this.deps.choose(text);
  }

  private bubble(first: Row): Item<Row> {
    const element = make("li", first.notice ? "entry notice" : first.own ? "entry own" : "entry theirs");
    const name = make("p", "entry-name", element);
    name.dir = "auto";
    const box = make("div", "bubble", element);
    const text = make("p", "entry-text", box);
    text.dir = "auto";
    const files = make("ul", "entry-files", box);
    const offer = make("div", "entry-offer", element);
    const foot = make("p", "entry-foot", element);
    const time = make("span", "entry-time", foot);
    const state = make("span", "entry-state", foot);
    const buttons = make("span", "entry-buttons", foot);
    const retry = button(buttons, "", () => this.deps.retry(element.dataset["outgoing"] || ""), "small");
    const drop = button(buttons, "", () => this.deps.drop(element.dataset["outgoing"] || ""), "small");
    const update = (row: Row): void => {
      element.dataset["outgoing"] = row.outgoing;
      element.classList.toggle("failed", row.failed);
      setText(name, row.name);
      name.hidden = !row.name;
      fillText(text, row.text);
      text.hidden = !row.text;
      this.deps.files.render(files, row.attachments, row.words);
      box.hidden = !row.text && row.attachments.length === 0;
      fillOffer(offer, row.offer, row.words, (chosen) => this.choose(chosen));
      offer.hidden = !offer.firstElementChild;
      setText(time, row.time);
      setText(state, row.state);
      buttons.hidden = !(row.failed && row.outgoing);
      setText(retry, row.words.say("retry"));
      setText(drop, row.words.say("discard"));
    };
    return { element, update };
  }
}

/** Whether the visitor has said something that is not there yet. */
export function isAnswering(outgoing: readonly Outgoing[]): boolean {
  return outgoing.some((message) => message.state !== "failed");
}

/** Puts in text and links, once; a text does not change often. */
function fillText(element: HTMLElement, text: string): void {
  if (element.dataset["text"] === text) return;
  element.dataset["text"] = text;
  element.replaceChildren();
  for (const piece of linkify(text)) {
    if (!piece.href) {
      element.appendChild(document.createTextNode(piece.text));
      continue;
    }
    const link = make("a", "", element, piece.text);
    leadAway(link, piece.href);
  }
}
