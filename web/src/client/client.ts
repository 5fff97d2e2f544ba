// The client of all pages: stays connected, keeps its subscriptions' places,
// and always knows how current it is.
import { backoff } from "./backoff";
import { CLOSE_BAD_TOKEN, closeRule } from "./close";
import { Comeback } from "./comeback";
import { Env } from "./env";
import { Link } from "./link";
import { Observable } from "./observable";
import { Outbox } from "./outbox";
import { sameStatus, stateAt, Status } from "./status";
import { ChannelHandler, Subscription } from "./subscription";
import { CommandReply, ConnectReply, HubError, LINK_LOST, Push, SubscribeReply, TIMED_OUT } from "./wire";

export interface ClientOptions {
  /** Says who this program is, for operators: "lobby-tv/1.0". */
  name: string;
  /** Asked before each connect; undefined where a cookie proves who we are. */
  token?: () => string | undefined;
  /** Silence in ms until the status is stale, and offline. */
  staleAfter?: number;
  offlineAfter?: number;
  /** The longest time between two pings, in ms. */
  pingAtMost?: number;
}

/** Less than the 15 s that are promised, by what looking and painting take. */
export const STALE_AFTER = 14000;
export const OFFLINE_AFTER = 60000;
const LOOK_EVERY = 500;

/** See the package's other files for the parts: Link, Subscription, Outbox. */
export class Client {
  readonly status: Observable<Status>;
  private readonly env: Env;
  private readonly options: ClientOptions;
  private readonly outbox: Outbox;
  private readonly subscriptions = new Map<string, Subscription>();

  // The link, and what leads to the next one.
  private link: Link | undefined;
  private connected = false;
  private connectedAt = 0;
  private cancelReturn: (() => void) | undefined;
  private cancelLook: (() => void) | undefined;
  private readonly comeback = new Comeback();
  private running = false;
  private final: number | undefined;

  // How current we are, and the hub's clock.
  private started = 0;
  private current: number | undefined;
  private heardAt = 0;
  private readonly staleAfter: number;
  private clockOffset: number | undefined;

  constructor(env: Env, options: ClientOptions) {
    this.env = env;
    this.options = options;
    this.outbox = new Outbox(env);
    this.staleAfter = options.staleAfter || STALE_AFTER;
    this.status = new Observable<Status>({ state: "connecting" }, sameStatus);
  }

  /** Connects, and stays connected until stop or a final close code. */
  start(): void {
    if (this.running) {
      return;
    }
    this.running = true;
    this.final = undefined;
    this.comeback.succeeded();
    this.started = this.env.now();
    this.look();
    this.open();
  }

  /** Ends the link and every timer. Positions are kept for the next start. */
  stop(): void {
    this.running = false;
    this.rest();
    if (this.link) {
      this.link.close();
    }
    this.outbox.fail("stopped");
  }

  /** To be called when the page comes back to the foreground or online. */
  wake(): void {
    if (!this.running) {
      return;
    }
    this.refresh();
    if (this.connected && this.link) {
      this.link.probe();
    } else if (this.cancelReturn) {
      this.open();
    }
  }

  /** Joins a channel, now and after every reconnect; returns how to leave it. */
  subscribe(channel: string, handler: ChannelHandler): () => void {
    const subscription = new Subscription(channel, handler);
    this.subscriptions.set(channel, subscription);
    this.ask(subscription);
    return () => {
      if (this.subscriptions.get(channel) === subscription) {
        this.subscriptions.delete(channel);
        this.tell("unsubscribe", { channel });
      }
    };
  }

  /** Asks for a change; sent again with the same key if the link breaks, or by who kept the key. */
  command(name: string, params: unknown, location?: number, key = this.env.key()): Promise<CommandReply> {
    const frame = location === undefined ? { name, key, params } : { name, key, params, location };
    return this.outbox.add(frame, this.connected ? this.link : undefined);
  }

