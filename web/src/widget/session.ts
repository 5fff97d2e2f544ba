// One visitor's conversation: who they are to the hub, the live channel, what
// they wrote and did not yet get through. Knows nothing of the page.
import { Client, HubError, Push, randomKey, Status } from "../client/index";
import { merge, mine, spoken } from "../common/thread";
import { Ticket, Transaction, UploadedFile, VisitAnswer } from "../common/visit";
import { SiteConfig } from "../launcher/api";
import { Doors } from "./doors";
import { identityOf } from "./identity";
import { Beginning, Kept, readKept } from "./kept";
import { Outbox } from "./outbox";
import { foldThread, readable, Thread, unread } from "./thread";
import { Surroundings } from "./surroundings";

/** How long "is typing" holds after the last sign of it. */
export const TYPING_LEASE = 6000;
const TYPING_EVERY = 3000;
const READ_PAUSE = 300;
const HISTORY = 100;

export interface Watcher {
  changed(): void;
  /** A message came from the other side. */
  message(transaction: Transaction): void;
  called(ticket: Ticket): void;
}

/** The environment: time, chance and sockets, so that tests bring their own. */
export type SessionClient = Pick<Client, "start" | "stop" | "wake" | "subscribe" | "command" | "signal" | "status">;

export class Session {
  config: SiteConfig;
  thread: Thread | undefined;
  link: Status = { state: "connecting" };
  typing = false;
  starting = false;
  startError: HubError | undefined;
  survey = { open: false, answered: false };
  lines: SiteConfig["lines"];
  limits: NonNullable<SiteConfig["limits"]>;
  older = false;
  readonly outbox: Outbox;
  private kept: Kept | undefined;
  private client: SessionClient | undefined;
  private cancelTyping: (() => void) | undefined;
  private cancelRead: (() => void) | undefined;
  private typedAt = -Infinity;
  private reading = false;
  private answering = 0;

  constructor(
    private readonly host: Surroundings,
    private readonly doors: Doors,
    private readonly connect: (token: string) => SessionClient,
    private readonly after: (ms: number, run: () => void) => () => void,
    private readonly now: () => number,
    private readonly watcher: Watcher,
  ) {
    this.config = host.config;
    this.lines = host.config.lines;
    this.limits = host.config.limits || {};
    this.outbox = new Outbox(host.store, (message) => this.deliver(message), after, () => watcher.changed());
  }

  get active(): boolean {
    return !!this.kept;
  }

  /** Whose conversation it is, when the site said so. */
  get identity(): string | undefined {
    return this.kept ? this.kept.identity : undefined;
  }

  get token(): string {
    return this.kept ? this.kept.token : "";
  }

  /** Takes up what was kept, or what the visitor's identity leads to. */
  wake(): void {
    const identity = this.host.options.identity;
    const who = identityOf(identity);
    const kept = readKept(this.host.store.get("session"));
    if (kept && kept.identity === who) {
      this.take(kept);
      return;
    }
    if (kept) this.forget(); // somebody else's, or from before signing in or out
    if (identity) {
      this.doors.resume(identity).then((found) => this.adopt(found), (error: HubError) => {
        if (error.code !== "not_found") this.startError = error;
        this.watcher.changed();
      });
    }
    const start = this.host.store.get("start");
    if (start) this.post(JSON.parse(start) as { key: string; body: object });
  }

  /** Another tab began, ended or erased the conversation. */
  noticed(name: string): void {
    this.outbox.noticed(name);
    if (name !== "session") return;
    const kept = readKept(this.host.store.get("session"));
    if (!kept) this.leave();
    else if (!this.kept || this.kept.token !== kept.token) this.take(kept);
  }

  /** Begins a conversation; the key makes it one, whatever happens on the way. */
  begin(what: Beginning): void {
    const { options } = this.host;
    const body: Record<string, unknown> = { ...what, languageCode: this.host.language };
    if (options.phone) body["phoneNumber"] = options.phone;
    if (options.fields) body["fields"] = options.fields;
    if (options.identity) body["identity"] = options.identity;
    if (options.uniqueIdentifier) body["uniqueIdentifier"] = options.uniqueIdentifier;
    const page = { url: location.href.split("#")[0], title: document.title, referrer: document.referrer };
    body["page"] = page;
    const start = { key: randomKey(), body };
    this.host.store.set("start", JSON.stringify(start));
    this.post(start);
  }

