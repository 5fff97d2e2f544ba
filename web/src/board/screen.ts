// One lobby screen: the board, what is announced on it, and how current it is.
import { Board, BoardTicket, Client, Env, foldBoard, Push, readBoard, Status } from "../client/index";
import { Announcer, Call } from "./announcer";
import { clipNames } from "./clips";
import { Card, Display, Look, lookOf } from "./look";
import { CARD_FOR, loadBlob, Zone } from "./media";
import { concerns, deskName, deskWords, viewOf } from "./model";
import { isFresh, News, Newsroom } from "./news";
import { DeviceReport, engineOf, Reporter } from "./report";
import { Sound } from "./sound";
import { loadBoard, saveBoard, Saved } from "./storage";
import { ZoneClock } from "./time";
import { View } from "./view";
import { Words } from "./words";

const TICK = 1000;
/** Nobody reads faster; a burst on an old engine needs the time. */
const PAINT_EVERY = 100;
const RECEIPTS_AT_ONCE = 10;
const EARLIER_FOR = 60000;
/** An emergency that lasts is heard again, in ms. */
const WARN_EVERY = 60000;
/** How often what is on screen is put away for the next start. */
const SAVE_EVERY = 20000;
/** A hub that answers within this needs no old board shown first. */
const OLD_BOARD_AFTER = 3000;

export interface Parts {
  env: Env;
  client: Client;
  view: View;
  location: number;
  version: string;
  token(): string | undefined;
}

/** Holds the screen's state; everything it shows goes through render. */
export class Screen {
  private readonly parts: Parts;
  private readonly announcer: Announcer;
  private readonly sound: Sound;
  private readonly zone: Zone;
  private readonly newsroom: Newsroom;
  private readonly earlier = new Map<string, number>();
  private board: Board | undefined;
  private display: Display | undefined;
  private look: Look | undefined;
  private clock = new ZoneClock(undefined);
  /** When the board shown comes from before the restart: its time. */
  private oldAt: number | undefined;
  private loaded = false;
  private last: { key: string; at: number } | undefined;
  private savedAt: number | undefined;
  private lastReceipt = 0;
  private warnedAt: number | undefined;
  private readonly unreceipted: Array<() => void> = [];
  private painting = false;
  private paintedAt = -PAINT_EVERY;
  /** Whether this is the screen that its room hears. */
  private speaks = true;

  constructor(parts: Parts) {
    this.parts = parts;
    const { env, client, view, location } = parts;
    const saved = loadBoard(location);
    this.newsroom = new Newsroom(saved ? saved.announced : []);
    this.sound = new Sound(env, parts.token, (locked) => view.sound(locked));
    this.zone = new Zone(env, loadBlob(parts.token));
    this.announcer = this.makeAnnouncer();
    if (saved) {
      env.after(OLD_BOARD_AFTER, () => this.useOld(saved));
    }
    client.subscribe("board:" + location, {
      snapshot: (snapshot) => this.onSnapshot(snapshot),
      push: (push) => this.onPush(push),
      refused: () => this.onRefused(),
    });
    client.status.watch((status) => this.paintStatus(status));
    view.starting();
    window.addEventListener("resize", () => this.relook());
    this.tick();
    new Reporter(env, client, () => this.report());
  }

  /** Told when the hub does not let this screen show this location. */
  onRefused: () => void = () => undefined;

  unlockSound(): void {
    this.sound.unlock();
  }

  /** The hub's settings for this very screen. */
  setDisplay(display: Display | undefined): void {
    this.display = display;
    this.relook();
  }

  setSpeaks(speaks: boolean): void {
    this.speaks = speaks;
    document.body.setAttribute("data-speaks", String(speaks));
  }

