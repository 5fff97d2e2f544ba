// The building blocks of the pages: cards, tables, dialogs. All text is text.
import { HubError } from "../client/index";
import { button, make } from "../common/dom";
import { Host } from "./host";
import { errorWords, say } from "./words";

type Cell = string | Node | Array<Node | string>;

/** A card with a heading; what is put into it goes into the returned element. */
export function card(parent: HTMLElement, title: string, intro = ""): HTMLElement {
  const section = make("section", "card", parent);
  if (title) make("h2", "", section, title);
  if (intro) make("p", "intro", section, intro);
  return section;
}

/** A row of buttons. */
export function actions(parent: HTMLElement): HTMLElement {
  return make("div", "actions", parent);
}

/** Something to be switched on or off. */
export function tick(parent: HTMLElement, text: string, on: boolean): HTMLInputElement {
  const label = make("label", "switch", parent);
  const box = make("input", "", label);
  box.type = "checkbox";
  box.checked = on;
  make("span", "", label, text);
  return box;
}

/** Where it is said, and read out, why something was not done. */
export function faultLine(parent: HTMLElement): HTMLElement {
  const line = make("p", "fault", parent);
  line.setAttribute("role", "alert");
  return line;
}

/** A small word with a meaning; the colour is never all that tells it. */
export function badge(text: string, kind: "good" | "warn" | "bad" | "plain" = "plain"): HTMLElement {
  return make("span", `badge ${kind}`, undefined, text);
}

/** Somebody's text, whatever way it is written. */
export function own(text: string, className = ""): HTMLElement {
  const element = make("bdi", className, undefined, text);
  return element;
}

/** A table that becomes a list of cards on a narrow screen. */
export class Table {
  readonly element: HTMLTableElement;
  private readonly body: HTMLTableSectionElement;

  constructor(parent: HTMLElement, caption: string, private readonly heads: string[], private readonly empty = "") {
    const scroller = make("div", "table", parent);
    this.element = make("table", "", scroller);
    make("caption", "visually-hidden", this.element, caption);
    const row = make("tr", "", make("thead", "", this.element));
    heads.forEach((head) => {
      const cell = make("th", "", row, head || "");
      cell.scope = "col";
      if (!head) make("span", "visually-hidden", cell, say("actions"));
    });
    this.body = make("tbody", "", this.element);
  }

  /** Replaces all rows. */
  fill<T>(things: readonly T[], cells: (thing: T) => Cell[], mark?: (row: HTMLTableRowElement, thing: T) => void): void {
    this.body.replaceChildren(...things.map((thing) => {
      const row = make("tr", "");
      cells(thing).forEach((cell, i) => {
        const element = make(i === 0 ? "th" : "td", "", row);
        if (i === 0) (element as HTMLTableCellElement).scope = "row";
        element.dataset["head"] = this.heads[i] || "";
        for (const part of Array.isArray(cell) ? cell : [cell]) {
          if (part !== "") element.append(typeof part === "string" ? own(part) : part);
        }
      });
      if (mark) mark(row, thing);
      return row;
    }));
    if (things.length === 0 && this.empty) {
      const cell = make("td", "none", make("tr", "", this.body), this.empty);
      cell.colSpan = this.heads.length;
    }
  }
}

/** Loads something and shows it, or why not, with a way to try again. */
export function load<T>(host: Host, parent: HTMLElement, what: () => Promise<T>, show: (thing: T) => void): void {
  const waiting = make("p", "none", parent, say("loading"));
  waiting.setAttribute("role", "status");
  what().then(
    (thing) => {
      if (!host.alive()) return;
      waiting.remove();
      show(thing);
    },
    (error: HubError) => {
      if (!host.alive()) return;
      waiting.textContent = errorWords(error);
      button(waiting, say("retry"), () => {
        waiting.remove();
        load(host, parent, what, show);
      });
    },
  );
}

/** Does something and says how it went; answers what came of it. */
export async function act<T>(host: Host, what: Promise<T>, done = ""): Promise<T | undefined> {
  try {
    const answer = await what;
    if (done && host.alive()) host.notice(done);
    return answer;
  } catch (error) {
    if (host.alive()) host.notice(errorWords(error), true);
    return undefined;
  }
}

/** Opens a dialog; build fills it and may close it. */
export function dialog(title: string, build: (body: HTMLElement, close: () => void) => void, closed?: () => void): void {
  const opener = document.activeElement as HTMLElement | null;
  const element = make("dialog", "dialog", document.body);
  const head = make("div", "dialog-head", element);
  const heading = make("h2", "", head, title);
  heading.id = "dialog-title";
  element.setAttribute("aria-labelledby", "dialog-title");
  const close = () => element.close();
  const cross = button(head, "\u00d7", close, "quiet cross");
  cross.setAttribute("aria-label", say("close"));
  element.addEventListener("close", () => {
    element.remove();
    if (opener && opener.isConnected) opener.focus();
    if (closed) closed();
  });
  build(make("div", "dialog-body", element), close);
  element.showModal();
  const first = element.querySelector<HTMLElement>("[autofocus], .dialog-body input:not([type=color]), .dialog-body select, .dialog-body textarea, .dialog-body button");
  if (first) first.focus();
}

/** Asks before something that cannot be undone. */
export function sure(title: string, text: string, yes: string, run: () => void): void {
  dialog(title, (body, close) => {
    make("p", "", body, text);
    const row = actions(body);
    button(row, say("cancel"), close).autofocus = true;
    button(row, yes, () => {
      close();
      run();
    }, "danger");
  });
}

/** Shows a secret, this one time. */
export function secret(title: string, text: string, value: string, closed: () => void): void {
  dialog(title, (body, close) => {
    make("p", "", body, text);
    const label = make("label", "", body, say("secret"));
    const field = make("input", "secret", label);
    field.readOnly = true;
    field.value = value;
    field.dir = "ltr";
    field.spellcheck = false;
    field.autofocus = true;
    field.addEventListener("focus", () => field.select());
    const row = actions(body);
    const copy = button(row, say("copy"), () => {
      field.select();
      const done = () => { copy.textContent = say("copied"); };
      // Without https there is no clipboard of the new kind.
      if (navigator.clipboard) {
        navigator.clipboard.writeText(value).then(done, () => undefined);
      } else if (document.execCommand("copy")) {
        done();
      }
    }, "primary");
    button(row, say("done"), close);
  }, closed);
}

/** Whether two things say the same. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
