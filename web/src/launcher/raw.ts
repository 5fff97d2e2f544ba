// What a site passed, as it came; the loader reads the little that it needs, and
// leaves the rest to the app.

export type Raw = Readonly<Record<string, any>>;

/** What the names of kept values begin with. */
export const PREFIX = "nowserving.";

/** The first of the named members that is there, as text. */
export function text(raw: Raw, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = raw[name];
    if (value !== undefined && value !== null && value !== "") return String(value);
  }
  return undefined;
}

/** A value that was kept for a site, wherever the browser let it be kept. */
export function peek(key: string, name: string): string | null {
  for (const storage of ["localStorage", "sessionStorage"] as const) {
    try {
      const value = window[storage].getItem(PREFIX + key + "." + name);
      if (value) return value;
    } catch {
      // Blocked; the next may not be.
    }
  }
  return null;
}

/** Which of the languages to speak: the first wanted one that there is. */
export function pickLanguage(wanted: ReadonlyArray<string | undefined>, have: readonly string[]): string {
  for (const tag of wanted) {
    const base = (tag || "").toLowerCase().split("-")[0] as string;
    if (have.indexOf(base) >= 0) return base;
  }
  return "en";
}
