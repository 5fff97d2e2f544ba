// One number for one request, however often it has to be sent: the key stays
// the same until the hub has answered.
import { backoff, HubError } from "../client/index";
import { Issued, TicketRequest } from "./config";

export type IssueState =
  | { name: "idle" }
  /** Sent; `away` when it had to be sent again. */
  | { name: "asking"; away: boolean }
  /** The hub wants us to wait until then, in ms of deps.now. */
  | { name: "waiting"; until: number }
  | { name: "refused"; code: string; field?: string }
  | { name: "issued"; issued: Issued };

/** What is not answered yet; a page that is loaded again goes on with it. */
export interface Pending {
  key: string;
  request: TicketRequest;
}

export interface IssuerDeps {
  key(): string;
  now(): number;
  after(ms: number, run: () => void): () => void;
  random(): number;
  issue(key: string, request: TicketRequest): Promise<Issued>;
  save(pending: Pending | undefined): void;
  changed(): void;
}

const LEAST = 1000;

export class Issuer {
  private current: IssueState = { name: "idle" };
  private pending: Pending | undefined;
  private failures = 0;
  private cancelTimer: (() => void) | undefined;
  /** Tells the answers of an earlier asking apart. */
  private asked = 0;
  private inFlight = false;

  constructor(private readonly deps: IssuerDeps) {}

  get state(): IssueState {
    return this.current;
  }

  /** Asks for a number; while one is asked for this changes nothing. */
  ask(request: TicketRequest): void {
    if (!this.pending) this.resume({ key: this.deps.key(), request });
  }

  /** Goes on with what an earlier page has asked for. */
  resume(pending: Pending): void {
    this.pending = pending;
    this.failures = 0;
    this.deps.save(pending);
    this.send();
  }

  /** The network is back: no need to wait any longer. */
  hurry(): void {
    if (this.pending && !this.inFlight && this.current.name === "asking") this.send();
  }

  /** Forgets all of it: somebody else stands here now. */
  reset(): void {
    this.asked++;
    this.inFlight = false;
    this.settle({ name: "idle" });
  }

  private send(): void {
    if (this.cancelTimer) this.cancelTimer();
    this.cancelTimer = undefined;
    const pending = this.pending;
    if (!pending) return;
    const asked = ++this.asked;
    this.inFlight = true;
    this.change({ name: "asking", away: this.failures > 0 });
    this.deps.issue(pending.key, pending.request).then(
      (issued) => {
        if (asked === this.asked) this.settle({ name: "issued", issued });
      },
      (error: HubError) => {
        if (asked === this.asked) this.failed(error);
      },
    );
  }

  private failed(error: HubError): void {
    this.inFlight = false;
    switch (error.code) {
      case "rate_limited": {
        const wait = Math.max(1, error.retryAfter || 5) * 1000;
        this.change({ name: "waiting", until: this.deps.now() + wait });
        this.cancelTimer = this.deps.after(wait, () => this.send());
        return;
      }
      case "unavailable":
      case "internal":
        // It may have been done. Only the same key may find out.
        this.failures++;
        this.change({ name: "asking", away: true });
        this.cancelTimer = this.deps.after(
          Math.max(LEAST, (error.retryAfter || 0) * 1000, Math.min(backoff(this.failures, this.deps.random), 10000)), () => this.send());
        return;
      default:
        this.settle(error.field === undefined
          ? { name: "refused", code: error.code } : { name: "refused", code: error.code, field: error.field });
    }
  }

  /** The question has its answer: the next one gets a key of its own. */
  private settle(state: IssueState): void {
    if (this.cancelTimer) this.cancelTimer();
    this.cancelTimer = undefined;
    this.pending = undefined;
    this.inFlight = false;
    this.deps.save(undefined);
    this.change(state);
  }

  private change(state: IssueState): void {
    this.current = state;
    this.deps.changed();
  }
}