  private makeAnnouncer(): Announcer {
    const { env } = this.parts;
    const silent = () => !this.speaks || (!!this.display && !!this.display.mute);
    const languages = () => (this.look ? this.look.words.map((words) => words.code) : []);
    return new Announcer((ms, run) => env.after(ms, run), {
      show: (call) => {
        this.show(call);
        if (!silent()) this.sound.prepare(clipNames(call.publicId, call.deskName || ""), languages());
      },
      rest: () => this.paintSoon(),
      chime: (done) => (silent() ? done(false) : this.sound.chime(done)),
      speak: (call, done) => this.sound.speak(clipNames(call.publicId, call.deskName || ""), languages(), done),
      heard: (call, sounded) => this.heard(call, sounded),
    });
  }

  private useOld(saved: Saved): void {
    if (this.loaded) {
      return;
    }
    this.oldAt = saved.at;
    this.display = this.display || saved.display;
    this.setBoard(saved.board);
    this.render();
    this.paintStatus(this.parts.client.status.value);
  }

  private setBoard(board: Board): void {
    const before = this.board;
    this.board = board;
    if (!before || board.location.timezone !== before.location.timezone) {
      this.clock = new ZoneClock(board.location.timezone);
    }
    if (!before || board.location !== before.location || board.settings !== before.settings) {
      this.relook();
    }
  }

  private relook(): void {
    if (!this.board) {
      return;
    }
    const look = lookOf(this.board, this.display, { width: window.innerWidth, height: window.innerHeight });
    this.look = look;
    this.parts.view.look(look);
    const shown = look.layout === "media";
    this.zone.set(this.parts.location, shown ? look.cards : [], shown ? look.media : [], look.logo);
    this.paintSoon();
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
    this.paintSoon();
  }

  /** Announces a fresh call; marks one that was learned of too late. */
  private tell(news: News, first: boolean): void {
    const { ticket } = news;
    const now = this.parts.client.serverTime();
    if (this.look && !concerns(ticket, this.look)) {
      return;
    }
    if (isFresh(news, now)) {
      this.announcer.add(this.callOf(ticket, news.offset));
    } else if (!first && now !== undefined) {
      this.earlier.set(ticket.key, now + EARLIER_FOR);
    }
  }

  private callOf(ticket: BoardTicket, offset: number | undefined): Call {
    const board = this.board as Board;
    return {
      key: ticket.key,
      publicId: ticket.publicId,
      desk: deskWords(board, ticket.desk, (this.look as Look).words[0] as Words),
      deskName: deskName(board, ticket.desk),
      name: ticket.name || "",
      times: ticket.recalls + 1,
      offset,
    };
  }

  private show(call: Call): void {
    const now = this.parts.client.serverTime();
    if (now !== undefined) {
      this.last = { key: call.key, at: now };
    }
    this.paintSoon();
    this.parts.view.pulse();
  }

  /** The receipt goes out after the frame in which the call became visible. */
  private painted(channel: string, offset: number): void {
    this.unreceipted.push(() => {
      this.lastReceipt = offset;
      this.parts.client.receipt(channel, offset, true, false);
    });
    this.paintSoon();
  }

  private heard(call: Call, sounded: boolean): void {
    if (sounded && call.offset !== undefined) {
      this.parts.client.receipt("board:" + this.parts.location, call.offset, true, true);
    }
  }

  /** A burst of pushes is painted once, and not in every frame of it. */
  private paintSoon(): void {
    if (this.painting) {
      return;
    }
    this.painting = true;
    const paint = () => window.requestAnimationFrame(() => this.render());
    const wait = this.paintedAt + PAINT_EVERY - this.parts.env.now();
    if (wait > 0) {
      this.parts.env.after(wait, paint);
    } else {
      paint();
    }
  }

  private render(): void {
    this.painting = false;
    this.paintedAt = this.parts.env.now();
    const { board, look } = this;
    if (!board || !look) {
      return;
    }
    const now = this.parts.client.serverTime();
    const { announcing, queued } = this.announcer;
    this.parts.view.paint(viewOf(board, {
      now,
      local: now === undefined ? undefined : this.clock.local(now),
      announcing,
      queued,
      last: this.last,
      earlier: this.earlier,
      card: turn([undefined as Card | undefined].concat(look.cards), now),
    }, look));
    this.parts.view.emergency(turn(look.emergency, now));
    this.warn(look);
    this.zone.freeze(!!announcing);
    const receipts = this.unreceipted.splice(0);
    if (receipts.length) {
      window.requestAnimationFrame(() => this.flush(receipts));
    }
  }

