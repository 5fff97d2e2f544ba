// The question after a conversation: one to five stars and a word.
import { fill, h, icon } from "./h";
import { Says } from "./says";

const STARS = [1, 2, 3, 4, 5];

/** A card at the end of the thread. It keeps what was chosen while others redraw. */
export class Survey {
  readonly element = h("form", { class: "survey", hidden: true });
  private rating = 0;
  private busy = false;
  private problem = "";
  private readonly comment: HTMLTextAreaElement;
  private readonly send: HTMLButtonElement;
  private readonly note = h("p", { class: "bad", role: "alert" });
  private readonly body = h("div", {});

  constructor(private readonly says: Says, rate: (rating: number, text: string) => Promise<void>) {
    this.comment = h("textarea", { rows: 2, maxlength: 2000, placeholder: says.say("comment"), "aria-label": says.say("comment") });
    this.send = h("button", { type: "submit", class: "strong" }, says.say("rateSend"));
    const stars = h("fieldset", { class: "stars" }, h("legend", {}, says.say("rate")));
    for (const value of STARS) {
      const input = h("input", { type: "radio", name: "rating", value, "aria-label": says.say("rate." + value), onchange: () => this.choose(value) });
      stars.append(h("label", { title: says.say("rate." + value) }, input, icon("star")));
    }
    this.element.append(this.body);
    this.form = [stars, this.comment, this.note, this.send];
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.rating || this.busy) return;
      this.busy = true;
      this.draw();
      rate(this.rating, this.comment.value.trim()).catch((error: Error) => {
        this.problem = says.say("failedAction", { why: error.message });
      }).then(() => {
        this.busy = false;
        this.draw();
      });
    });
    this.draw();
  }

  private readonly form: HTMLElement[];

  private choose(value: number): void {
    this.rating = value;
    this.element.querySelectorAll(".stars label").forEach((label, at) => label.classList.toggle("on", at < value));
    this.draw();
  }

  private draw(): void {
    this.send.disabled = !this.rating || this.busy;
    this.comment.hidden = this.send.hidden = !this.rating;
    this.note.textContent = this.problem;
    this.note.hidden = !this.problem;
  }

  /** Shows the question, the thanks, or nothing. */
  update(survey: { open: boolean; answered: boolean }): void {
    this.element.hidden = !survey.open && !survey.answered;
    fill(this.body, String(survey.answered), () =>
      survey.answered ? [h("p", { class: "thanks", role: "status" }, icon("check"), this.says.say("thanks"))] : this.form);
  }
}
