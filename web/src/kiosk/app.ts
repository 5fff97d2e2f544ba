/// <reference path="../common/words-page.d.ts" />
// A paired kiosk: who stands there chooses a language and a line, and gets a number.
import all from "words:kiosk";
import { Board, Client, Env, foldBoard, HubError, onWake, readBoard } from "../client/index";
import { ZoneClock } from "../board/time";
import { button, byId, make, setText } from "../common/dom";
import { chooseWords, Words } from "../common/words";
import { FormConfig, FormDoor, Issued, withLive } from "../form/config";
import { askable, faults, inLanguage, keyOf, requestOf } from "../form/fields";
import { FieldSet } from "../form/inputs";
import { Issuer } from "../form/issuer";
import { LineList } from "../form/lines";
import { formWords, languageName, lineWords, offeredLanguages, refusalWords } from "../form/say";
import { atHome, back, chooseLanguage, chooseLine, Flow, home, issued, left, refused, submitted, touch, warning } from "./flow";
import { Paper } from "./paper";
import { KioskIdentity } from "./storage";

const PING = 5000;
const TICK = 250;
/** Opening hours change without an event; everything else comes by channel. */
const REFRESH = 60000;
const CARD_EVERY = 10000;

export class Kiosk {
  private readonly client: Client;
  private readonly door: FormDoor;
  private readonly issuer: Issuer;
  private readonly fields: FieldSet;
  private readonly lines: LineList;
  private readonly paper = new Paper(() => this.render());
  private config: FormConfig | undefined;
  private board: Board | undefined;
  private flow: Flow;
  private given: { issued: Issued; at: number } | undefined;
  private note = "";
  private wasOn = "";
  private loadedAt = -REFRESH;
  private loading = false;
  private stale = false;
  private ended = false;
  private readonly stopWake: () => void;

  constructor(private readonly env: Env, private readonly identity: KioskIdentity, private readonly unpaired: () => void) {
    this.door = new FormDoor("/hub/v1/kiosk", () => identity.token);
    this.client = new Client(env, { name: "kiosk/1.0", token: () => identity.token, pingAtMost: PING });
    this.flow = home([], env.now());
    this.fields = new FieldSet(byId("fields"), false, () => this.touched());
    this.lines = new LineList(byId("lines"), false, (line) => this.onLine(line));
    this.issuer = new Issuer({
      key: () => env.key(), now: () => env.now(), after: (ms, run) => env.after(ms, run), random: () => env.random(),
      issue: (key, request) => this.door.issue(key, request),
      save: () => undefined, // a kiosk that starts again has forgotten who stood there
      changed: () => this.onIssuer(),
    });
    this.stopWake = onWake(() => {
      this.client.wake();
      this.issuer.hurry();
    });
  }

  start(): void {
    this.wire();
    this.client.subscribe(`board:${this.identity.location}`, {
      snapshot: (snapshot) => {
        this.board = readBoard(snapshot);
        this.load();
        this.render();
      },
      push: (push) => {
        if (this.board) this.board = foldBoard(this.board, push);
        if (push.push === "line.changed" || push.push === "location.changed") this.load();
        this.render();
      },
    });
    this.client.status.watch((status) => {
      if (status.state === "final") {
        if (status.code === 4202 || status.code === 4203) this.env.after(10000, () => window.location.reload());
        else this.end();
        return;
      }
      if (status.state === "live") this.issuer.hurry();
      this.render();
    });
    this.client.start();
    this.load();
    this.tick();
  }

  private get languages(): string[] {
    return offeredLanguages(this.config && this.config.location.languages);
  }

  private get words(): Words {
    return chooseWords(all, [this.flow.language]);
  }

  private wire(): void {
    byId("back").addEventListener("click", () => this.go(back(this.flow, this.languages, this.env.now())));
    byId("done").addEventListener("click", () => this.reset());
    byId("print").addEventListener("click", () => this.paper.print());
    byId("there-yes").addEventListener("click", () => this.touched());
    byId("there-no").addEventListener("click", () => this.reset());
    byId("there").addEventListener("cancel", (event) => {
      event.preventDefault();
      this.touched();
    });
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    for (const gesture of ["pointerdown", "keydown"]) {
      window.addEventListener(gesture, () => this.touched());
    }
    // The browser knows before the silence tells: the link is tried at once.
    window.addEventListener("offline", () => this.client.wake());
  }

