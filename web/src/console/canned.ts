// Canned replies: a slash at the beginning of a message searches them.
import { byId, make } from "../common/dom";
import { Reply } from "./http";
import { say } from "./words";

const SHOWN = 8;

/** The replies that a search finds: every word, anywhere; titles before texts. */
export function findReplies(replies: readonly Reply[], search: string): Reply[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text: string) => words.every((word) => text.toLowerCase().includes(word));
  const byTitle = replies.filter((r) => has(r.title));
  return byTitle.concat(replies.filter((r) => byTitle.indexOf(r) < 0 && has(`${r.title} ${r.category || ""} ${r.text}`))).slice(0, SHOWN);
}

/** The list over the message, worked by the keys of the message itself. */
export class CannedReplies {
  private readonly list = byId("canned");
  private replies: Reply[] = [];
  private found: Reply[] = [];
  private at = 0;

  constructor(private readonly text: HTMLTextAreaElement, private readonly changed: () => void) {}

  listen(on: (target: EventTarget, type: string, run: (event: any) => void) => void): void {
    on(this.list, "mousedown", (event: MouseEvent) => event.preventDefault()); // keeps the focus where it is
    on(this.list, "click", (event: MouseEvent) => {
      const option = (event.target as HTMLElement).closest("li");
      if (option?.dataset["at"]) this.take(Number(option.dataset["at"]));
    });
    on(this.text, "blur", () => this.hide());
  }

  load(replies: Reply[]): void {
    this.replies = replies;
  }

  typed(): void {
    const { value } = this.text;
    if (value.startsWith("/") && !value.includes("\n")) {
      this.show(value.slice(1));
    } else {
      this.hide();
    }
  }

  show(search: string): void {
    this.found = findReplies(this.replies, search);
    this.at = 0;
    this.text.focus();
    this.render();
  }

  hide(): void {
    this.list.hidden = true;
    this.text.removeAttribute("aria-activedescendant");
  }

  /** Answers whether the key was for the list. */
  onKey(event: KeyboardEvent): boolean {
    if (this.list.hidden) return false;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        if (this.found.length === 0) return true;
        this.at = (this.at + (event.key === "ArrowDown" ? 1 : this.found.length - 1)) % this.found.length;
        this.render();
        return true;
      case "Enter":
      case "Tab":
        if (event.ctrlKey || event.metaKey || this.found.length === 0) return false;
        this.take(this.at);
        return true;
      case "Escape":
        this.hide();
        return true;
      default:
        return false;
    }
  }

  private take(at: number): void {
    const reply = this.found[at];
    if (!reply) return;
    const { value } = this.text;
    this.text.value = value.startsWith("/") ? reply.text : value + (value && !/\s$/.test(value) ? " " : "") + reply.text;
    this.hide();
    this.changed();
    this.text.focus();
    this.text.setSelectionRange(this.text.value.length, this.text.value.length);
  }

  private render(): void {
    this.list.hidden = false;
    this.list.replaceChildren(...this.found.map((reply, i) => {
      const item = make("li", i === this.at ? "active" : "");
      item.id = `canned-${i}`;
      item.dataset["at"] = String(i);
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(i === this.at));
      make("strong", "", item, reply.title);
      make("span", "", item, reply.text);
      return item;
    }));
    if (this.found.length === 0) {
      const none = make("li", "none", this.list, say("cannedNone"));
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.setAttribute("aria-selected", "false");
      this.text.removeAttribute("aria-activedescendant");
      return;
    }
    this.text.setAttribute("aria-activedescendant", `canned-${this.at}`);
  }
}
