// Where a message is written: text, files, and the typing signal.
import { HubError } from "../client/index";
import { byId, make, setText } from "../common/dom";
import { Words } from "../common/words";
import { Door } from "./door";
import { SentFile } from "./outgoing";

const MAX_FILES = 10;
/** The hub's lease lasts 6 s. */
const TYPING_EVERY = 3000;

interface Upload {
  name: string;
  share: number;
  stored: SentFile | undefined;
  error: string;
  stop: () => void;
}

export interface ComposerDeps {
  door: Door;
  send(text: string, files: SentFile[]): void;
  typing(): void;
  draft(text: string): void;
  now(): number;
}

/** The form under the thread. */
export class Composer {
  private readonly text = byId<HTMLTextAreaElement>("text");
  private readonly file = byId<HTMLInputElement>("file");
  private uploads: Upload[] = [];
  private words: Words | undefined;
  private typed = -TYPING_EVERY;
  private limits = { text: 10000, file: 10 << 20 };

  constructor(private readonly deps: ComposerDeps) {
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("keydown", (event) => {
      // With a keyboard Enter sends; a phone's Enter makes a new line.
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && window.matchMedia("(pointer: fine)").matches) {
        event.preventDefault();
        this.submit();
      }
    });
    this.text.addEventListener("input", () => this.onInput());
    byId("attach").addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => {
      Array.from(this.file.files || []).forEach((one) => this.upload(one));
      this.file.value = "";
    });
  }

  setDraft(text: string): void {
    this.text.value = text;
    this.grow();
  }

  setLimits(limits: { text: number; file: number }): void {
    this.limits = limits;
    this.text.maxLength = limits.text;
  }

  /** Locked: one of the answers above is to be chosen. */
  render(words: Words, locked: boolean): void {
    this.words = words;
    this.text.placeholder = words.say(locked ? "choose" : "write");
    for (const control of [this.text, byId<HTMLButtonElement>("attach"), byId<HTMLButtonElement>("send")]) control.disabled = locked;
    this.text.setAttribute("aria-label", words.say("write"));
    byId("attach").setAttribute("aria-label", words.say("attach"));
    byId("send").setAttribute("aria-label", words.say("send"));
    this.renderUploads();
  }

  private onInput(): void {
    this.grow();
    this.deps.draft(this.text.value);
    this.note("");
    const now = this.deps.now();
    if (this.text.value.trim() && now - this.typed >= TYPING_EVERY) {
      this.typed = now;
      this.deps.typing();
    }
  }

  private submit(): void {
    const text = this.text.value.trim();
    if (this.uploads.some((upload) => !upload.stored && !upload.error)) {
      this.note(this.say("stillUploading"));
      return;
    }
    const files = this.uploads.filter((upload) => upload.stored).map((upload) => upload.stored as SentFile);
    if (!text && files.length === 0) return;
    this.deps.send(text, files);
    this.uploads = [];
    this.text.value = "";
    this.deps.draft("");
    this.typed = -TYPING_EVERY;
    this.note("");
    this.grow();
    this.renderUploads();
    this.text.focus();
  }

  private upload(file: File): void {
    this.note("");
    if (this.uploads.length >= MAX_FILES) return this.note(this.say("tooManyFiles", { n: MAX_FILES }));
    if (file.size === 0) return this.note(this.say("emptyFile"));
    if (file.size > this.limits.file) return this.note(this.say("fileTooLarge", { n: Math.floor(this.limits.file / (1 << 20)) }));
    const upload: Upload = { name: file.name, share: 0, stored: undefined, error: "", stop: () => undefined };
    upload.stop = this.deps.door.upload(file, (share) => {
      upload.share = share;
      this.renderUploads();
    }, (error, stored) => {
      if (stored) upload.stored = { id: stored.file, name: stored.name || file.name };
      else upload.error = this.uploadError(error);
      this.renderUploads();
    });
    this.uploads.push(upload);
    this.renderUploads();
  }

  private uploadError(error: HubError | undefined): string {
    switch (error && error.code) {
      case "too_large":
        return this.say("fileTooLarge", { n: Math.floor(this.limits.file / (1 << 20)) });
      case "bad_request":
        return this.say("fileRefused");
      default:
        return this.say("fileFailed");
    }
  }

  private renderUploads(): void {
    const list = byId("chips");
    list.hidden = this.uploads.length === 0;
    list.replaceChildren();
    for (const upload of this.uploads) {
      const chip = make("li", upload.error ? "chip failed" : "chip", list);
      make("span", "chip-name", chip, upload.name).dir = "auto";
      make("span", "chip-state", chip, upload.error || (upload.stored ? this.say("fileReady") : `${Math.floor(upload.share * 100)} %`));
      const remove = make("button", "small", chip, "\u00d7");
      remove.type = "button";
      remove.setAttribute("aria-label", this.say("removeFile", { name: upload.name }));
      remove.addEventListener("click", () => {
        upload.stop();
        this.uploads = this.uploads.filter((one) => one !== upload);
        this.renderUploads();
        byId("attach").focus();
      });
    }
  }

  private note(text: string): void {
    setText(byId("composer-note"), text);
  }

  private say(key: string, values: Record<string, string | number> = {}): string {
    return this.words ? this.words.say(key, values) : "";
  }

  private grow(): void {
    // Empty, it runs the way of its words; else the way of what is written in it.
    this.text.dir = this.text.value ? "auto" : "";
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight + 2, window.innerHeight / 3)}px`;
  }
}
