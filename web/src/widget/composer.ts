// Where the visitor writes. What is written is kept over closing, changing the
// page and losing the connection; only sending takes it away.
import { Files, MAX_FILES, Upload } from "./files";
import { fill, follow, h, icon } from "./h";
import { Says } from "./says";
import { Store } from "../launcher/api";
import { UploadedFile } from "../common/visit";

const KEEP_AFTER = 250;
const TALLEST = 140;
const DRAFT = "draft";
const DRAFT_FILES = "draft.files";

export interface ComposerActions {
  send(text: string, files: UploadedFile[]): void;
  typed(): void;
}

export class Composer {
  readonly element = h("form", { class: "composer" });
  readonly input: HTMLTextAreaElement;
  private readonly sendButton: HTMLButtonElement;
  private readonly attachButton: HTMLButtonElement;
  private readonly picker = h("input", { type: "file", multiple: true, hidden: true, tabindex: -1 });
  private readonly chips = h("ul", { class: "chips", hidden: true });
  private readonly problem = h("p", { class: "bad", role: "alert", hidden: true });
  private uploads: Upload[] = [];
  private timer = 0;
  private limit: { text?: number; file?: number } = {};

  constructor(private readonly says: Says, private readonly files: Files, private readonly store: Store, private readonly actions: ComposerActions) {
    this.input = h("textarea", { rows: 1, placeholder: says.say("write"), "aria-label": says.say("message"), enterkeyhint: "send" });
    this.sendButton = h("button", { type: "submit", class: "send", "aria-label": says.say("send") }, icon("send"));
    this.attachButton = h("button", { type: "button", class: "tool", "aria-label": says.say("attach"), onclick: () => this.picker.click() }, icon("clip"));
    this.picker.setAttribute("aria-label", says.say("attach"));
    this.element.append(this.problem, this.chips, h("div", { class: "writing" }, this.attachButton, this.picker, this.input, this.sendButton));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("keydown", (event) => {
      // Not while an input method is still composing a character.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    this.picker.addEventListener("change", () => {
      this.add(Array.from(this.picker.files || []));
      this.picker.value = "";
    });
    this.input.addEventListener("paste", (event) => {
      const pasted = Array.from((event.clipboardData || { files: [] }).files);
      if (pasted.length && !this.attachButton.hidden) {
        event.preventDefault();
        this.add(pasted);
      }
    });
    this.restore();
  }

  /** Takes up what was kept. */
  restore(): void {
    this.input.value = this.store.get(DRAFT) || "";
    try {
      const kept = JSON.parse(this.store.get(DRAFT_FILES) || "[]") as UploadedFile[];
      this.uploads = kept.map((done) => ({ name: done.name, share: 1, done, cancel: () => undefined }));
    } catch {
      this.uploads = [];
    }
    this.grow();
    this.draw();
  }

  /** Another tab wrote; what is being written here stays. */
  noticed(name: string): void {
    if ((name === DRAFT || name === DRAFT_FILES) && (this.element.getRootNode() as ShadowRoot).activeElement !== this.input) this.restore();
  }

  private changed(): void {
    this.grow();
    this.draw();
    if (this.input.value.trim()) this.actions.typed();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.keep(), KEEP_AFTER);
  }

  /** Writes down what is not sent yet; also called when the page goes. */
  keep(): void {
    window.clearTimeout(this.timer);
    const files = this.uploads.filter((u) => u.done && !u.problem).map((u) => u.done);
    this.store.set(DRAFT, this.input.value || undefined);
    this.store.set(DRAFT_FILES, files.length ? JSON.stringify(files) : undefined);
  }

  private grow(): void {
    follow(this.input);
    this.input.style.height = "auto";
    if (this.input.scrollHeight) this.input.style.height = Math.min(TALLEST, this.input.scrollHeight) + "px";
  }

  private get uploading(): boolean {
    return this.uploads.some((u) => !u.done && !u.problem);
  }

  add(files: readonly File[]): void {
    for (const file of files.slice(0, Math.max(0, MAX_FILES - this.uploads.length))) {
      this.uploads = this.uploads.concat(this.files.upload(file, this.limit.file, () => {
        this.keep();
        this.draw();
      }));
    }
    this.draw();
  }

  private submit(): void {
    const text = this.input.value.trim();
    const files = this.uploads.filter((u) => u.done && !u.problem).map((u) => u.done as UploadedFile);
    const most = this.limit.text;
    this.problem.hidden = true;
    if (most && text.length > most) {
      this.problem.textContent = this.says.say("tooLong", { n: most });
      this.problem.hidden = false;
      return;
    }
    if ((!text && !files.length) || this.uploading || this.input.disabled) return;
    this.actions.send(text, files);
    this.input.value = "";
    this.uploads = [];
    this.keep();
    this.grow();
    this.draw();
    this.input.focus();
  }

  update(how: { attachments: boolean; locked: boolean; limit: { text?: number; file?: number } }): void {
    this.attachButton.hidden = !how.attachments;
    this.limit = how.limit;
    if (this.input.disabled !== how.locked) {
      this.input.disabled = how.locked;
      this.input.placeholder = this.says.say(how.locked ? "choose" : "write");
    }
    this.draw();
  }

  private draw(): void {
    this.sendButton.disabled = (!this.input.value.trim() && !this.uploads.some((u) => u.done && !u.problem)) || this.uploading || this.input.disabled;
    this.chips.hidden = !this.uploads.length;
    fill(this.chips, JSON.stringify(this.uploads.map((u) => [u.name, u.share, u.problem, !!u.done])), () => this.uploads.map((u) => this.chip(u)));
  }

  private chip(upload: Upload): HTMLElement {
    const percent = Math.round(upload.share * 100);
    const bar = h("i", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", percent + "%");
    const chip = h("li", { class: "chip" + (upload.problem ? " chip-bad" : upload.done ? "" : " chip-going") }, icon(upload.problem ? "alert" : "file"),
      h("bdi", {}, upload.name), upload.problem && h("small", {}, upload.problem), !upload.done && !upload.problem && bar,
      h("button", { type: "button", "aria-label": this.says.say("remove", { name: upload.name }), onclick: () => this.drop(upload) }, icon("close")));
    if (!upload.done && !upload.problem) {
      chip.append(h("span", { class: "hidden-text", role: "progressbar", "aria-valuenow": percent, "aria-label": this.says.say("uploading", { name: upload.name, n: percent }) }));
    }
    return chip;
  }

  private drop(upload: Upload): void {
    upload.cancel();
    this.uploads = this.uploads.filter((u) => u !== upload);
    this.keep();
    this.draw();
    this.input.focus();
  }

  set(text: string): void {
    this.input.value = text;
    this.grow();
    this.draw();
  }
}
