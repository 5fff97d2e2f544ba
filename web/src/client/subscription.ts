// One channel's cursor: which pushes are new, which were seen, what is missing.
import { Position, Push, SubscribeReply } from "./wire";

/** What a page does with a channel. */
export interface ChannelHandler {
  /** The whole channel; replaces whatever the page held. */
  snapshot(snapshot: unknown, position: Position): void;
  /** One change, in order and without gaps, or an ephemeral push. */
  push(push: Push): void;
  /** The hub will not let this client in here. */
  refused?(error: Error): void;
}

export type Verdict = "apply" | "drop" | "gap";

/** A subscription and how far it has come. It talks to nobody. */
export class Subscription {
  readonly channel: string;
  readonly handler: ChannelHandler;
  /** Undefined: the next subscribe brings a snapshot. */
  position: Position | undefined;
  /** Asked, not answered. Pushes meanwhile come again after the answer. */
  pending = false;
  /** Caught up with everything the hub had when it answered. */
  synced = false;
  /** How often in a row it had to ask again without getting anywhere. */
  retries = 0;
  /** Tells answers of an earlier asking apart. */
  asked = 0;
  private target = 0;

  constructor(channel: string, handler: ChannelHandler) {
    this.channel = channel;
    this.handler = handler;
  }

  /** The link is gone; what it said about being caught up goes with it. */
  unlink(keep: boolean): void {
    this.pending = false;
    this.synced = false;
    if (!keep) {
      this.position = undefined;
    }
  }

  /** Takes the answer to subscribe; false when it cannot be used. */
  answered(reply: SubscribeReply): boolean {
    this.pending = false;
    if (reply.recovered) {
      if (!this.position || this.position.epoch !== reply.epoch) {
        this.position = undefined;
        return false;
      }
      this.target = reply.offset;
      this.synced = this.position.offset >= this.target;
      return true;
    }
    this.position = { epoch: reply.epoch, offset: reply.offset };
    this.target = reply.offset;
    this.synced = true;
    return true;
  }

  /** Judges a push by its place, before anything is done with it. */
  judge(push: Push): Verdict {
    if (!push.offset) {
      return this.position ? "apply" : "drop";
    }
    if (this.pending || !this.position || push.offset <= this.position.offset) {
      return "drop";
    }
    return (push.prev || 0) > this.position.offset ? "gap" : "apply";
  }

  /** Moves the cursor after push was applied. Ephemeral pushes move nothing. */
  advance(push: Push): void {
    if (!push.offset || !this.position) {
      return;
    }
    this.position = { epoch: this.position.epoch, offset: push.offset };
    this.retries = 0;
    if (push.offset >= this.target) {
      this.synced = true;
    }
  }
}
