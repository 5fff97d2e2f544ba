// Paints a BoardView. The elements are made once and only their text and
// classes change: a screen runs for months, and its page must not grow.
import { BoardView, CHIPS, ChipView, HeroView, ROWS, RowView } from "./model";
import { words } from "./words";

interface Row {
  item: HTMLElement;
  number: HTMLElement;
  desk: HTMLElement;
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
  private readonly hero = byId("hero");
  private pulses = 0;

  constructor() {
    const list = byId("rows");
    for (let i = 0; i < ROWS; i++) {
      this.rows.push(makeRow(list));
    }
    const chips = byId("chips");
    for (let i = 0; i < CHIPS; i++) {
      this.chips.push(makeChip(chips));
    }
    setText(byId("calls-heading"), words.listHeading);
    setText(byId("pair-title"), words.pairTitle);
    setText(byId("pair-help"), words.pairHelp);
    this.sound(false);
  }

  paint(view: BoardView): void {
    setText(byId("location"), view.location);
    setText(byId("waiting"), view.waiting);
    this.paintHero(view.hero);
    this.rows.forEach((row, i) => paintRow(row, view.rows[i]));
    this.chips.forEach((chip, i) => paintChip(chip, view.chips[i]));
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
    const hint = byId("sound");
    setText(hint, locked ? words.soundLocked : "");
    hint.style.display = locked ? "" : "none";
    setData("sound", locked ? "locked" : "open");
  }

  theme(theme: string): void {
    setData("theme", theme === "light" ? "light" : "dark");
  }

  /** Undefined hides the pairing page; "" shows it without a code yet. */
  pairing(code: string | undefined): void {
    if (code === undefined) {
      document.body.removeAttribute("data-pairing");
      return;
    }
    setData("pairing", code);
    setText(byId("pair-code"), code || "\u2026");
    setText(byId("pair-help"), code ? words.pairHelp : words.pairWait);
  }

  /** A text in place of the call, for the time before there is a board. */
  message(text: string): void {
    setText(byId("hero-label"), text);
  }

  private paintHero(hero: HeroView): void {
    setData("hero", hero.mode);
    setAttribute(this.hero, "data-public-id", hero.publicId);
    setAttribute(this.hero, "data-key", hero.key);
    setText(byId("hero-label"), hero.label);
    setText(byId("hero-number"), hero.publicId);
    setText(byId("hero-desk"), hero.desk);
    const classes = this.hero.classList;
    classes.toggle("no-desk", !hero.desk);
    classes.toggle("fit-7", hero.publicId.length >= 6 && hero.publicId.length < 8);
    classes.toggle("fit-9", hero.publicId.length >= 8);
    classes.toggle("to-9", hero.desk.length >= 9 && hero.desk.length < 13);
    classes.toggle("to-14", hero.desk.length >= 13 && hero.desk.length < 19);
    classes.toggle("to-20", hero.desk.length >= 19);
  }
}

function paintRow(row: Row, view: RowView | undefined): void {
  const classes = row.item.classList;
  classes.toggle("used", !!view);
  classes.toggle("ended", !!view && view.ended);
  classes.toggle("no-desk", !!view && !view.desk);
  classes.toggle("small", !!view && (view.desk.length > 8 || view.note !== ""));
  setAttribute(row.item, "data-key", view ? view.key : "");
  setAttribute(row.item, "data-public-id", view ? view.publicId : "");
  setText(row.number, view ? view.publicId : "");
  setText(row.desk, view ? view.desk : "");
  setText(row.note, view ? view.note : "");
}

function paintChip(chip: Chip, view: ChipView | undefined): void {
  chip.item.style.display = view ? "" : "none";
  chip.color.style.backgroundColor = view ? view.color : "";
  setText(chip.name, view ? view.name : "");
  setText(chip.text, view ? view.text : "");
}

function makeRow(list: HTMLElement): Row {
  const item = make("li", "row", list);
  const number = make("bdi", "row-number", item);
  item.appendChild(arrow());
  return { item, number, desk: make("span", "row-desk", item), note: make("span", "row-note", item) };
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
  return { item, color, name: make("span", "", item), text: make("span", "chip-text", item) };
}

function make(tag: string, className: string, parent: HTMLElement): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  parent.appendChild(element);
  return element;
}

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) {
    throw new Error("no element " + id);
  }
  return element;
}

/**
 * Writes only what differs, so that an unchanged screen costs no layout, and
 * into the text node that is there: a new one each time is work for a small
 * machine's garbage collector.
 */
function setText(element: HTMLElement, text: string): void {
  const node = element.firstChild;
  if (!node) {
    element.appendChild(document.createTextNode(text));
  } else if (node.nodeValue !== text) {
    node.nodeValue = text;
  }
}

function setAttribute(element: HTMLElement, name: string, value: string): void {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

function setData(name: string, value: string): void {
  setAttribute(document.body, "data-" + name, value);
}
