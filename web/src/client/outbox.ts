// Commands on their way: each keeps its idempotency key over a reconnect, so
// that it happens once however often it has to be sent.
import { Env } from "./env";
import { Link } from "./link";
import { CommandFrame, CommandReply, HubError, LINK_LOST, NOT_SENT, TIMED_OUT } from "./wire";

/** A click older than this is not sent again: the clerk has moved on. */
export const COMMAND_LIFE = 10000;

interface Pending {
  frame: CommandFrame;
  sent: boolean;
  cancel: () => void;
  settle: (error: HubError | undefined, reply?: CommandReply) => void;
}

/** Holds the commands that have no answer yet. */
export class Outbox {
  private readonly env: Env;
  private readonly pending: Pending[] = [];

  constructor(env: Env) {
    this.env = env;
  }

  /** Queues a command; over link at once, when there is one. */
  add(frame: CommandFrame, link: Link | undefined): Promise<CommandReply> {
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        frame,
        sent: false,
        cancel: this.env.after(COMMAND_LIFE, () => this.expire(pending)),
        settle: (error, reply) => {
          pending.cancel();
          this.remove(pending);
          if (error) {
            reject(error);
          } else {
            resolve(reply as CommandReply);
          }
        },
      };
      this.pending.push(pending);
      if (link) {
        this.send(pending, link);
      }
    });
  }

  /** Sends what has no answer yet, in the order it was asked for. */
  flush(link: Link): void {
    for (const pending of this.pending.slice()) {
      this.send(pending, link);
    }
  }

  /** Gives up on everything. */
  fail(message: string): void {
    for (const pending of this.pending.slice()) {
      pending.settle(new HubError({ code: pending.sent ? TIMED_OUT : NOT_SENT, message }));
    }
  }

  private send(pending: Pending, link: Link): void {
    pending.sent = true;
    link.request("command", pending.frame, (error, reply) => {
      // Without a link, or an answer in time, it waits for the next link.
      if (error && (error.code === LINK_LOST || error.code === TIMED_OUT)) {
        return;
      }
      pending.settle(error, reply);
    });
  }

  private expire(pending: Pending): void {
    pending.settle(
      new HubError(
        pending.sent
          ? { code: TIMED_OUT, message: "no answer from the hub; it may have been done" }
          : { code: NOT_SENT, message: "the hub could not be reached; nothing was done" },
      ),
    );
  }

  private remove(pending: Pending): void {
    const at = this.pending.indexOf(pending);
    if (at >= 0) {
      this.pending.splice(at, 1);
    }
  }
}
