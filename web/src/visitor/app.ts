// One visit on a page: its channel, what its visitor does, and what is shown.
import { browserEnv, Client, HubError, onWake, Push } from "../client/index";
import { ZoneClock } from "../board/time";
import { byId, setText } from "../common/dom";
import { VisitAnswer } from "../common/visit";
import { Words } from "../common/words";
import { Line } from "../launcher/api";
import { Awake } from "./awake";
import { Composer } from "./composer";
import { Door } from "./door";
import { Files } from "./files";
import { Memory } from "./memory";
import { Outgoing, OutgoingQueue } from "./outgoing";
import { Ring } from "./ring";
import { Survey } from "./survey";
import { isAnswering, rowsOf, Thread } from "./thread";
import { deskWords, renderSlip } from "./ticket-view";
import { Title } from "./title";
import { callMark, choiceOf, foldVisit, readUpTo, readVisit, stageOf, unread, Visit, withOlder } from "./visit";
import { renderHelpers, renderLeaving, renderOffer, renderTabs } from "./around";
import { wordsFor } from "./language";

/** Twice this may pass in silence before the page says that it is not current. */
const PING = 7000;
/** The hub's typing lease. */
const TYPING_LEASE = 6000;
const SECOND = 1000;

export class App {
  private readonly env = browserEnv();
  private client: Client;
  private readonly door: Door;
  private memory: Memory;
  private readonly outgoing: OutgoingQueue;
  private readonly files: Files;
  private readonly thread: Thread;
  private readonly composer: Composer;
  private readonly survey: Survey;
  private readonly title = new Title();
  private readonly ring = new Ring(() => this.render());
  private readonly awake = new Awake(() => this.render());
  private visit: Visit;
  private words: Words;
  private clock: ZoneClock;
  private lines: Line[] = [];
  private mark: string;
  private busy = false;
  private note = "";
  private cancelTyping: (() => void) | undefined;
  private reading = 0;
  private mayBeOlder = true;
  private over = "";
  private readonly stopWake: () => void;
  private ended = false;

  constructor(private readonly token: string, first: VisitAnswer, private readonly gone: () => void) {
    this.visit = readVisit(first);
    this.words = wordsFor(this.visit.ticket);
    this.clock = new ZoneClock(this.visit.ticket.location.timezone);
    this.memory = new Memory(this.visit.ticket.id);
    this.door = new Door(token);
    this.client = this.connection();
    this.files = new Files(this.door, () => this.render());
    this.outgoing = new OutgoingQueue({
      key: () => this.env.key(), after: (ms, run) => this.env.after(ms, run),
      send: (message) => this.send(message),
      save: (messages) => { this.memory.outgoing = messages; },
      changed: () => this.render(),
    }, this.memory.outgoing);
    this.thread = new Thread({
      files: this.files, retry: (key) => this.outgoing.retry(key), drop: (key) => this.outgoing.drop(key),
      choose: (text) => this.write(text, []),
    });
    this.composer = new Composer({
      door: this.door, send: (text, files) => this.write(text, files), typing: () => this.client.signal(this.channel, "typing"),
      draft: (text) => { this.memory.draft = text; }, now: () => this.env.now(),
    });
    this.survey = new Survey(this.door);
    this.mark = "";
    this.stopWake = onWake(() => this.client.wake());
    this.take(first);
    this.mayBeOlder = !!first.more;
    this.wire();
  }

  start(): void {
    this.composer.setDraft(this.memory.draft);
    this.listen();
    this.tick();
    this.announceCall(undefined);
    this.render();
    this.thread.toEnd();
  }

  private connection(): Client {
    return new Client(this.env, { name: "visit/1.0", token: () => this.token, pingAtMost: PING });
  }

  private get channel(): string {
    return `ticket:${this.visit.ticket.id}`;
  }

  private listen(): void {
    const client = this.client;
    client.subscribe(this.channel, {
      snapshot: (snapshot) => this.set(readVisit(snapshot, this.visit), undefined),
      push: (push) => this.onPush(push),
      refused: () => this.lookWhere(),
    });
    client.status.watch((status) => {
      if (client !== this.client) return;
      if (status.state === "final") return this.onFinal(status.code);
      this.outgoing.setLive(status.state === "live");
      this.render();
    });
    client.start();
  }

  /** The link does not lead to this ticket any more: perhaps to another, where the conversation goes on. */
  private lookWhere(): void {
    this.door.visit().then((answer) => {
      if (!this.follow(answer)) this.end();
    }, (error: HubError) => {
      if (error.code === "unauthenticated") this.end();
      else this.env.after(((error.retryAfter || 0) + 2) * SECOND, () => this.lookWhere());
    });
  }

