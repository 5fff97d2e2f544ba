// What has just happened, in one line, with one thing that can be done about it.
import { byId, setText } from "../common/dom";

const NOTICE_FOR = 8000;
/** Undoing waits longer: somebody has to notice first. */
const UNDO_FOR = 10000;

export class Notices {
  private action: (() => void) | undefined;
  private timer = 0;

  show(text: string, bad: boolean, action?: [words: string, run: () => void]): void {
    const box = byId("notice");
    box.className = `notice shown${bad ? " bad" : ""}`;
    setText(byId("notice-text"), text);
    this.action = action?.[1];
    byId("undo").hidden = !action;
    setText(byId("undo"), action?.[0] || "");
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.hide(), action ? UNDO_FOR : NOTICE_FOR);
  }

  act(): void {
    const { action } = this;
    this.hide();
    action?.();
  }

  hide(): void {
    window.clearTimeout(this.timer);
    byId("notice").classList.remove("shown");
    setText(byId("notice-text"), "");
    this.action = undefined;
  }
}
