/// <reference path="../common/words-page.d.ts" />
// Which language a visitor's page speaks: what was chosen on it, what was
// chosen for the ticket, or what the phone speaks.
import all from "words:visitor";
import { chooseWords, Words } from "../common/words";
import { chooseLanguage, chosenLanguage } from "./memory";

export const LANGUAGES = Object.keys(all);

const NAMES: Readonly<Record<string, string>> = { ar: "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", de: "Deutsch", en: "English", es: "Espa\u00f1ol", fr: "Fran\u00e7ais" };

/** A language's name in itself. */
export function languageName(code: string): string {
  return NAMES[code] || code;
}

/** The words for a ticket; with `chosen`, that language from now on. */
export function wordsFor(ticket: { languageCode?: string } | undefined, chosen?: string): Words {
  if (chosen) chooseLanguage(chosen);
  return chooseWords(all, wantedLanguages(chosenLanguage(), (ticket && ticket.languageCode) || "", navigator.languages));
}

/** Pure. English on a ticket may only mean that nobody was asked. */
export function wantedLanguages(chosen: string, onTicket: string, phone: readonly string[]): string[] {
  const wanted = [chosen];
  if (onTicket && !/^en\b/i.test(onTicket)) wanted.push(onTicket);
  return wanted.concat(phone, onTicket).filter((language) => language !== "");
}