  /** Goes along when the conversation was moved to another ticket; what was not sent yet comes too. */
  private follow(answer: VisitAnswer): boolean {
    if (answer.ticket.id === this.visit.ticket.id) return false;
    this.memory = this.memory.moved(answer.ticket.id);
    const before = this.client;
    this.client = this.connection();
    before.stop();
    this.reading = 0;
    this.visit = readVisit(answer);
    this.take(answer);
    this.mayBeOlder = !!answer.more;
    this.listen();
    this.set(this.visit, undefined);
    this.thread.toEnd();
    return true;
  }

  private wire(): void {
    byId("on-my-way").addEventListener("click", () => this.onMyWay());
    byId("need-time").addEventListener("click", () => this.answer({ answer: "needTime", minutes: 5 }));
    byId("leave").addEventListener("click", () => byId<HTMLDialogElement>("confirm").showModal());
    byId("confirm-no").addEventListener("click", () => byId<HTMLDialogElement>("confirm").close());
    byId("confirm-yes").addEventListener("click", () => {
      byId<HTMLDialogElement>("confirm").close();
      this.command("ticket.cancel", {});
    });
    byId("silence").addEventListener("click", () => this.ring.stop());
    byId("sound-button").addEventListener("click", () => this.ring.sample());
    byId("tab-ticket").addEventListener("click", () => this.show("ticket"));
    byId("tab-messages").addEventListener("click", () => this.show("messages"));
    byId("older").addEventListener("click", () => this.loadOlder());
    byId("language").addEventListener("change", (event) => this.speak((event.target as HTMLSelectElement).value));
    for (const gesture of ["pointerdown", "keydown"]) {
      window.addEventListener(gesture, () => this.ring.unlock());
    }
    document.addEventListener("visibilitychange", () => this.render());
    // The browser knows before the silence tells: the link is tried at once.
    window.addEventListener("offline", () => this.client.wake());
  }

  private onPush(push: Push): void {
    if (push.push === "signal") {
      if (push.data["name"] === "typing" && push.data["audience"] !== "visitor") this.typing();
      return;
    }
    if (push.push === "ticket.erased") {
      this.end();
      return;
    }
    const entry = push.data["transaction"] as { fromType?: string } | undefined;
    if (entry && entry.fromType !== "Client") this.stopTyping();
    this.set(foldVisit(this.visit, push), push);
  }

  private set(visit: Visit, push: Push | undefined): void {
    if (visit.ticket.erased) {
      this.end();
      return;
    }
    this.visit = visit;
    this.outgoing.arrived(new Set(visit.entries.map((entry) => entry.clientId || "")));
    this.announceCall(push);
    this.lookWhetherOver();
    this.render();
  }

  /** Rings once for each call and recall, however often it is heard of. */
  private announceCall(push: Push | undefined): void {
    const mark = callMark(this.visit.ticket);
    if (mark === this.mark) return;
    this.mark = mark;
    if (!mark) {
      this.ring.stop();
      setText(byId("announce"), "");
      return;
    }
    if (!push || push.push === "ticket.called" || push.push === "ticket.recalled") {
      this.show("ticket");
    }
    this.ring.start();
    const { ticket } = this.visit;
    const desk = ticket.desk ? deskWords(this.words, ticket.desk.name) : this.words.say("noDesk");
    setText(byId("announce"), `${this.words.say("called")} ${ticket.publicId || ""}, ${desk}`);
  }

  private onMyWay(): void {
    this.ring.stop();
    const waiting = stageOf(this.visit.ticket) === "waiting";
    this.answer({ answer: waiting ? "cancelAnswer" : "onMyWay" });
  }

  private answer(params: object): void {
    this.ring.stop();
    this.command("ticket.answer", params);
  }

  private command(name: string, params: object): void {
    this.busy = true;
    this.note = "";
    this.render();
    const done = (note: string) => {
      this.busy = false;
      this.note = note;
      this.render();
    };
    this.client.command(name, Object.assign({ ticket: this.visit.ticket.id }, params)).then(
      () => done(""),
      (error: HubError) => done(this.words.say(error.code === "conflict" ? "tooLate" : "notDone")),
    );
  }

  private write(text: string, files: Outgoing["files"]): void {
    this.outgoing.add(text, files);
    this.thread.toEnd();
  }

  private send(message: Outgoing): Promise<unknown> {
    const params: { [name: string]: unknown } = { ticket: this.visit.ticket.id, text: message.text, clientId: message.key };
    if (message.files.length) params["files"] = message.files.map((file) => file.id);
    return this.client.command("message.send", params, undefined, message.key);
  }

  private typing(): void {
    this.stopTyping();
    setText(byId("typing"), this.words.say("typing"));
    this.cancelTyping = this.env.after(TYPING_LEASE, () => this.stopTyping());
  }

  private stopTyping(): void {
    if (this.cancelTyping) this.cancelTyping();
    this.cancelTyping = undefined;
    setText(byId("typing"), "");
  }

  private show(view: "ticket" | "messages"): void {
    document.body.dataset["view"] = view;
    if (view === "messages") this.thread.toEnd();
    this.render();
  }

