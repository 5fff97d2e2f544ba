// Paints a BoardView. The elements are made once and only their text and
// classes change: a screen runs for months, and its page must not grow.
import { byId, make, setAttribute, setData, setProperty, setShown, setText } from "./dom";
import { Fitting, Group } from "./fitting";
import { Card, Look } from "./look";
import { BoardView, CHIPS, ChipView, HeroView, ROWS, RowView } from "./model";
import { paintCode } from "./qr";
import { codeOf, Words, wordsOf } from "./words";

/** The hub's lines of text in the hero's label: two languages, or the hours. */
const LABELS = 4;
/** More letters than this are words rather than a name. */
const LONG_DESK = 18;

interface Row {
  item: HTMLElement;
  number: HTMLElement;
  desk: HTMLElement;
  name: HTMLElement;
  note: HTMLElement;
}

interface Chip {
  item: HTMLElement;
  color: HTMLElement;
  name: HTMLElement;
  text: HTMLElement;
}

/** The page's elements. */
export class View {
  private readonly rows: Row[] = [];
  private readonly chips: Chip[] = [];
  private readonly labels: HTMLElement[] = [];
  private readonly between: HTMLElement[] = [];
  private readonly hero = byId("hero");
  private words: Words = wordsOf([])[0] as Words;
  private pulses = 0;
  private readonly fitting = new Fitting();

  constructor() {
    for (let i = 0; i < ROWS; i++) {
      this.rows.push(makeRow(byId("rows")));
      setShown((this.rows[i] as Row).item, false);
    }
    for (let i = 0; i < CHIPS; i++) {
      this.chips.push(makeChip(byId("chips")));
    }
    for (let i = 0; i < LABELS; i++) {
      const between = make("span", "between", byId("hero-label"));
      setText(between, "\u00b7");
      this.between.push(between);
      this.labels.push(make("bdi", "label", byId("hero-label")));
    }
    this.sound(false);
    this.say();
  }

  /** Layout, theme, sizes and language. */
  look(look: Look): void {
    const { sizes } = look;
    setData("layout", look.layout);
    setData("theme", look.theme);
    setProperty(document.body, "--number", sizes.number + "vh");
    setProperty(document.body, "--desk", sizes.desk + "vh");
    setProperty(document.body, "--row", sizes.row + "vh");
    setProperty(document.body, "--rows", String(sizes.rows));
    this.rows.forEach((row, i) => setShown(row.item, i < sizes.rows * sizes.columns));
    setData("join", look.join && look.layout !== "desk" ? "shown" : "none");
    paintCode(byId("join-code"), look.join);
    this.words = look.words[0] as Words;
    this.say();
  }

  private say(): void {
    const { words } = this;
    setAttribute(document.documentElement, "lang", words.code);
    setAttribute(document.documentElement, "dir", words.rtl ? "rtl" : "ltr");
    setText(byId("calls-heading"), words.say("recent"));
    setText(byId("join-text"), words.say("join"));
    setText(byId("pair-title"), words.say("pairTitle"));
    setText(byId("sound"), words.say("sound"));
  }

  paint(view: BoardView): void {
    setText(byId("location"), view.location);
    setText(byId("waiting"), view.waiting);
    this.paintHero(view.hero);
    this.rows.forEach((row, i) => paintRow(row, view.rows[i]));
    this.chips.forEach((chip, i) => paintChip(chip, view.chips[i]));
    byId("calls-heading").style.visibility = view.rows.length ? "" : "hidden";
    this.fit(view);
  }

  private fit(view: BoardView): void {
    const { publicId, desk, name, more, labels, mode } = view.hero;
    const look = ["layout", "theme", "join", "state"].map((one) => document.body.getAttribute("data-" + one));
    const frame = JSON.stringify([look, window.innerWidth, window.innerHeight, document.body.getAttribute("style")]);
    const call = {
      text: [publicId, desk, name, more, mode].concat(labels).join("\n"), within: this.hero,
      boxes: [byId("hero-call"), byId("hero-number-box"), byId("hero-to"), byId("hero-label")],
    };
    const used = view.rows.slice(0, this.rows.length);
    this.fitting.run(frame, [call as Group].concat(used.map((row, i) => {
      const { item, desk } = this.rows[i] as Row;
      return { text: [row.publicId, row.desk, row.name, row.note].join("\n"), boxes: [item, desk], again: desk };
    })));
  }

  /** Starts the movement that goes with a new call. */
  pulse(): void {
    this.pulses++;
    this.hero.classList.remove("pulse-a", "pulse-b");
    this.hero.classList.add(this.pulses % 2 ? "pulse-a" : "pulse-b");
  }

