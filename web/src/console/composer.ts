// Where a message or a note is written. What is typed is kept per ticket, over
// reconnects and reloads, until it is on its way.
import { HubError } from "../client/index";
import { button, byId, make, setText } from "../common/dom";
import { CannedReplies } from "./canned";
import { Host } from "./host";
import { upload } from "./http";
import { Drafts } from "./storage";
import { Outgoing, Unsent } from "./unsent";
import { errorWords, say } from "./words";

/** Typing is told at most so often; it lapses after twice that time. */
const TYPING_EVERY = 3000;
const MOST_FILES = 10;

interface Attached {
  name: string;
  id?: string;
  state: "uploading" | "pending" | "passed" | "blocked" | "failed";
  problem?: string;
}

export class Composer {
  private readonly text = byId<HTMLTextAreaElement>("message");
  private readonly form = byId<HTMLFormElement>("composer");
  private readonly picker = byId<HTMLInputElement>("file-picker");
  private readonly canned: CannedReplies;
  private readonly attached = new Map<string, Attached[]>();
  private ticket: string | undefined;
  private note = false;
  private closed = false;
  private toldTyping = 0;

  constructor(private readonly host: Host, private readonly drafts: Drafts, private readonly outgoing: Outgoing) {
    this.canned = new CannedReplies(this.text, () => this.typed());
  }

  /** Joins the page's listeners; `on` undoes that when the console stops. */
  listen(on: (target: EventTarget, type: string, run: (event: any) => void) => void): void {
    on(this.text, "input", () => this.typed());
    on(this.text, "keydown", (event: KeyboardEvent) => this.onKey(event));
    on(this.form, "submit", (event: Event) => {
      event.preventDefault();
      this.send();
    });
    on(byId("mode-message"), "click", () => this.setNote(false));
    on(byId("mode-note"), "click", () => this.setNote(true));
    on(byId("canned-open"), "click", () => this.canned.show(""));
    on(byId("attach"), "click", () => this.picker.click());
    on(this.picker, "change", () => {
      this.addFiles(Array.from(this.picker.files || []));
      this.picker.value = "";
    });
    on(this.form, "dragover", (event: DragEvent) => event.preventDefault());
    on(this.form, "drop", (event: DragEvent) => {
      event.preventDefault();
      this.addFiles(Array.from(event.dataTransfer?.files || []));
    });
    on(this.text, "paste", (event: ClipboardEvent) => {
      const files = Array.from(event.clipboardData?.files || []);
      if (files.length) {
        event.preventDefault();
        this.addFiles(files);
      }
    });
    this.canned.listen(on);
  }

  load(replies: Parameters<CannedReplies["load"]>[0]): void {
    this.canned.load(replies);
  }

  open(ticket: string | undefined): void {
    if (this.ticket === ticket) return;
    this.ticket = ticket;
    const draft = ticket === undefined ? undefined : this.drafts.get(ticket);
    this.text.value = draft?.text || "";
    this.setNote(draft?.note || false, false);
    this.canned.hide();
    this.grow();
    this.renderFiles();
  }

  focus(): void {
    this.text.focus();
  }

  takeBack(unsent: Unsent): void {
    this.setNote(unsent.note, false);
    this.text.value = [unsent.text, this.text.value].filter(Boolean).join("\n");
    this.attached.set(unsent.ticket, unsent.files.map((file): Attached => ({ id: file.id, name: file.name, state: "passed" })));
    this.typed();
    this.renderFiles();
    this.focus();
  }

  /** Sending waits for the link by itself; only a closed conversation takes no message. */
  render(): void {
    const open = this.ticket !== undefined;
    this.form.hidden = !open;
    const ticket = open ? this.host.ticket(this.ticket!) : undefined;
    this.closed = ticket?.conversation?.state === "Closed" || ticket?.erased === true;
    const reason = this.closed && !this.note ? say("blocked.closed") : "";
    setText(byId("send-hint"), reason || (this.host.blocked() ? say("sendsLater") : say("sendHint")));
    const send = byId<HTMLButtonElement>("send");
    send.disabled = reason !== "";
    send.title = reason;
    byId<HTMLButtonElement>("attach").disabled = this.host.blocked() !== "" || this.note;
    byId("attach").title = this.host.blocked();
  }

  private setNote(note: boolean, typed = true): void {
    this.note = note;
    this.form.classList.toggle("is-note", note);
    byId("mode-message").setAttribute("aria-pressed", String(!note));
    byId("mode-note").setAttribute("aria-pressed", String(note));
    this.text.placeholder = say(note ? "notePlaceholder" : "messagePlaceholder");
    this.text.setAttribute("aria-label", say(note ? "note" : "message"));
    setText(byId("send"), say(note ? "saveNote" : "send"));
    if (typed) {
      this.keep();
      this.render();
      this.text.focus();
    }
  }

  private typed(): void {
    this.keep();
    this.grow();
    this.canned.typed();
    const now = performance.now();
    if (this.ticket !== undefined && !this.note && this.text.value && now - this.toldTyping > TYPING_EVERY) {
      this.toldTyping = now;
      this.host.client.signal(`ticket:${this.ticket}`, "typing");
    }
  }

  private keep(): void {
    if (this.ticket !== undefined) this.drafts.set(this.ticket, this.text.value, this.note);
  }

  private grow(): void {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight + 2, 200)}px`;
  }

  private onKey(event: KeyboardEvent): void {
    if (this.canned.onKey(event)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      this.send();
    }
  }

  private send(): void {
    const { ticket } = this;
    const text = this.text.value.trim();
    const files = ticket === undefined || this.note ? [] : this.attached.get(ticket) || [];
    if (ticket === undefined || (this.closed && !this.note) || (!text && files.length === 0)) return;
    if (files.some((file) => file.state === "uploading")) {
      this.host.notice(say("filesUploading"), true);
      return;
    }
    if (files.some((file) => file.state === "blocked" || file.state === "failed")) {
      this.host.notice(say("filesBlocked"), true);
      return;
    }
    this.outgoing.add(ticket, text, this.note, files.map((file) => ({ id: file.id!, name: file.name })));
    if (!this.note) this.attached.delete(ticket);
    this.text.value = "";
    this.toldTyping = 0;
    this.keep();
    this.grow();
    this.renderFiles();
  }

  private addFiles(files: File[]): void {
    const { ticket } = this;
    if (ticket === undefined || this.note) return;
    const list = this.attached.get(ticket) || [];
    this.attached.set(ticket, list);
    for (const file of files.slice(0, MOST_FILES - list.length)) {
      const one: Attached = { name: file.name, state: "uploading" };
      list.push(one);
      upload(ticket, file).then(
        (done) => {
          one.id = done.file;
          one.state = done.state === "blocked" ? "blocked" : done.state === "pending" ? "pending" : "passed";
          this.renderFiles();
        },
        (error: HubError) => {
          one.state = "failed";
          one.problem = errorWords(error);
          this.renderFiles();
        },
      );
    }
    this.renderFiles();
  }

  private renderFiles(): void {
    const list = (this.ticket !== undefined && this.attached.get(this.ticket)) || [];
    byId("attached").replaceChildren(...list.map((file) => {
      const item = make("li", `file ${file.state}`);
      make("span", "", item, `${file.name}: ${file.problem || say(`file.${file.state}`)}`);
      const remove = button(item, "\u00d7", () => {
        list.splice(list.indexOf(file), 1);
        this.renderFiles();
        this.focus();
      }, "remove");
      remove.setAttribute("aria-label", say("removeFile", { file: file.name }));
      return item;
    }));
  }
}
