// Text messages that wait to be sent by hand: without a provider the hub keeps
// them, and somebody who has sent one says so here.
import { HubError } from "../client/index";
import { byId } from "../common/dom";
import { call } from "../common/http";
import { errorWords, say } from "./words";

interface Text {
  ticket: string;
  seq: number;
  publicId: string;
  to: string;
  valid: boolean;
  body: string;
}

export class Texts {
  private busy = false;
  private again = false;

  constructor(private readonly fail: (words: string) => void) {}

  /** Reads the list anew; calls that come meanwhile are served by one more. */
  refresh(): void {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    call("GET", "/hub/v1/texts").then(
      (answer) => this.show(answer.texts || []),
      (error: HubError) => this.fail(errorWords(error)),
    ).then(() => {
      this.busy = false;
      if (this.again) {
        this.again = false;
        this.refresh();
      }
    });
  }

  clear(): void {
    this.show([]);
  }

  private show(texts: Text[]): void {
    const list = byId("texts");
    list.textContent = "";
    byId("texts-card").hidden = texts.length === 0;
    for (const text of texts) {
      list.appendChild(this.row(text));
    }
  }

  private row(text: Text): HTMLElement {
    const item = document.createElement("li");
    const words = document.createElement("p");
    words.textContent = say(text.valid ? "textTo" : "textToNoPhone", { number: text.publicId, to: text.to, text: text.body });
    item.appendChild(words);
    for (const [status, label] of [["SENT", say("textSent")], ["INVALID_NUMBER", say("textWrong")]] as const) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.setAttribute("aria-label", say("textAbout", { action: label, number: text.publicId }));
      button.addEventListener("click", () => {
        button.disabled = true;
        call("POST", `/hub/v1/texts/${text.ticket}/${text.seq}`, { status }).then(
          () => this.refresh(),
          (error: HubError) => {
            button.disabled = false;
            this.fail(errorWords(error));
          },
        );
      });
      item.appendChild(button);
    }
    return item;
  }
}
