// A list of short texts, each in one language: cards for the screens.
import { button, make } from "../common/dom";
import { languageName } from "./lines";
import { say } from "./words";

export interface Card {
  language: string;
  text: string;
}

/** What the screens can write in by themselves; any other code may be typed over the wire. */
export const LANGUAGES = ["en", "es", "de", "fr", "ar"];

export class CardList {
  private readonly list: HTMLElement;

  constructor(parent: HTMLElement, cards: readonly Card[]) {
    this.list = make("div", "card-list", parent);
    cards.forEach((one) => this.add(one));
    const row = make("div", "actions", parent);
    button(row, say("card.add"), () => this.add({ language: "en", text: "" }).focus());
  }

  private add(one: Card): HTMLElement {
    const row = make("div", "card-row", this.list);
    const select = make("select", "", row);
    select.setAttribute("aria-label", say("card.language"));
    const known = LANGUAGES.indexOf(one.language) < 0 ? LANGUAGES.concat(one.language) : LANGUAGES;
    known.forEach((code) => select.append(new Option(languageName(code), code)));
    select.value = one.language;
    const text = make("input", "", row);
    text.value = one.text;
    text.maxLength = 140;
    text.dir = "auto";
    text.placeholder = say("card.placeholder");
    text.setAttribute("aria-label", say("card.text"));
    button(row, say("remove"), () => row.remove(), "quiet");
    return text;
  }

  read(): Card[] {
    return Array.from(this.list.children, (row) => ({
      language: row.querySelector("select")!.value, text: row.querySelector("input")!.value.trim(),
    })).filter((one) => one.text);
  }
}