  private post(start: { key: string; body: object }): void {
    this.starting = true;
    this.startError = undefined;
    this.watcher.changed();
    this.doors.begin(start.key, start.body).then(
      (made) => {
        this.starting = false;
        this.host.store.set("start");
        this.adopt(made);
        if (!made.resumed) this.host.emit("newTicket", Number(made.ticket));
      },
      (error: HubError) => {
        if (error.code === "unavailable" || error.code === "internal" || error.code === "rate_limited") {
          this.startError = error;
          this.after(Math.max(2, error.retryAfter || 0) * 1000, () => this.post(start));
        } else {
          this.starting = false;
          this.startError = error;
          this.host.store.set("start");
        }
        this.watcher.changed();
      },
    );
  }

  private adopt(made: { token: string; ticket: string }): void {
    const kept: Kept = { token: made.token, ticket: made.ticket, identity: identityOf(this.host.options.identity) };
    this.host.store.set("session", JSON.stringify(kept));
    this.take(kept);
  }

  private take(kept: Kept): void {
    if (this.client) this.client.stop();
    this.kept = kept;
    this.starting = false;
    this.thread = undefined;
    const client = this.connect(kept.token);
    this.client = client;
    client.subscribe("ticket:" + kept.ticket, {
      snapshot: (snapshot) => this.onSnapshot(snapshot as VisitAnswer),
      push: (push) => this.onPush(push),
      refused: () => this.visit(),
    });
    client.status.watch((status) => this.onStatus(client, status));
    client.start();
    this.watcher.changed();
    this.visit();
  }

  /** What the channel does not carry: the survey, lines and limits, and where a conversation was moved to. */
  private visit(): void {
    this.doors.visit(this.token).then((visit: Required<VisitAnswer>) => {
      const ticket = visit.ticket.id;
      if (this.kept && this.kept.ticket !== ticket) this.adopt({ token: this.token, ticket });
      this.survey = visit.survey;
      this.lines = visit.lines;
      this.limits = visit.limits;
      this.watcher.changed();
    }, (error: HubError) => {
      if (error.code === "unauthenticated") this.lost();
    });
  }

  private onStatus(client: SessionClient, status: Status): void {
    if (client !== this.client) return;
    const before = this.link.state;
    this.link = status;
    if (status.state === "final") {
      this.lost();
      return;
    }
    if (status.state === "live" && before !== "live") this.outbox.flush();
    if (status.state !== "live") this.stopTyping(); // a sign from before says nothing now
    this.watcher.changed();
  }

  private onSnapshot(snapshot: VisitAnswer): void {
    const before = this.thread;
    const asOf = new Date(this.now()).toISOString();
    this.thread = { ticket: snapshot.ticket, transactions: merge(before ? before.transactions : [], snapshot.transactions), asOf };
    this.older = (!before || this.older) && snapshot.transactions.length >= HISTORY;
    this.settle(before);
  }

  private onPush(push: Push): void {
    if (push.push === "signal") {
      if (push.data["name"] === "typing" && push.data["audience"] === "staff") this.sawTyping();
      return;
    }
    if (!this.thread) return;
    const before = this.thread;
    this.thread = foldThread(before, push);
    this.settle(before);
  }

  /** Everything that follows from a thread that changed. */
  private settle(before: Thread | undefined): void {
    const thread = this.thread as Thread;
    if (thread.ticket.erased) {
      this.lost();
      return;
    }
    const known = before ? before.transactions.length && before.transactions[before.transactions.length - 1]!.seq : undefined;
    for (const transaction of thread.transactions) {
      if (transaction.clientId) this.outbox.done(transaction.clientId);
      if (known === undefined || transaction.seq <= known || !spoken(transaction) || mine(transaction)) continue;
      this.stopTyping();
      this.host.emit("newMessage");
      this.watcher.message(transaction);
    }
    const { ticket } = thread;
    const old = before && before.ticket;
    if (ticket.status === "CALLED" && (!old || old.status !== "CALLED" || (old.recalls || 0) < (ticket.recalls || 0))) this.watcher.called(ticket);
    const closed = (t: Ticket | undefined) => t && (t.status === "SERVED" || (t.conversation || { state: "" }).state === "Closed");
    // Answered on another page of the same ticket, it is not asked here any more.
    const rated = (t: Thread | undefined) => !!t && t.transactions.some((one) => one.type === "SurveyAnswered");
    if (old && (closed(ticket) !== closed(old) || rated(thread) !== rated(before))) {
      this.stopTyping();
      this.visit();
    }
    this.host.unread(this.reading ? 0 : unread(thread));
    this.markRead();
    this.watcher.changed();
  }

