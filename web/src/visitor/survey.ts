// Asked once, when it is over: how was it?
import { HubError } from "../client/index";
import { byId, make, setText } from "../common/dom";
import { Words } from "../common/words";
import { Door } from "./door";

const MOST = 5;
const MAX_TEXT = 1000;

type SurveyState = "hidden" | "open" | "sending" | "answered";

/** The form is made when it is first shown. */
export class Survey {
  private readonly form = byId<HTMLFormElement>("survey");
  private state: SurveyState = "hidden";
  private rating = 0;
  private note = "";
  private language = "";

  constructor(private readonly door: Door) {
    this.form.hidden = true;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  set(open: boolean, answered: boolean): void {
    if (this.state === "sending") return;
    this.state = answered ? (this.state === "answered" ? "answered" : "hidden") : open ? "open" : "hidden";
  }

  render(words: Words): void {
    this.form.hidden = this.state === "hidden";
    if (this.state === "hidden") return;
    const wanted = words.language + (this.state === "answered" ? "!" : "");
    if (this.language !== wanted) {
      this.language = wanted;
      this.build(words);
    }
    const send = this.form.querySelector("button");
    if (send) {
      send.disabled = this.state === "sending";
      setText(byId("survey-note"), this.note ? words.say(this.note) : "");
    }
    this.words = words;
  }

  private words: Words | undefined;

  private build(words: Words): void {
    const text = this.form.querySelector("textarea")?.value || "";
    this.form.replaceChildren();
    if (this.state === "answered") {
      make("p", "survey-thanks", this.form, words.say("surveyThanks")).setAttribute("role", "status");
      return;
    }
    const set = make("fieldset", "stars", this.form);
    make("legend", "", set, words.say("surveyTitle"));
    for (let n = 1; n <= MOST; n++) {
      this.star(set, n, words);
    }
    const label = make("label", "survey-label", this.form, words.say("surveyText"));
    const area = make("textarea", "", label);
    area.rows = 2;
    area.dir = "auto";
    area.maxLength = MAX_TEXT;
    area.value = text;
    const note = make("p", "note", this.form);
    note.id = "survey-note";
    note.setAttribute("role", "alert");
    make("button", "primary", this.form, words.say("surveySend")).type = "submit";
  }

  private star(set: HTMLElement, n: number, words: Words): void {
    const label = make("label", "star", set);
    const radio = make("input", "", label);
    radio.type = "radio";
    radio.name = "rating";
    radio.value = String(n);
    radio.checked = this.rating === n;
    radio.setAttribute("aria-label", words.say("surveyStars", { n, of: MOST }));
    radio.addEventListener("change", () => {
      this.rating = n;
      this.form.dataset["rating"] = String(n);
    });
    make("span", "", label, "\u2605").setAttribute("aria-hidden", "true");
  }

  private submit(): void {
    if (this.rating === 0) {
      this.tell("surveyPick");
      return;
    }
    this.state = "sending";
    this.tell("");
    this.door.survey(this.rating, (this.form.querySelector("textarea")?.value || "").trim()).then(
      () => this.done(),
      (error: HubError) => {
        // An answer that got lost was taken: it is asked once only.
        if (error.code === "conflict") return this.done();
        this.state = "open";
        this.tell("surveyFailed");
      },
    );
  }

  private done(): void {
    this.state = "answered";
    this.tell("");
  }

  private tell(note: string): void {
    this.note = note;
    if (this.words) this.render(this.words);
  }
}