  /** The state of the page, as tests and the style sheet see it. */
  state(state: "starting" | "live" | "stale" | "offline", away: boolean, strip: string): void {
    setData("state", state);
    setData("link", away ? "away" : "up");
    setText(byId("strip"), strip);
  }

  clock(text: string): void {
    setData("clock", text ? "sure" : "unsure");
    setText(byId("clock"), text);
  }

  sound(locked: boolean): void {
    setShown(byId("sound"), locked);
    setData("sound", locked ? "locked" : "open");
  }

  /** A card over everything, or undefined. */
  emergency(card: Card | undefined): void {
    setData("emergency", card ? "shown" : "none");
    if (card) {
      const words = wordsOf([card.language])[0] as Words;
      setAttribute(byId("emergency"), "lang", card.language);
      setAttribute(byId("emergency"), "dir", words.rtl && codeOf(card.language) ? "rtl" : "ltr");
      setText(byId("emergency-title"), codeOf(card.language) ? words.say("important") : "!");
      setText(byId("emergency-text"), card.text);
    }
  }

  /** Undefined hides the pairing page; "" shows it without a code yet. */
  pairing(code: string | undefined): void {
    if (code === undefined) {
      document.body.removeAttribute("data-pairing");
      return;
    }
    setData("pairing", code);
    setText(byId("pair-code"), code || "\u2026");
    setText(byId("pair-help"), this.words.say(code ? "pairHelp" : "pairWait"));
    // The code is on the screen anyway, and only signed-in staff can use it.
    paintCode(byId("pair-qr"), code && window.location.origin + "/console#pair=" + code);
  }

  /** A text in place of the call, for the time before there is a board. */
  starting(): void {
    this.paintLabels([this.words.say("starting")], "");
  }

  private paintLabels(texts: string[], language: string): void {
    this.labels.forEach((label, i) => {
      setShown(label, !!texts[i]);
      setShown(this.between[i] as HTMLElement, i > 0 && !!texts[i]);
      setText(label, texts[i] || "");
      setAttribute(label, "lang", language || this.words.code);
    });
  }

  private paintHero(hero: HeroView): void {
    setData("hero", hero.mode);
    setAttribute(this.hero, "data-public-id", hero.publicId);
    setAttribute(this.hero, "data-key", hero.key);
    this.paintLabels(hero.labels, hero.language);
    setText(byId("hero-number"), hero.publicId);
    setText(byId("hero-desk"), hero.desk);
    setText(byId("hero-name"), hero.name);
    setShown(byId("hero-name"), hero.name !== "");
    setText(byId("hero-more"), hero.more);
    setShown(byId("hero-more"), hero.more !== "");
    this.hero.classList.toggle("no-desk", !hero.desk);
    this.hero.classList.toggle("long-desk", hero.desk.length > LONG_DESK);
  }
}

function paintRow(row: Row, view: RowView | undefined): void {
  const classes = row.item.classList;
  classes.toggle("used", !!view);
  classes.toggle("ended", !!view && view.ended);
  classes.toggle("hot", !!view && view.hot && document.body.getAttribute("data-layout") === "media");
  classes.toggle("words", !!view && view.desk.length > LONG_DESK);
  classes.toggle("no-desk", !view || !view.desk);
  setAttribute(row.item, "data-key", view ? view.key : "");
  setAttribute(row.item, "data-public-id", view ? view.publicId : "");
  setText(row.number, view ? view.publicId : "");
  setText(row.desk, view ? view.desk : "");
  setText(row.name, view ? view.name : "");
  setText(row.note, view ? view.note : "");
}

function paintChip(chip: Chip, view: ChipView | undefined): void {
  setShown(chip.item, !!view);
  chip.color.style.backgroundColor = view ? view.color : "";
  setText(chip.name, view ? view.name : "");
  setText(chip.text, view ? view.text : "");
}

function makeRow(list: HTMLElement): Row {
  const item = make("li", "row", list);
  const number = make("bdi", "row-number", item);
  item.appendChild(arrow());
  return {
    item, number, desk: make("bdi", "row-desk", item), name: make("bdi", "row-name", item), note: make("span", "row-note", item),
  };
}

/** Drawn, because the arrows of fonts differ more than those of signs may. */
function arrow(): Element {
  const like = document.querySelector(".hero .arrow") as Element;
  const copy = like.cloneNode(true) as Element;
  copy.setAttribute("class", "arrow row-arrow");
  return copy;
}

function makeChip(list: HTMLElement): Chip {
  const item = make("li", "chip", list);
  const color = make("span", "chip-color", item);
  return { item, color, name: make("bdi", "", item), text: make("bdi", "chip-text", item) };
}