  /** Says what this screen did with a push. Lost with the link: it is old news then. */
  receipt(channel: string, offset: number, painted: boolean, spoken: boolean): void {
    this.tell("receipt", { channel, offset, painted, spoken });
  }

  signal(channel: string, name: string): void {
    this.tell("signal", { channel, name });
  }

  /** The hub's clock now, in ms; undefined until the first connect. */
  serverTime(): number | undefined {
    return this.clockOffset === undefined ? undefined : this.env.now() + this.clockOffset;
  }

  /** The hub's time, in ms, at which everything here was last current. */
  currentAt(): number | undefined {
    return this.current === undefined || this.clockOffset === undefined ? undefined : Math.round(this.current + this.clockOffset);
  }

  private tell(verb: string, body: unknown): void {
    if (this.connected && this.link) {
      this.link.request(verb, body, (error) => {
        if (error && error.code !== LINK_LOST && error.code !== TIMED_OUT) {
          this.env.report(verb + " was refused", error);
        }
      });
    }
  }

  private open(): void {
    if (this.cancelReturn) {
      this.cancelReturn();
      this.cancelReturn = undefined;
    }
    this.link = new Link(this.env, {
      connected: (reply) => this.onConnected(reply),
      heard: () => this.onHeard(),
      push: (push) => this.onPush(push),
      closed: (code, refusal) => this.onClosed(code, refusal),
    }, {
      token: this.options.token ? this.options.token() : undefined,
      name: this.options.name,
      pingAtMost: this.options.pingAtMost || Infinity,
    });
  }

  private onConnected(reply: ConnectReply): void {
    this.connected = true;
    this.connectedAt = this.env.now();
    this.comeback.succeeded();
    const time = Date.parse(reply.time);
    if (!isNaN(time)) {
      this.clockOffset = time - this.env.now();
    }
    this.heardAt = this.connectedAt;
    this.askAll();
    if (this.link) {
      this.outbox.flush(this.link);
    }
  }

  private onHeard(): void {
    const now = this.env.now();
    const silence = now - this.heardAt;
    this.heardAt = now;
    if (this.synced()) {
      if (silence >= this.staleAfter) {
        // The link lives after all, but whether it lost something in between
        // only the hub can tell.
        this.askAll();
        return;
      }
      this.current = now;
    }
    this.refresh();
  }

  private onPush(push: Push): void {
    const subscription = this.subscriptions.get(push.channel);
    if (!subscription) {
      return;
    }
    const verdict = subscription.judge(push);
    if (verdict === "gap") {
      this.askAgain(subscription);
      return;
    }
    if (verdict === "drop") {
      return;
    }
    try {
      subscription.handler.push(push);
    } catch (cause) {
      // What the page holds can no longer be trusted: begin with a snapshot.
      this.env.report("a push could not be applied", cause);
      subscription.position = undefined;
      this.askAgain(subscription);
      return;
    }
    subscription.advance(push);
  }

  private askAll(): void {
    this.subscriptions.forEach((subscription) => {
      subscription.retries = 0;
      this.ask(subscription);
    });
  }

  /** Subscribes, with the place where we are if we have one. */
  private ask(subscription: Subscription): void {
    if (!this.connected || !this.link) {
      return;
    }
    subscription.pending = true;
    subscription.synced = false;
    const asked = ++subscription.asked;
    const body = subscription.position
      ? { channel: subscription.channel, since: subscription.position }
      : { channel: subscription.channel };
    this.link.request("subscribe", body, (error, reply) => {
      if (asked !== subscription.asked || this.subscriptions.get(subscription.channel) !== subscription) {
        return;
      }
      if (error) {
        this.onRefused(subscription, error);
      } else {
        this.onSubscribed(subscription, reply);
      }
    });
  }

  /** Asks at once the first time; a loop that gets nowhere slows down. */
  private askAgain(subscription: Subscription): void {
    subscription.retries++;
    if (subscription.retries === 1) {
      this.ask(subscription);
      return;
    }
    // Resuming did not close the gap, so the place itself is in doubt.
    subscription.position = undefined;
    this.askLater(subscription, 0);
  }

