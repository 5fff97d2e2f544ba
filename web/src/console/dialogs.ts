// What opens over the page: the visitor's link, the shortcuts, the password.
import { HubError } from "../client/index";
import { paintCode } from "../board/qr";
import { byId, setText } from "../common/dom";
import { setPassword } from "./http";
import { errorWords, say } from "./words";

/** Opens a dialog; the browser keeps the focus in it and gives it back. */
export function openDialog(id: string): void {
  const dialog = byId<HTMLDialogElement>(id);
  if (!dialog.open) dialog.showModal();
}

export function closeDialogs(): void {
  document.querySelectorAll("dialog").forEach((dialog) => dialog.open && dialog.close());
}

/** Shows a visitor's link as a code to scan and as text to copy. */
export function showLink(link: string, number: string): void {
  setText(byId("link-title"), say("linkFor", { number: number || say("ticket") }));
  const field = byId<HTMLInputElement>("link-address");
  field.value = link;
  paintCode(document.getElementById("link-code")!, link);
  openDialog("link-dialog");
  field.select();
}

export function forgetLink(): void {
  setText(byId("link-title"), "");
  setText(byId("link-note"), "");
  byId<HTMLInputElement>("link-address").value = "";
  paintCode(document.getElementById("link-code")!, "");
}

/** Joins the dialogs' own buttons; called once. */
export function setUpDialogs(): void {
  document.querySelectorAll("dialog").forEach((dialog) => {
    dialog.querySelectorAll<HTMLElement>("[data-close]").forEach((close) => close.addEventListener("click", () => dialog.close()));
  });
  byId("link-dialog").addEventListener("close", forgetLink);
  byId("link-copy").addEventListener("click", () => {
    const field = byId<HTMLInputElement>("link-address");
    field.select();
    navigator.clipboard?.writeText(field.value).then(() => setText(byId("link-note"), say("copied")), () => undefined);
  });
  byId("change-password").addEventListener("click", () => openDialog("password-dialog"));
  byId("show-shortcuts").addEventListener("click", () => openDialog("shortcuts-dialog"));
  byId("password-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void changePassword();
  });
}

async function changePassword(): Promise<void> {
  const [first, second] = [byId<HTMLInputElement>("password-new"), byId<HTMLInputElement>("password-again")];
  const note = byId("password-note");
  note.className = "note";
  if (first.value !== second.value) {
    setText(note, say("passwordsDiffer"));
    second.focus();
    return;
  }
  try {
    await setPassword(first.value);
    first.value = second.value = "";
    note.className = "note good";
    setText(note, say("passwordChanged"));
  } catch (error) {
    setText(note, errorWords(error as HubError));
    first.focus();
  }
}
