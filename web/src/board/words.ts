/// <reference path="./words-all.d.ts" />
// What a board says, in each language that has a file in display/words.
import all from "words:all";

type Texts = { [key: string]: string | string[] };

export const FALLBACK = "en";

/** One language. */
export class Words {
  readonly code: string;
  private readonly texts: Texts;

  constructor(code: string, texts: Texts) {
    this.code = code;
    this.texts = texts;
  }

  get rtl(): boolean {
    return this.texts["dir"] === "rtl";
  }

  /** The text of a key, with {names} filled in. */
  say(key: string, values: { [name: string]: string | number } = {}): string {
    const text = this.texts[key];
    return typeof text !== "string" ? "" : text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  /** Monday is 0. */
  day(weekday: number): string {
    return (this.texts["days"] as string[])[weekday] || "";
  }

  /** "Desk 3", or a desk's own words. */
  desk(name: string): string {
    return /^\d+[A-Za-z]?$/.test(name) ? this.say("desk", { name }) : name;
  }

  nth(call: number): string {
    return call === 2 ? this.say("second") : call === 3 ? this.say("third") : this.say("nth", { n: call });
  }

  waiting(n: number): string {
    return n === 0 ? this.say("nobody") : this.say("waiting", { n });
  }

  wait(min: number, max: number): string {
    return min === max ? this.say("waitOne", { min }) : this.say("wait", { min, max });
  }

  stale(time: string): string {
    return time ? this.say("stale", { time }) : this.say("staleNever");
  }

  offline(time: string): string {
    return time ? this.say("offline", { time }) : this.say("offlineNever");
  }
}

/** The code of the file that serves a language, or "": "pt-BR" is served by "pt". */
export function codeOf(language: string): string {
  for (const code of [language, language.split("-")[0] || "", language.toLowerCase()]) {
    if (Object.prototype.hasOwnProperty.call(all, code)) {
      return code;
    }
  }
  return "";
}

/** Changes with what a language says and the voice that says it (FNV-1a). */
export function voiceVersion(language: string): string {
  const texts = all[language] as Texts | undefined;
  const said = texts ? texts["voice"] + "/" + texts["toDesk"] : "";
  let hash = 0x811c9dc5;
  for (let i = 0; i < said.length; i++) {
    hash = Math.imul(hash ^ said.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash.toString(16);
}

/** The words of a location's languages, first one first; never empty. */
export function wordsOf(languages: string[] | undefined): Words[] {
  const codes = (languages || []).map(codeOf).filter((code, i, list) => code !== "" && list.indexOf(code) === i);
  return (codes.length ? codes : [FALLBACK]).map((code) => new Words(code, all[code] as Texts));
}