  private askLater(subscription: Subscription, atLeast: number): void {
    subscription.pending = true;
    subscription.synced = false;
    const asked = ++subscription.asked;
    this.env.after(atLeast + backoff(subscription.retries, this.env.random), () => {
      if (asked === subscription.asked && this.subscriptions.get(subscription.channel) === subscription) {
        this.ask(subscription);
      }
    });
  }

  private onSubscribed(subscription: Subscription, reply: SubscribeReply): void {
    if (!subscription.answered(reply)) {
      this.askAgain(subscription);
      return;
    }
    if (reply.recovered || !subscription.position) {
      return;
    }
    try {
      subscription.handler.snapshot(reply.snapshot, subscription.position);
    } catch (cause) {
      this.env.report("a snapshot could not be applied", cause);
      subscription.position = undefined;
      subscription.retries++;
      this.askLater(subscription, 0);
    }
  }

  private onRefused(subscription: Subscription, error: HubError): void {
    switch (error.code) {
      case LINK_LOST:
        return;
      case TIMED_OUT:
        // The hub answers in milliseconds; a link on which it does not is broken.
        if (this.link) {
          this.link.close();
        }
        return;
      case "unavailable":
      case "rate_limited":
      case "internal":
        subscription.retries++;
        this.askLater(subscription, (error.retryAfter || 0) * 1000);
        return;
      default:
        // Asking again would not help, and an optional channel must not keep
        // the page from being live: it is left, and the page is told.
        this.subscriptions.delete(subscription.channel);
        if (subscription.handler.refused) {
          subscription.handler.refused(error);
        }
    }
  }

  private onClosed(code: number, refusal: HubError | undefined): void {
    this.link = undefined;
    const lasted = this.connected ? this.env.now() - this.connectedAt : 0;
    this.connected = false;
    // The hub may say why before it closes, and the close may get lost.
    if (refusal && (refusal.code === "unauthenticated" || refusal.code === "forbidden")) {
      code = CLOSE_BAD_TOKEN;
    }
    const rule = closeRule(code);
    this.subscriptions.forEach((subscription) => {
      subscription.asked++;
      subscription.unlink(rule.keep);
    });
    if (!this.running) {
      return;
    }
    if (rule.back === "never" || rule.back === "sign-in") {
      this.finish(code);
      return;
    }
    const atLeast = ((refusal && refusal.retryAfter) || 0) * 1000;
    this.cancelReturn = this.env.after(this.comeback.wait(rule.back, lasted, atLeast, this.env.random), () => {
      this.cancelReturn = undefined;
      this.open();
    });
    this.refresh();
  }

  private finish(code: number): void {
    this.running = false;
    this.rest();
    this.final = code;
    this.outbox.fail("the hub ended this session");
    this.refresh();
  }

  private rest(): void {
    if (this.cancelReturn) {
      this.cancelReturn();
      this.cancelReturn = undefined;
    }
    if (this.cancelLook) {
      this.cancelLook();
      this.cancelLook = undefined;
    }
  }

  private synced(): boolean {
    let all = this.connected;
    this.subscriptions.forEach((subscription) => {
      all = all && subscription.synced;
    });
    return all;
  }

  private look(): void {
    this.refresh();
    this.cancelLook = this.env.after(LOOK_EVERY, () => this.look());
  }

  private refresh(): void {
    const state = stateAt({
      now: this.env.now(),
      started: this.started,
      current: this.current,
      synced: this.synced(),
      final: this.final,
      staleAfter: this.staleAfter,
      offlineAfter: this.options.offlineAfter || OFFLINE_AFTER,
    });
    const status: Status = { state };
    if (state === "final" && this.final !== undefined) {
      status.code = this.final;
    }
    if (state !== "live" && this.current !== undefined && this.clockOffset !== undefined) {
      status.since = Math.round(this.current + this.clockOffset);
    }
    this.status.set(status);
  }
}
