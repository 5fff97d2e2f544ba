// The screens of a location as they are now: settings, presence, reports,
// receipts, all from the console's channel.
import { Push } from "../client/index";
import { Device, devicesOf, DisplaySettings } from "../common/displays";

/** A screen, with what only the administration changes. */
export interface Display extends DisplaySettings {
  lines?: number[];
  theme?: string;
}

export interface Receipt {
  display: number;
  offset: number;
  painted: boolean;
  spoken: boolean;
  time: string;
}

export interface Screens {
  displays: Display[];
  devices: Map<number, Device>;
  receipts: Map<number, Receipt>;
  lines: Array<{ id: number; name: string }>;
  desks: Array<{ id: number; name: string }>;
  /** The sessions that are there, with the screen of each. */
  present: Map<string, number>;
}

export function readScreens(snapshot: unknown): Screens {
  const s = (snapshot || {}) as any;
  const screens: Screens = {
    displays: (s.displays || []).slice(), devices: devicesOf(s.devices), receipts: new Map(), lines: s.lines || [], desks: s.desks || [], present: new Map(),
  };
  for (const member of s.presence || []) {
    if (member.display) screens.present.set(member.session, member.display);
  }
  return screens;
}

export function online(screens: Screens, display: number): boolean {
  return Array.from(screens.present.values()).indexOf(display) >= 0;
}

/** Applies a push; answers whether it was about screens. */
export function foldScreens(screens: Screens, push: Push): boolean {
  const data = push.data as any;
  switch (push.push) {
    case "presence":
      if (!data.display) return false;
      if (data.online) screens.present.set(data.session, data.display);
      else screens.present.delete(data.session);
      return true;
    case "device":
      screens.devices.set(data.display, data);
      return true;
    case "receipt":
      screens.receipts.set(data.display, { ...data, time: push.time });
      return true;
    case "display.changed": {
      const rest = screens.displays.filter((one) => one.id !== data.display.id);
      screens.displays = data.removed ? rest : rest.concat(data.display).sort((a, b) => a.id - b.id);
      return true;
    }
  }
  return false;
}
