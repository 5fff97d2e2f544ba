// The lines to choose from, as big buttons that stay the same while they change.
import { Item, KeyedList, make, setText } from "../common/dom";
import { Words } from "../common/words";
import { ZoneClock } from "../board/time";
import { closedWhy, FormConfig, OfferedLine } from "./config";
import { inLanguage } from "./fields";
import { lineWords } from "./say";

interface Shown {
  line: OfferedLine;
  why: string;
  chosen: number | undefined;
  words: Words;
}

/** Why a line is closed, and when it opens. */
export function whyWords(words: Words, config: FormConfig, line: OfferedLine, clock: ZoneClock): string {
  const why = closedWhy(config, line);
  if (!why) return "";
  const opens = why === "closedNow" && config.opens ? Date.parse(config.opens) : NaN;
  const now = Date.parse(config.time);
  // "Closed now · Opens 24 Nov, 09:00"
  return isNaN(opens) ? words.say(why) : `${words.say(why)} \u00b7 ${words.say("opensAt", { time: clock.since(opens, now).replace(/:\d\d$/, "") })}`;
}

export class LineList {
  private readonly list: KeyedList<Shown>;

  /** With `toggles` the chosen one is marked; else a choice goes on to the next screen. */
  constructor(parent: HTMLElement, private readonly toggles: boolean, private readonly choose: (line: number) => void) {
    this.list = new KeyedList<Shown>(parent, (shown) => String(shown.line.id), (shown) => this.card(shown), parent);
  }

  render(config: FormConfig, chosen: number | undefined, words: Words, clock: ZoneClock): void {
    this.list.update(config.lines.map((line) => ({ line, why: whyWords(words, config, line, clock), chosen, words })));
  }

  private card(first: Shown): Item<Shown> {
    const element = make("li", "");
    const button = make("button", "line-card", element);
    button.type = "button";
    button.addEventListener("click", () => this.choose(first.line.id));
    const text = make("span", "", button);
    const name = make("span", "line-name", text);
    name.dir = "auto";
    const state = make("span", "line-state", text);
    const update = ({ line, why, chosen, words }: Shown): void => {
      setText(name, inLanguage(line.name, line.names, words.language));
      setText(state, why || lineWords(words, line));
      button.disabled = !!why;
      button.dataset["line"] = String(line.id);
      if (this.toggles) button.setAttribute("aria-pressed", String(line.id === chosen));
      button.style.setProperty("--line-color", /^#[0-9a-f]{6}$/i.test(line.color || "") ? (line.color as string) : "var(--edge)");
    };
    return { element, update };
  }
}
