// Files on their way in, and those that come with messages.
import { HubError } from "../client/wire";
import { Doors } from "./doors";
import { h, icon } from "./h";
import { Says } from "./says";
import { Attachment, UploadedFile } from "../common/visit";

/** What a message may bring. */
export const MAX_FILES = 10;

/** A file in the composer. */
export interface Upload {
  name: string;
  share: number;
  done?: UploadedFile;
  problem?: string;
  cancel: () => void;
}

/** Shows an attachment of the thread; the bytes come with the visitor's token. */
export class Files {
  private readonly urls: string[] = [];

  constructor(private readonly doors: Doors, private readonly says: Says, private readonly token: () => string, private readonly enlarge: (url: string, name: string) => void) {}

  view(file: Attachment): HTMLElement {
    const state = file.state || "passed";
    const name = file.originalFileName;
    if (state !== "passed") {
      return h("span", { class: "file file-" + state }, icon(state === "blocked" ? "alert" : "clock"), h("bdi", {}, name),
        h("small", {}, this.says.say(state === "blocked" ? "blocked" : "scanning")));
    }
    const chip = h("button", { type: "button", class: "file", "aria-label": this.says.say("download", { name }), onclick: () => this.download(file) }, icon("file"), h("bdi", {}, name));
    if (file.type !== "Image") return chip;
    const image = h("img", { alt: name });
    const button = h("button", { type: "button", class: "picture", "aria-label": this.says.say("enlarge", { name }), onclick: () => this.look(file) }, image);
    // Until the preview is there, or where the page's policy forbids it, the name.
    const holder = h("span", { class: "attachment" }, chip);
    image.onload = () => holder.replaceChildren(button);
    this.bytes(file, true).then((url) => { image.src = url; }, () => undefined);
    return holder;
  }

  private async bytes(file: Attachment, thumb: boolean): Promise<string> {
    const blob = await this.doors.file(this.token(), file.fileIdentifier, thumb);
    // Never as what it says to be: an address of this kind opened as a page would run on the site.
    const type = /^image\/(png|jpeg|gif|webp)$/.test(blob.type) ? blob.type : "application/octet-stream";
    const url = URL.createObjectURL(blob.slice(0, blob.size, type));
    this.urls.push(url);
    return url;
  }

  private look(file: Attachment): void {
    this.bytes(file, false).then((url) => this.enlarge(url, file.originalFileName), () => undefined);
  }

  private download(file: Attachment): void {
    this.bytes(file, false).then((url) => {
      const link = h("a", { href: url, download: file.originalFileName });
      link.click();
    }, () => undefined);
  }

  /** Begins an upload; changed is called on every step. */
  upload(file: File, limit: number | undefined, changed: () => void): Upload {
    const upload: Upload = { name: file.name, share: 0, cancel: () => undefined };
    if (limit && file.size > limit) {
      upload.problem = this.says.say("tooBig", { n: Math.floor(limit / 1048576) });
      return upload;
    }
    const { done, cancel } = this.doors.upload(this.token(), file, (share) => {
      upload.share = share;
      changed();
    });
    upload.cancel = cancel;
    done.then((made) => {
      upload.done = made;
      if (made.state === "blocked") upload.problem = this.says.say("blocked");
    }, (error: HubError) => {
      upload.problem = error.code === "unavailable" || error.code === "internal" ? this.says.say("uploadFailed") : error.message;
    }).then(changed);
    return upload;
  }

  release(): void {
    for (const url of this.urls) URL.revokeObjectURL(url);
    this.urls.length = 0;
  }
}