  private touched(): void {
    this.flow = touch(this.flow, this.env.now());
    this.render();
  }

  private go(flow: Flow): void {
    this.flow = flow;
    this.note = "";
    if (atHome(flow, this.languages)) this.fields.clear();
    this.render();
  }

  /** Somebody else stands here now: nothing of the last one is left. */
  private reset(note = ""): void {
    this.issuer.reset();
    this.given = undefined;
    this.paper.clear();
    this.fields.clear();
    this.go(home(this.languages, this.env.now()));
    this.note = note;
    this.load();
    this.render();
  }

  private onLanguage(language: string): void {
    this.go(chooseLanguage(language, this.env.now()));
    this.load();
  }

  private asked(line: number | undefined) {
    return this.config ? askable(this.config.fields, line) : [];
  }

  private onLine(line: number): void {
    const asks = this.asked(line).length > 0;
    this.go(chooseLine(this.flow, line, asks, this.env.now()));
    if (asks) this.fields.focus();
    else this.ask({});
  }

  private submit(): void {
    if (this.flow.screen !== "details") return;
    const { values } = this.fields;
    const asked = this.asked(this.flow.line);
    const wrong = faults(asked, values);
    this.fields.show(wrong, formWords([this.flow.language]));
    if (asked.some((field) => wrong[keyOf(field)])) return;
    this.go(submitted(this.flow, this.env.now()));
    this.ask(values);
  }

  private ask(values: Record<string, string>): void {
    if (this.flow.line === undefined) return;
    this.issuer.ask(requestOf(this.asked(this.flow.line), values, this.flow.line, this.flow.language));
  }

  private onIssuer(): void {
    const { state } = this.issuer;
    if (state.name === "issued") {
      this.given = { issued: state.issued, at: this.client.serverTime() || Date.now() };
      this.fields.clear();
      this.go(issued(this.flow, this.env.now()));
      this.paper.begin(!!this.config && !!this.config.print);
    } else if (state.name === "refused") {
      const form = formWords([this.flow.language]);
      const field = state.field !== undefined && state.field !== "line";
      this.go(refused(this.flow, this.asked(this.flow.line).length > 0, field, this.env.now()));
      if (field) this.fields.show({ [state.field as string]: "fieldWrong" }, form);
      this.note = refusalWords(form, state.code);
      this.load();
    }
    this.render();
  }

  private load(): void {
    if (this.ended) return;
    // What changed while it was being asked for may not be in the answer.
    this.stale = this.loading;
    if (this.loading) return;
    this.loading = true;
    this.loadedAt = this.env.now();
    this.door.config().then((config) => {
      this.loaded();
      const first = !this.config;
      const before = this.languages;
      this.config = config;
      // A kiosk that nobody uses begins in the language that is now the first.
      if (first || atHome(this.flow, before)) this.flow = home(this.languages, this.env.now());
      this.render();
    }, (error: HubError) => {
      this.loaded();
      if (error.code === "unauthenticated" || error.code === "forbidden") this.end();
    });
  }

  private loaded(): void {
    this.loading = false;
    if (this.stale) this.load();
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.stopWake();
    this.client.stop();
    this.unpaired();
  }

  private tick(): void {
    if (this.ended) return;
    const now = this.env.now();
    const remaining = left(this.flow, this.languages, this.timeout, now);
    if (remaining === 0) {
      this.reset(this.flow.screen === "issuing" ? this.words.say("gaveUp") : "");
    }
    if (now - this.loadedAt >= (this.config ? REFRESH : 2000)) this.load();
    this.render();
    this.env.after(TICK, () => this.tick());
  }

  private get timeout(): number {
    return ((this.config && this.config.timeout) || 25) * 1000;
  }

