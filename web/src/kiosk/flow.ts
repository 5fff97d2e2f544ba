// What a kiosk shows, and when it forgets who stood there. Pure.

export type Screen = "language" | "line" | "details" | "issuing" | "ticket";

export interface Flow {
  screen: Screen;
  /** The language of the person who stands there. */
  language: string;
  line: number | undefined;
  /** When somebody last touched it, in ms. */
  touched: number;
}

/** So long before it forgets, it asks whether somebody is still there. */
export const WARN = 10000;
/** A hub that does not answer for so long is told to staff instead. */
export const GIVE_UP = 60000;

/** Where everybody begins: with one language there is nothing to choose. */
export function home(languages: readonly string[], now: number): Flow {
  return { screen: languages.length > 1 ? "language" : "line", language: languages[0] || "en", line: undefined, touched: now };
}

export function atHome(flow: Flow, languages: readonly string[]): boolean {
  return flow.line === undefined && flow.screen === (languages.length > 1 ? "language" : "line");
}

export function touch(flow: Flow, now: number): Flow {
  return { ...flow, touched: now };
}

export function chooseLanguage(language: string, now: number): Flow {
  return { screen: "line", language, line: undefined, touched: now };
}

/** With nothing to ask the number is asked for at once. */
export function chooseLine(flow: Flow, line: number, asks: boolean, now: number): Flow {
  return { ...flow, screen: asks ? "details" : "issuing", line, touched: now };
}

export function submitted(flow: Flow, now: number): Flow {
  return { ...flow, screen: "issuing", touched: now };
}

export function issued(flow: Flow, now: number): Flow {
  return { ...flow, screen: "ticket", touched: now };
}

/** Back to where it can be put right. */
export function refused(flow: Flow, asks: boolean, field: boolean, now: number): Flow {
  return asks && field ? { ...flow, screen: "details", touched: now } : { ...flow, screen: "line", line: undefined, touched: now };
}

export function back(flow: Flow, languages: readonly string[], now: number): Flow {
  return flow.screen === "details" ? { ...flow, screen: "line", line: undefined, touched: now } : home(languages, now);
}

/**
 * Ms until the kiosk forgets; undefined where there is nothing to forget. What
 * waits for the hub gets more time, because somebody stands there and waits.
 */
export function left(flow: Flow, languages: readonly string[], timeout: number, now: number): number | undefined {
  if (atHome(flow, languages)) return undefined;
  return Math.max(0, flow.touched + (flow.screen === "issuing" ? GIVE_UP : timeout) - now);
}

/** Seconds to show in the question whether somebody is there; undefined: no question. */
export function warning(flow: Flow, remaining: number | undefined): number | undefined {
  // A number that was given may be read in peace, and then goes by itself.
  if (remaining === undefined || remaining > WARN || flow.screen === "ticket" || flow.screen === "issuing") return undefined;
  return Math.max(1, Math.ceil(remaining / 1000));
}
