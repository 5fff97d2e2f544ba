// Files of the thread. They are fetched with the token in a header and shown
// from memory, so that no address holds it.
import { make, setText } from "../common/dom";
import { Words } from "../common/words";
import { Door } from "./door";
import { Attachment } from "../common/visit";

/** A file of an entry, or of a message that is on its way and has no number yet. */
export type ShownFile = Omit<Attachment, "id">;

type Picture = { url: string } | { tried: number };

/** Lists of files, and the pictures in them. */
export class Files {
  private readonly pictures = new Map<string, Picture>();

  constructor(private readonly door: Door, private readonly changed: () => void) {}

  render(list: HTMLElement, files: ShownFile[], words: Words): void {
    list.hidden = files.length === 0;
    const wanted = JSON.stringify(files) + words.language + files.map((file) => (this.picture(file) ? 1 : 0)).join("");
    if (list.dataset["files"] === wanted) return;
    list.dataset["files"] = wanted;
    list.replaceChildren();
    for (const file of files) {
      this.item(make("li", "file", list), file, words);
    }
  }

  private item(element: HTMLElement, file: ShownFile, words: Words): void {
    const state = file.state || "passed";
    element.classList.add(state);
    const name = file.originalFileName || words.say("file");
    if (state !== "passed") {
      const label = make("span", "file-name", element, name);
      label.dir = "auto";
      make("span", "file-state", element, words.say(state === "blocked" ? "fileBlocked" : "filePending"));
      return;
    }
    const open = make("button", "file-open", element);
    open.type = "button";
    const url = this.picture(file);
    if (url) {
      const image = make("img", "file-picture", open);
      image.src = url;
      image.alt = words.say("openFile", { name });
    } else {
      make("span", "file-name", open, name).dir = "auto";
    }
    const note = make("span", "file-state", element);
    open.addEventListener("click", () => {
      setText(note, words.say("loading"));
      this.save(file, name).then(() => setText(note, ""), () => setText(note, words.say("fileAway")));
    });
    open.setAttribute("aria-label", words.say("openFile", { name }));
  }

  /** The small picture's address, when it is loaded; starts to load it. */
  private picture(file: ShownFile): string | undefined {
    if (!/^image/i.test(file.type) || (file.state && file.state !== "passed")) return undefined;
    const known = this.pictures.get(file.fileIdentifier);
    if (known) return "url" in known ? known.url : undefined;
    this.pictures.set(file.fileIdentifier, { tried: 1 });
    this.door.bytes(file.fileIdentifier, true).then(
      (blob) => {
        this.pictures.set(file.fileIdentifier, { url: URL.createObjectURL(blob) });
        this.changed();
      },
      () => undefined, // its name is shown
    );
    return undefined;
  }

  private async save(file: ShownFile, name: string): Promise<void> {
    const url = URL.createObjectURL(await this.door.bytes(file.fileIdentifier, false));
    const link = make("a", "");
    link.href = url;
    link.download = name;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(url), 60000);
  }

  /** Lets go of everything that was loaded. */
  forget(): void {
    this.pictures.forEach((picture) => {
      if ("url" in picture) URL.revokeObjectURL(picture.url);
    });
    this.pictures.clear();
  }
}
