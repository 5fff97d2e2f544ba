// A word beside the closed button: the newest message, or that it is one's turn.
import { h, icon } from "./h";
import { Says } from "./says";

const LONGEST = 140;

export class Preview {
  readonly element = h("div", { class: "preview", role: "status", hidden: true });

  constructor(private readonly says: Says, private readonly open: () => void) {}

  show(by: string, text: string, strong = false): void {
    const short = text.length > LONGEST ? text.slice(0, LONGEST - 1) + "…" : text;
    this.element.className = "preview" + (strong ? " preview-call" : "");
    this.element.replaceChildren(
      h("button", { type: "button", class: "preview-text", onclick: this.open }, h("strong", {}, h("bdi", {}, by)), h("span", { dir: "auto" }, short)),
      h("button", { type: "button", class: "tool", "aria-label": this.says.say("dismiss"), onclick: () => this.hide() }, icon("close")));
    this.element.hidden = false;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