  /** The visitor sees the thread, or no longer does. */
  setReading(reading: boolean): void {
    if (reading === this.reading) return;
    this.reading = reading;
    if (this.thread) this.host.unread(reading ? 0 : unread(this.thread));
    this.markRead();
  }

  private markRead(): void {
    const upTo = this.thread && this.reading ? readable(this.thread) : 0;
    if (!upTo || this.cancelRead) return;
    // A little later, so that a burst is one word.
    this.cancelRead = this.after(READ_PAUSE, () => {
      this.cancelRead = undefined;
      const now = this.thread && this.reading ? readable(this.thread) : 0;
      if (now && this.client && this.kept) this.client.command("message.read", { ticket: this.kept.ticket, upTo: now }).catch(ignore);
    });
  }

  send(text: string, files: readonly UploadedFile[]): void {
    this.typedAt = -Infinity;
    this.outbox.add({ id: randomKey(), text, files: files.map((f) => ({ file: f.file, name: f.name })), at: this.now() });
  }

  retry(id: string): void {
    this.outbox.retry(id, randomKey());
  }

  private deliver(message: { id: string; text: string; files: Array<{ file: string }> }): Promise<unknown> {
    if (!this.client || !this.kept) return Promise.reject(new HubError({ code: "unavailable", message: "no conversation" }));
    const params: Record<string, unknown> = { ticket: this.kept.ticket, text: message.text, clientId: message.id };
    if (message.files.length) params["files"] = message.files.map((f) => f.file);
    return this.client.command("message.send", params, undefined, message.id);
  }

  /** A keystroke: says so, but not with every key. */
  typed(): void {
    if (!this.client || !this.kept || this.now() - this.typedAt < TYPING_EVERY) return;
    this.typedAt = this.now();
    this.client.signal("ticket:" + this.kept.ticket, "typing");
  }

  private sawTyping(): void {
    if (this.cancelTyping) this.cancelTyping();
    this.typing = true;
    this.cancelTyping = this.after(TYPING_LEASE, () => this.stopTyping());
    this.watcher.changed();
  }

  private stopTyping(): void {
    if (this.cancelTyping) this.cancelTyping();
    this.cancelTyping = undefined;
    if (this.typing) {
      this.typing = false;
      this.watcher.changed();
    }
  }

  /** One of the visitor's own commands on the ticket. */
  command(name: string, params: object = {}): Promise<unknown> {
    if (!this.client || !this.kept) return Promise.reject(new HubError({ code: "unavailable", message: "no conversation" }));
    this.answering++;
    this.watcher.changed();
    const done = () => {
      this.answering--;
      this.watcher.changed();
    };
    const reply = this.client.command(name, { ticket: this.kept.ticket, ...params });
    reply.then(done, done);
    return reply;
  }

  get busy(): boolean {
    return this.answering > 0;
  }

  rate(rating: number, text: string): Promise<void> {
    return this.doors.survey(this.token, rating, text).then(() => {
      this.survey = { open: true, answered: true };
      this.watcher.changed();
    });
  }

  /** Loads what is further back. */
  async loadOlder(): Promise<void> {
    const thread = this.thread;
    const first = thread && thread.transactions[0];
    if (!thread || !first) return;
    const { transactions } = (await this.doors.older(this.token, first.seq)) as { transactions: Transaction[] };
    if (!this.thread) return;
    this.older = transactions.length >= HISTORY;
    this.thread = { ...this.thread, transactions: merge(transactions, this.thread.transactions) };
    this.watcher.changed();
  }

  /**
   * The hub knows this conversation no more: erased, or its time is over. Who
   * wrote it is not offered for the next one either.
   */
  private lost(): void {
    this.host.store.set("name");
    this.host.store.set("email");
    this.forget();
  }

  /** Drops the conversation from this browser. */
  forget(): void {
    this.host.store.set("draft");
    this.host.store.set("draft.files");
    this.outbox.clear();
    // Last: other tabs look at what is kept as soon as this one goes.
    this.host.store.set("session");
    this.leave();
  }

  private leave(): void {
    this.stopTyping();
    if (this.client) this.client.stop();
    this.client = undefined;
    this.kept = undefined;
    this.thread = undefined;
    this.survey = { open: false, answered: false };
    this.link = { state: "connecting" };
    this.host.unread(0);
    this.watcher.changed();
  }

  returned(): void {
    if (this.client) this.client.wake();
  }

  stop(): void {
    this.outbox.stop();
    if (this.cancelTyping) this.cancelTyping();
    if (this.cancelRead) this.cancelRead();
    if (this.client) this.client.stop();
    this.client = undefined;
  }
}

function ignore(): void {
  // The next change of the thread says it again.
}