  private render(): void {
    if (this.ended) return;
    const { words, flow } = this;
    const form = formWords([flow.language]);
    const now = this.env.now();
    const config = this.config && this.board ? withLive(this.config, this.board.lines) : this.config;
    const body = document.body.dataset;
    document.documentElement.lang = words.language;
    document.documentElement.dir = words.direction;
    body["state"] = this.client.status.value.state;
    this.renderStrip(words);
    if (!config) {
      body["screen"] = "loading";
      return;
    }
    body["screen"] = flow.screen;
    const clock = new ZoneClock(config.location.timezone);
    const time = this.client.serverTime();
    setText(byId("clock"), time === undefined ? "" : clock.hm(time));
    setText(byId("location"), config.location.name);
    document.title = `${words.say("hello")} \u00b7 ${config.location.name}`;
    this.renderHome(config, now);
    setText(byId("lines-title"), form.say("chooseLine"));
    setText(byId("lines-note"), this.note);
    this.lines.render(config, undefined, form, clock);
    this.renderDetails(form);
    this.renderIssuing(form);
    if (this.given) {
      const line = config.lines.find((one) => one.id === flow.line);
      this.paper.render(this.given.issued, config.location.name, line ? inLanguage(line.name, line.names, words.language) : "",
        this.given.at, words, form, clock, !!config.print);
    }
    this.renderFoot(form, words, now);
    this.renderFocus();
  }

  private renderStrip(words: Words): void {
    const { state, since } = this.client.status.value;
    const away = state === "stale" || state === "offline";
    const clock = new ZoneClock(this.config && this.config.location.timezone);
    setText(byId("strip"), !away ? "" : since ? words.say("offlineSince", { time: clock.since(since, this.client.serverTime() || since) }) : words.say("offlineNow"));
  }

  private renderHome(config: FormConfig, now: number): void {
    const { languages } = this;
    // One language after the other: whoever comes near sees their own.
    const turn = Math.floor(now / CARD_EVERY);
    const code = languages[turn % languages.length] || "en";
    const words = chooseWords(all, [code]);
    const hello = byId("hello");
    hello.lang = code;
    hello.dir = words.direction;
    setText(hello, config.open ? words.say("hello") : words.say("closed"));
    const cards = config.textCards || [];
    const card = cards[turn % Math.max(1, cards.length)];
    byId("card").lang = card ? card.language : code;
    setText(byId("card"), card ? card.text : words.say("touchLanguage"));
    const list = byId("languages");
    if (list.dataset["codes"] !== languages.join()) {
      list.dataset["codes"] = languages.join();
      list.replaceChildren();
      for (const one of languages) {
        button(make("li", "", list), languageName(one), () => this.onLanguage(one)).lang = one;
      }
    }
    const waiting = config.lines.reduce((sum, line) => sum + line.waiting, 0);
    setText(byId("crowd"), lineWords(formWords([code]), { waiting }));
    byId("crowd").lang = code;
  }

  private renderDetails(form: Words): void {
    setText(byId("details-title"), form.say("details"));
    setText(byId("privacy"), form.say("privacy"));
    setText(byId("submit"), form.say("getNumber"));
    setText(byId("note"), this.note);
    this.fields.render(this.asked(this.flow.line), form);
  }

  private renderIssuing(form: Words): void {
    const { state } = this.issuer;
    if (state.name === "waiting") {
      setText(byId("issuing-text"), form.say("waitTurn", { n: Math.max(1, Math.ceil((state.until - this.env.now()) / 1000)) }));
    } else {
      setText(byId("issuing-text"), form.say(state.name === "asking" && state.away ? "askingAgain" : "asking"));
    }
  }

  private renderFoot(form: Words, words: Words, now: number): void {
    const { flow } = this;
    const remaining = left(flow, this.languages, this.timeout, now);
    const seconds = warning(flow, remaining);
    setText(byId("back"), form.say("back"));
    byId("back").hidden = atHome(flow, this.languages) || flow.screen === "issuing" || flow.screen === "ticket";
    const clears = flow.screen === "ticket" && remaining !== undefined && remaining <= 10000;
    setText(byId("left"), clears ? words.say("leftIn", { n: Math.ceil((remaining as number) / 1000) }) : "");
    const there = byId<HTMLDialogElement>("there");
    if (seconds === undefined) {
      if (there.open) there.close();
      return;
    }
    setText(byId("there-title"), words.say("thereTitle"));
    setText(byId("there-text"), words.say("thereText"));
    setText(byId("there-yes"), words.say("thereYes"));
    setText(byId("there-no"), words.say("thereNo"));
    setText(byId("there-count"), String(seconds));
    if (!there.open) there.showModal();
  }

  /** Who cannot see the screen hears which one it is. */
  private renderFocus(): void {
    if (this.wasOn === this.flow.screen) return;
    const before = this.wasOn;
    this.wasOn = this.flow.screen;
    const heading = { line: "lines-title", details: "", ticket: "given-title", language: "", issuing: "" }[this.flow.screen];
    if (before && heading) byId(heading).focus();
  }
}
