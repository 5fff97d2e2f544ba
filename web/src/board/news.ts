// Which calls are new to this screen, and which of them are fresh enough to chime.
import { Board, BoardTicket, Push } from "../client/index";

/** An older call is shown and not chimed: its visitor is at the desk by now. */
export const FRESH = 30000;
const REMEMBERED = 64;

export interface News {
  ticket: BoardTicket;
  offset: number | undefined;
  /** The hub's time of the call or recall. */
  at: number;
}

/** Remembers what was announced, over snapshots and reloads. */
export class Newsroom {
  private seen: string[];

  constructor(seen: string[]) {
    this.seen = seen.slice(-REMEMBERED);
  }

  /** For storage. */
  get announced(): string[] {
    return this.seen;
  }

  /** The call that a push brings, if it brings one. */
  fromPush(push: Push): News | undefined {
    if (push.push !== "ticket.called" && push.push !== "ticket.recalled") {
      return undefined;
    }
    const ticket = push.data["ticket"] as BoardTicket;
    if (!ticket || ticket.status !== "CALLED" || !this.learn(ticket)) {
      return undefined;
    }
    return { ticket, offset: push.offset, at: Date.parse(push.time) || 0 };
  }

  /** The calls of a snapshot that this screen did not know, oldest first. */
  fromSnapshot(board: Board): News[] {
    const news: News[] = [];
    for (const ticket of board.serving.slice().reverse()) {
      if (this.learn(ticket)) {
        // It does not say when a recall was; the call is the earliest it can be.
        news.push({ ticket, offset: undefined, at: Date.parse(ticket.calledAt || "") || 0 });
      }
    }
    return news;
  }

  private learn(ticket: BoardTicket): boolean {
    const mark = ticket.key + "/" + (ticket.calledAt || "") + "/" + ticket.recalls;
    if (this.seen.indexOf(mark) >= 0) {
      return false;
    }
    this.seen = this.seen.concat(mark).slice(-REMEMBERED);
    return true;
  }
}

/** Whether to chime; without the hub's clock nothing is known to be fresh. */
export function isFresh(news: News, now: number | undefined): boolean {
  return now !== undefined && now - news.at <= FRESH;
}
