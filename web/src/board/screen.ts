// One lobby screen: the board, what is announced on it, and how current it is.
import { Board, BoardTicket, Client, Env, foldBoard, Push, readBoard, Status } from "../client/index";
import { Announcer, Call } from "./announcer";
import { deskWords, viewOf } from "./model";
import { isFresh, News, Newsroom } from "./news";
import { Sound } from "./sound";
import { loadBoard, saveBoard } from "./storage";
import { ZoneClock } from "./time";
import { View } from "./view";
import { words } from "./words";

const TICK = 1000;
const EARLIER_FOR = 60000;
/** How often what is on screen is put away for the next start. */
const SAVE_EVERY = 20000;
/** A hub that answers within this needs no old board shown first. */
const OLD_BOARD_AFTER = 3000;

/** Holds the screen's state; everything it shows goes through render. */
export class Screen {
  private readonly env: Env;
  private readonly client: Client;
  private readonly view: View;
  private readonly location: number;
  private readonly announcer: Announcer;
  private readonly sound: Sound;
  private readonly newsroom: Newsroom;
  private readonly earlier = new Map<string, number>();
  private board: Board | undefined;
  private zone = new ZoneClock(undefined);
  /** When the board shown comes from before the restart: its time. */
  private oldAt: number | undefined;
  private loaded = false;
  private last: { key: string; at: number } | undefined;
  private savedAt: number | undefined;

  constructor(env: Env, client: Client, view: View, location: number) {
    this.env = env;
    this.client = client;
    this.view = view;
    this.location = location;
    const saved = loadBoard(location);
    this.newsroom = new Newsroom(saved ? saved.announced : []);
    const after = (ms: number, run: () => void) => env.after(ms, run);
    this.sound = new Sound(after, (locked) => view.sound(locked));
    this.announcer = new Announcer(after, {
      show: (call) => this.show(call),
      rest: () => this.render(),
      chime: (done) => this.sound.chime(done),
      speak: (call, done) => this.sound.speak(words.spoken(call.publicId, call.desk), this.language(), done),
      heard: (call, sounded) => this.heard(call, sounded),
    });
    if (saved) {
      env.after(OLD_BOARD_AFTER, () => this.useOld(saved.board, saved.at));
    }
    client.subscribe("board:" + location, {
      snapshot: (snapshot) => this.onSnapshot(snapshot),
      push: (push) => this.onPush(push),
      refused: () => this.onRefused(),
    });
    client.status.watch((status) => this.paintStatus(status));
    view.message(words.starting);
    this.tick();
  }

  /** Told when the hub does not let this screen show this location. */
  onRefused: () => void = () => undefined;

  unlockSound(): void {
    this.sound.unlock();
  }

  private useOld(board: Board, at: number): void {
    if (this.loaded) {
      return;
    }
    this.oldAt = at;
    this.setBoard(board);
    this.render();
    this.paintStatus(this.client.status.value);
  }

  private setBoard(board: Board): void {
    if (!this.board || board.location.timezone !== this.board.location.timezone) {
      this.zone = new ZoneClock(board.location.timezone);
    }
    this.board = board;
  }

  private onSnapshot(snapshot: unknown): void {
    const first = !this.loaded;
    this.loaded = true;
    this.oldAt = undefined;
    this.setBoard(readBoard(snapshot));
    for (const news of this.newsroom.fromSnapshot(this.board as Board)) {
      this.tell(news, first);
    }
    this.render();
    this.save();
  }

  private onPush(push: Push): void {
    if (!this.board || !push.offset) {
      return;
    }
    this.setBoard(foldBoard(this.board, push));
    const ticket = push.data["ticket"] as BoardTicket | undefined;
    if (ticket && ticket.status === "NEW") {
      this.announcer.drop(ticket.key);
    }
    const news = this.newsroom.fromPush(push);
    if (news) {
      this.tell(news, false);
      this.painted(push.channel, push.offset);
    }
    this.render();
  }

  /** Announces a fresh call; marks one that was learned of too late. */
  private tell(news: News, first: boolean): void {
    const { ticket } = news;
    const now = this.client.serverTime();
    if (isFresh(news, now)) {
      this.announcer.add(this.callOf(ticket, news.offset));
    } else if (!first && now !== undefined) {
      this.earlier.set(ticket.key, now + EARLIER_FOR);
    }
  }

  private callOf(ticket: BoardTicket, offset: number | undefined): Call {
    return {
      key: ticket.key,
      publicId: ticket.publicId,
      desk: this.board ? deskWords(this.board, ticket.desk) : "",
      times: ticket.recalls + 1,
      offset,
    };
  }

  private show(call: Call): void {
    const now = this.client.serverTime();
    if (now !== undefined) {
      this.last = { key: call.key, at: now };
    }
    this.render();
    this.view.pulse();
  }

  /** The receipt goes out after the frame in which the call became visible. */
  private painted(channel: string, offset: number): void {
    window.requestAnimationFrame(() => {
      window.setTimeout(() => this.client.receipt(channel, offset, true, false), 0);
    });
  }

  private heard(call: Call, sounded: boolean): void {
    if (sounded && call.offset !== undefined) {
      this.client.receipt("board:" + this.location, call.offset, true, true);
    }
  }

  private language(): string {
    const languages = this.board ? this.board.location.languages : undefined;
    // The words are English until there are others; so must the voice be.
    const english = (languages || []).filter((language) => /^en\b/.test(language))[0];
    return english || "en";
  }

  private render(): void {
    if (!this.board) {
      return;
    }
    const settings = this.board.settings;
    this.view.theme(settings ? String(settings["theme"]) : "");
    this.view.paint(viewOf(this.board, {
      now: this.client.serverTime(),
      announcing: this.announcer.announcing,
      last: this.last,
      earlier: this.earlier,
    }));
  }

  private paintStatus(status: Status): void {
    const now = this.client.serverTime();
    this.view.clock(now === undefined ? "" : this.zone.hm(now));
    const since = this.oldAt !== undefined ? this.oldAt : status.since;
    // A clock that the hub has not set may be years off: then the day is told too.
    const text = since === undefined ? "" : this.zone.since(since, now === undefined ? Date.now() : now);
    if (this.oldAt !== undefined || status.state === "offline" || status.state === "final") {
      this.view.state("offline", true, words.offline(text));
    } else if (status.state === "stale") {
      this.view.state("stale", true, words.stale(text));
    } else if (status.state === "live" && this.loaded) {
      this.view.state("live", false, "");
    } else {
      this.view.state(this.loaded ? "live" : "starting", true, "");
    }
  }

  private tick(): void {
    this.env.after(TICK, () => this.tick());
    const now = this.client.serverTime();
    this.view.clock(now === undefined ? "" : this.zone.hm(now));
    if (now === undefined || !this.loaded) {
      return;
    }
    this.earlier.forEach((until, key) => {
      if (until <= now) {
        this.earlier.delete(key);
      }
    });
    this.render();
    if (this.client.status.value.state === "live" && (this.savedAt === undefined || now - this.savedAt >= SAVE_EVERY)) {
      this.save();
    }
  }

  private save(): void {
    const at = this.client.serverTime();
    if (this.board && at !== undefined) {
      this.savedAt = at;
      saveBoard(this.location, { at, board: this.board, announced: this.newsroom.announced });
    }
  }
}
