// The keyboard. Single letters work only outside of fields, and can be turned off:
// whoever speaks to a computer must not set them off by accident.
import { byId, make } from "../common/dom";
import { Stored } from "./storage";
import { say } from "./words";

export interface Shortcut {
  /** As it is shown: "F2", "R", "Ctrl+K". */
  shown: string;
  /** The key's value; with ctrl, together with Control or Command. */
  key: string;
  ctrl?: boolean;
  /** The key of the words that say what it does. */
  does: string;
  run: () => void;
}

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);

export class Keys {
  private readonly letters = new Stored<boolean>("nowserving.letters", true);

  constructor(private readonly shortcuts: readonly Shortcut[]) {
    const box = byId<HTMLInputElement>("letters");
    box.checked = this.letters.value;
    box.onchange = () => this.letters.set(box.checked);
    byId("shortcut-list").replaceChildren(...shortcuts.concat([{ shown: "Ctrl+Enter", key: "", does: "key.send", run: () => undefined }, { shown: "/", key: "", does: "key.canned", run: () => undefined }])
      .map(({ shown, does }) => {
        const row = make("div", "shortcut");
        make("kbd", "", make("dt", "", row), shown);
        make("dd", "", row, say(does));
        return row;
      }));
  }

  /** Enter calls next only where it means nothing else. */
  onKey(event: KeyboardEvent, callNext: () => void): void {
    if (event.repeat || event.altKey || document.querySelector("dialog[open]")) return;
    const ctrl = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !ctrl && event.target === document.body) {
      event.preventDefault();
      callNext();
      return;
    }
    const letter = event.key.length === 1 && !ctrl;
    if (letter && (isField(event.target) || !this.letters.value)) return;
    const wanted = this.shortcuts.find((one) => !!one.ctrl === ctrl && one.key === (letter ? event.key.toLowerCase() : event.key));
    if (wanted) {
      event.preventDefault();
      wanted.run();
    }
  }
}
