// What is around the slip and the thread: helpers, the way out, lines to join, tabs.
import { button, byId, fillSelect, make, setText } from "../common/dom";
import { Words } from "../common/words";
import { Line } from "../launcher/api";
import { AwakeState } from "./awake";
import { LANGUAGES, languageName } from "./language";
import { SoundState } from "./ring";
import { waitWords } from "./ticket-view";

export function renderHelpers(words: Words, here: boolean, sound: SoundState, awake: AwakeState): void {
  byId("helpers").hidden = !here;
  setText(byId("sound-text"), words.say(`sound.${sound}`));
  const soundButton = byId("sound-button");
  soundButton.hidden = sound === "none";
  setText(soundButton, words.say(sound === "on" ? "soundTry" : "soundOn"));
  document.body.dataset["sound"] = sound;
  document.body.dataset["awake"] = awake;
  setText(byId("awake-text"), words.say(`awake.${awake}`));
  setText(byId("language-label"), words.say("language"));
  fillSelect(byId("language"), LANGUAGES.map((code) => [code, languageName(code)]));
  byId<HTMLSelectElement>("language").value = words.language;
}

export function renderLeaving(words: Words, number: string): void {
  setText(byId("confirm-title"), words.say("leaveTitle"));
  setText(byId("confirm-text"), words.say("leaveText", { number }));
  setText(byId("confirm-no"), words.say("leaveNo"));
  setText(byId("confirm-yes"), words.say("leaveYes"));
}

/** A conversation without a place may join a line and keep its thread. */
export function renderOffer(words: Words, lines: Line[], busy: boolean, join: (line: number) => void): void {
  const open = lines.filter((line) => line.open !== false);
  const offer = byId("offer");
  offer.hidden = open.length === 0;
  const wanted = words.language + JSON.stringify(open) + String(busy);
  if (offer.hidden || offer.dataset["lines"] === wanted) return;
  offer.dataset["lines"] = wanted;
  setText(byId("offer-title"), words.say("joinLine"));
  const list = byId("offer-lines");
  list.replaceChildren();
  for (const line of open) {
    const choose = button(make("li", "", list), "", () => join(line.id), "offer-line");
    make("span", "", choose, line.name).dir = "auto";
    make("span", "offer-wait", choose, waitWords(words, line.wait));
    choose.disabled = busy;
  }
}

export function renderTabs(words: Words, publicId: string | undefined, unread: number): void {
  const view = document.body.dataset["view"];
  byId("tab-ticket").setAttribute("aria-pressed", String(view !== "messages"));
  byId("tab-messages").setAttribute("aria-pressed", String(view === "messages"));
  setText(byId("tab-ticket-text"), publicId || words.say("ticket"));
  setText(byId("tab-messages-text"), words.say("messages"));
  const badge = byId("badge");
  setText(badge, unread > 0 ? String(unread) : "");
  badge.hidden = unread === 0;
  setText(byId("badge-text"), unread > 0 ? words.say("unread", { n: unread }) : "");
  byId("tabs").setAttribute("aria-label", words.say("views"));
}
