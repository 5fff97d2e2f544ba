// The words of a page in every language. Each page has a folder `words` with one
// file per language, and imports them as "words:<page>"; English is complete by
// definition, and a test holds the others against it.

/** The words of one language by key; `{name}` in a text is replaced. */
export type WordList = Readonly<Record<string, string>>;

const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];

export class Words {
  constructor(
    readonly language: string,
    private readonly list: WordList,
  ) {}

  /** Which way the language is written, for the `dir` attribute. */
  get direction(): "rtl" | "ltr" {
    return RIGHT_TO_LEFT.indexOf(base(this.language)) >= 0 ? "rtl" : "ltr";
  }

  /** The text of a key; an unknown key shows itself, so that it is noticed. */
  say(key: string, values: Readonly<Record<string, string | number>> = {}): string {
    const text = this.list[key];
    return text === undefined ? key : text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
  }
}

/** The words in the first wanted language that there is, or else in English. */
export function chooseWords(all: Readonly<Record<string, WordList>>, wanted: readonly string[]): Words {
  for (const language of wanted) {
    const list = all[language.toLowerCase()] || all[base(language)];
    if (list) return new Words(base(language), list);
  }
  return new Words("en", all["en"] || {});
}

function base(language: string): string {
  return language.toLowerCase().split("-")[0] || "en";
}