  /** Sounds when an emergency begins, and again from time to time while it lasts. */
  private warn(look: Look): void {
    const now = this.parts.env.now();
    if (!look.tone || !look.emergency.length) {
      this.warnedAt = undefined;
    } else if (this.warnedAt === undefined || now - this.warnedAt >= WARN_EVERY) {
      this.warnedAt = now;
      document.body.setAttribute("data-warned", String(this.speaks));
      if (this.speaks) this.sound.alarm();
    }
  }

  /** A few at a time: a burst's receipts must not hold up what is painted next. */
  private flush(receipts: Array<() => void>): void {
    this.parts.env.after(0, () => {
      receipts.splice(0, RECEIPTS_AT_ONCE).forEach((send) => send());
      if (receipts.length) {
        this.flush(receipts);
      }
    });
  }

  private paintStatus(status: Status): void {
    const { view, client } = this.parts;
    const words = this.look && (this.look.words[0] as Words);
    const now = client.serverTime();
    this.paintClock();
    const since = this.oldAt !== undefined ? this.oldAt : status.since;
    // A clock that the hub has not set may be years off: then the day is told too.
    const text = since === undefined ? "" : this.clock.since(since, now === undefined ? Date.now() : now);
    if (this.oldAt !== undefined || status.state === "offline" || status.state === "final") {
      view.state("offline", true, words ? words.offline(text) : "");
    } else if (status.state === "stale") {
      view.state("stale", true, words ? words.stale(text) : "");
    } else if (status.state === "live" && this.loaded) {
      view.state("live", false, "");
    } else {
      view.state(this.loaded ? "live" : "starting", true, "");
    }
  }

  /** Long without the hub the device's own clock is all there is, and it may be off. */
  private paintClock(): void {
    const { view, client } = this.parts;
    const now = client.serverTime();
    const sure = now !== undefined && client.status.value.state !== "offline";
    view.clock(sure ? this.clock.hm(now as number) : "");
  }

  private tick(): void {
    const { env, client } = this.parts;
    env.after(TICK, () => this.tick());
    const now = client.serverTime();
    this.paintClock();
    if (now === undefined || !this.loaded) {
      return;
    }
    this.earlier.forEach((until, key) => {
      if (until <= now) {
        this.earlier.delete(key);
      }
    });
    this.render();
    if (client.status.value.state === "live" && (this.savedAt === undefined || now - this.savedAt >= SAVE_EVERY)) {
      this.save();
    }
  }

  private save(): void {
    const at = this.parts.client.serverTime();
    if (this.board && at !== undefined) {
      this.savedAt = at;
      const saved: Saved = { at, board: this.board, announced: this.newsroom.announced };
      if (this.display) {
        saved.display = this.display;
      }
      saveBoard(this.parts.location, saved);
    }
  }

  private report(): DeviceReport {
    const now = this.parts.client.serverTime();
    return {
      engine: engineOf(navigator.userAgent),
      version: this.parts.version,
      layout: this.look ? this.look.layout : "",
      sound: this.sound.state,
      drift: now === undefined ? 0 : Math.round(Date.now() - now),
      width: Math.round(window.innerWidth * (window.devicePixelRatio || 1)),
      height: Math.round(window.innerHeight * (window.devicePixelRatio || 1)),
      receipt: this.lastReceipt,
    };
  }
}

/** Whose turn it is; the hub's clock, so that screens side by side agree. */
function turn<T>(list: T[], now: number | undefined): T | undefined {
  return list.length ? list[Math.floor((now === undefined ? Date.now() : now) / CARD_FOR) % list.length] : undefined;
}
