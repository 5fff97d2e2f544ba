/// <reference path="../common/words-page.d.ts" />
// The words that the pages share which take in visitors.
import all from "words:form";
import { WaitRange } from "../client/index";
import { chooseWords, Words } from "../common/words";

const NAMES: Readonly<Record<string, string>> = { ar: "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", de: "Deutsch", en: "English", es: "Espa\u00f1ol", fr: "Fran\u00e7ais" };

/** A language's name in itself. */
export function languageName(code: string): string {
  return NAMES[code] || code;
}

export function formWords(wanted: readonly string[]): Words {
  return chooseWords(all, wanted);
}

/** The languages of a location that there are words for, its first one first; never empty. */
export function offeredLanguages(languages: readonly string[] | undefined): string[] {
  const known = (languages || []).map((code) => code.toLowerCase().split("-")[0] || "").filter((code, i, list) => code in all && list.indexOf(code) === i);
  return known.length ? known : ["en"];
}

/** "Waiting: 4 · 5–15 min" */
export function lineWords(words: Words, line: { waiting: number; wait?: WaitRange }): string {
  const people = line.waiting === 0 ? words.say("nobodyWaits") : words.say("peopleWait", { n: line.waiting });
  const wait = waitRange(words, line.wait);
  return wait ? `${people} \u00b7 ${wait}` : people;
}

export function waitRange(words: Words, wait: WaitRange | undefined): string {
  if (!wait) return "";
  return wait.min === wait.max ? words.say("waitOne", { min: wait.min }) : words.say("waitRange", { min: wait.min, max: wait.max });
}

/** What a refusal means to who stands here. */
export function refusalWords(words: Words, code: string): string {
  switch (code) {
    case "bad_request":
      return words.say("refused.bad_request");
    case "conflict":
    case "not_found":
      return words.say("refused.conflict");
    default:
      return words.say("refused.other");
  }
}
