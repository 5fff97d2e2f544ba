// The screens of a location, as the pages of staff know them.

/** A screen as it was set up; a page adds what only it shows. */
export interface DisplaySettings {
  id: number;
  name: string;
  /** "kiosk", or absent for a screen. */
  kind?: string;
  layout?: string;
  desk?: number;
  inches?: number;
  width?: number;
  height?: number;
  seat?: number;
  rows?: number;
  room?: string;
  mute?: boolean;
}

/** What a screen last said of itself. */
export interface Device {
  display: number;
  engine: string;
  version: string;
  layout: string;
  sound: string;
  drift: number;
  width: number;
  height: number;
  receipt: number;
  seen: string;
  speaks: boolean;
}

/** A screen that is online and does not report for so long is stuck, in ms. */
export const SILENT = 35000;
/** A clock that is further off than this shows old calls as new ones, in ms. */
export const DRIFT = 2000;

/** What the screens said of themselves, by their numbers. */
export function devicesOf(list: readonly Device[] | undefined): Map<number, Device> {
  return new Map((list || []).map((device): [number, Device] => [device.display, device]));
}
