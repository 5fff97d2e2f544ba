// Which kiosk this is. It is kept apart from a screen's token: one device may be
// tried out as both.
import { Paired } from "../board/pairing";

const TOKEN = "nowserving.kiosk";

export interface KioskIdentity {
  token: string;
  display: number;
  location: number;
}

let inMemory: KioskIdentity | undefined;

export function loadKiosk(): KioskIdentity | undefined {
  try {
    const saved = JSON.parse(window.localStorage.getItem(TOKEN) || "null");
    return saved && typeof saved.token === "string" && saved.location > 0 ? saved : inMemory;
  } catch {
    return inMemory;
  }
}

export function saveKiosk(paired: Paired): KioskIdentity {
  const identity = inMemory = { token: paired.token, display: paired.display, location: paired.location };
  try {
    window.localStorage.setItem(TOKEN, JSON.stringify(identity));
  } catch {
    // Kept for as long as the page lives.
  }
  return identity;
}

export function forgetKiosk(): void {
  inMemory = undefined;
  try {
    window.localStorage.removeItem(TOKEN);
  } catch {
    // Was not kept either.
  }
}
