// Finding a ticket by number, name or phone: those on the page at once, and past
// ones through the hub.
import { HubError } from "../client/index";
import { byId, make } from "../common/dom";
import { Host, colorOf } from "./host";
import { findTickets } from "./http";
import { StaffTicket } from "./state";
import { errorWords, say, whoWords } from "./words";

const PAUSE = 200;
const SHOWN = 12;

export class Search {
  private readonly input = byId<HTMLInputElement>("search");
  private readonly list = byId("found");
  private found: StaffTicket[] = [];
  private at = 0;
  private asked = 0;
  private timer = 0;

  constructor(private readonly host: Host) {}

  listen(on: (target: EventTarget, type: string, run: (event: any) => void) => void): void {
    on(this.input, "input", () => this.typed());
    on(this.input, "keydown", (event: KeyboardEvent) => this.onKey(event));
    on(this.input, "focus", () => this.input.value && this.typed());
    on(this.input, "blur", () => this.hide());
    on(this.list, "mousedown", (event: MouseEvent) => event.preventDefault());
    on(this.list, "click", (event: MouseEvent) => {
      const option = (event.target as HTMLElement).closest("li");
      if (option?.dataset["at"]) this.take(Number(option.dataset["at"]));
    });
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  clear(): void {
    this.input.value = "";
    this.found = [];
    this.list.replaceChildren();
    this.hide();
  }

  private typed(): void {
    const text = this.input.value.trim();
    const asked = ++this.asked;
    window.clearTimeout(this.timer);
    if (!text) {
      this.hide();
      return;
    }
    this.timer = window.setTimeout(() => {
      findTickets(this.host.location, { q: text, limit: String(SHOWN) }).then(
        (found) => asked === this.asked && this.show(found),
        (error: HubError) => asked === this.asked && this.say(errorWords(error)),
      );
    }, PAUSE);
  }

  private show(found: StaffTicket[]): void {
    this.found = found;
    this.at = 0;
    this.render();
    if (found.length === 0) this.say(say("foundNone"));
  }

  private say(text: string): void {
    this.found = [];
    this.open();
    const none = make("li", "none", undefined, text);
    none.setAttribute("role", "option");
    none.setAttribute("aria-disabled", "true");
    none.setAttribute("aria-selected", "false");
    this.list.replaceChildren(none);
    this.input.removeAttribute("aria-activedescendant");
  }

  private open(): void {
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
  }

  private hide(): void {
    this.asked++;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  private render(): void {
    this.open();
    this.list.replaceChildren(...this.found.map((ticket, i) => {
      const item = make("li", i === this.at ? "active" : "");
      item.id = `found-${i}`;
      item.dataset["at"] = String(i);
      item.dataset["found"] = ticket.id;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(i === this.at));
      const swatch = make("span", "swatch", item);
      swatch.style.background = colorOf(this.host.state().lines.find((l) => l.id === ticket.line)?.color);
      make("strong", "", item, ticket.publicId || say("chatOnly"));
      make("span", "", item, whoWords(ticket));
      const when = [say(`status.${ticket.status || "none"}`), this.host.clock(ticket.created?.date), ticket.phoneNumber].filter(Boolean);
      make("span", "found-about", item, when.join(" \u00b7 "));
      return item;
    }));
    if (this.found.length) this.input.setAttribute("aria-activedescendant", `found-${this.at}`);
  }

  private onKey(event: KeyboardEvent): void {
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        if (this.list.hidden || this.found.length === 0) return;
        this.at = (this.at + (event.key === "ArrowDown" ? 1 : this.found.length - 1)) % this.found.length;
        this.render();
        break;
      case "Enter":
        if (this.list.hidden) return;
        this.take(this.at);
        break;
      case "Escape":
        this.clear();
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private take(at: number): void {
    const ticket = this.found[at];
    if (!ticket) return;
    this.hide();
    this.host.select(ticket.id);
  }
}