  /** Read is what is on the screen of somebody who looks. */
  private markRead(): void {
    const seen = !document.hidden && byId("messages").offsetParent !== null && this.client.status.value.state === "live";
    const upTo = seen ? readUpTo(this.visit) : undefined;
    if (upTo === undefined || upTo <= this.reading) return;
    this.reading = upTo;
    this.client.command("message.read", { ticket: this.visit.ticket.id, upTo }).catch(() => {
      this.reading = 0; // said again with the next change
    });
  }

  private loadOlder(): void {
    const first = this.visit.entries[0];
    const older = byId<HTMLButtonElement>("older");
    if (!first || older.disabled) return;
    older.disabled = true;
    this.door.older(first.seq).then((answer) => {
      older.disabled = false;
      this.mayBeOlder = !!answer.more;
      this.thread.keepPlace(() => {
        this.visit = withOlder(this.visit, answer.transactions);
        this.render();
      });
    }, () => {
      older.disabled = false;
    });
  }

  /** When it is over there is a question; whether it was answered the hub knows. */
  private lookWhetherOver(): void {
    const now = this.overKey();
    if (now === this.over) return;
    this.over = now;
    this.door.visit().then((answer) => {
      if (this.follow(answer)) return;
      this.take(answer);
      this.render();
    }, () => {
      this.over = ""; // asked again with the next change
    });
  }

  /** Changes when there is something to ask, or when it was answered on another page. */
  private overKey(): string {
    const { ticket, entries } = this.visit;
    const state = ticket.conversation ? ticket.conversation.state : "";
    return `${ticket.status}/${state === "Closed" ? state : ""}/${entries.some((entry) => entry.type === "SurveyAnswered")}`;
  }

  private take(answer: VisitAnswer): void {
    this.over = this.overKey();
    this.lines = answer.lines || [];
    if (answer.limits) this.composer.setLimits(answer.limits);
    if (answer.survey) this.survey.set(answer.survey.open, answer.survey.answered);
  }

  private speak(language: string): void {
    this.words = wordsFor(this.visit.ticket, language);
    this.render();
  }

  private tick(): void {
    if (this.ended) return;
    this.render();
    this.env.after(SECOND, () => this.tick());
  }

  private onFinal(code: number | undefined): void {
    if (code === 4202 || code === 4203) {
      // Our own frames were wrong: a newer page may not have that defect.
      this.env.after(10 * SECOND, () => window.location.reload());
      return;
    }
    this.end();
  }

  /** The link does not work any more: nothing of the visit stays. */
  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.stopWake();
    this.client.stop();
    this.ring.stop();
    this.awake.want(false);
    this.files.forget();
    this.memory.forget();
    this.gone();
  }

  private render(): void {
    if (this.ended) return;
    const { words, clock } = this;
    const { ticket } = this.visit;
    const stage = stageOf(ticket);
    const status = this.client.status.value;
    document.body.dataset["page"] = "ticket";
    document.documentElement.lang = words.language;
    document.documentElement.dir = words.direction;
    renderSlip({
      ticket, status, words, clock, asOf: this.client.currentAt(), now: this.client.serverTime(),
      ringing: this.ring.ringing, busy: this.busy, note: this.note,
    });
    this.thread.render(rowsOf(this.visit, this.outgoing.list, words, clock, this.client.serverTime()));
    const choice = choiceOf(this.visit, isAnswering(this.outgoing.list));
    this.composer.render(words, !!choice && choice.locked);
    this.survey.render(words);
    this.renderMessages();
    renderHelpers(words, stage === "waiting" || stage === "called", this.ring.state, this.awake.state);
    renderLeaving(words, ticket.publicId || "");
    renderOffer(words, stage === "chat" ? this.lines : [], this.busy, (line) => this.command("ticket.enqueue", { line }));
    renderTabs(words, ticket.publicId, unread(this.visit));
    this.awake.want(stage === "waiting" || stage === "called");
    const to = ticket.desk ? deskWords(words, ticket.desk.name) : words.say("noDesk");
    const number = ticket.publicId || ticket.location.name;
    if (stage === "called") this.title.set(`${number} \u2192 ${to}`, words.say("titleCall"));
    else if (stage === "waiting" && ticket.position) this.title.set(`${number} \u00b7 ${words.say("place")} ${ticket.position}`);
    else this.title.set(number);
    this.markRead();
  }

  private renderMessages(): void {
    const { words } = this;
    const { conversation } = this.visit.ticket;
    setText(byId("messages-title"), words.say("messages"));
    setText(byId("agent"), conversation && conversation.agent ? words.say("with", { name: conversation.agent }) : "");
    setText(byId("empty"), words.say("noMessages"));
    byId("empty").hidden = byId("thread").childElementCount > 0;
    setText(byId("older"), words.say("older"));
    byId("older").hidden = !this.mayBeOlder || this.visit.entries.length === 0;
  }
}
