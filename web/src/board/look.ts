// How this screen looks: the location's settings, the screen's own over them,
// and the window it really has.
import { Board } from "../client/index";
import { Place, Sizes, sizesFor } from "./size";
import { Words, wordsOf } from "./words";

export type Layout = "board" | "focus" | "media" | "portrait" | "desk";

export interface Card {
  language: string;
  text: string;
}

export interface Medium {
  id: string;
  type: string;
  seconds?: number;
}

/** The location's board settings. */
export interface Settings {
  layout?: string;
  theme?: string;
  names?: string;
  cards?: Card[];
  media?: Medium[];
  logo?: string;
  emergency?: Card[];
  tone?: boolean;
  joinUrl?: string;
  where?: string;
}

/** What the hub knows of this screen. */
export interface Display extends Place {
  id: number;
  name?: string;
  layout?: string;
  theme?: string;
  lines?: number[];
  desk?: number;
  room?: string;
  mute?: boolean;
}

export interface Look {
  layout: Layout;
  theme: string;
  /** The desk that this screen is the sign of, or 0. */
  desk: number;
  /** The lines it shows; undefined: all. */
  lines: number[] | undefined;
  sizes: Sizes;
  words: Words[];
  cards: Card[];
  media: Medium[];
  emergency: Card[];
  /** The emergency sounds as well. */
  tone: boolean;
  logo: string;
  join: string;
  where: string;
}

export interface Window {
  width: number;
  height: number;
}

const LAYOUTS: Layout[] = ["board", "focus", "media", "portrait", "desk"];

export function lookOf(board: Board, display: Display | undefined, window: Window): Look {
  const settings = (board.settings || {}) as Settings;
  const own: Partial<Display> = display || {};
  const layout = layoutOf(own.desk ? "desk" : own.layout || settings.layout, window);
  return {
    layout,
    theme: own.theme || settings.theme || "dark",
    desk: layout === "desk" ? own.desk || 0 : 0,
    lines: own.lines && own.lines.length ? own.lines : undefined,
    sizes: sizesFor(layout, placeOf(own, window)),
    words: wordsOf(board.location.languages),
    cards: settings.cards || [],
    media: settings.media || [],
    emergency: settings.emergency || [],
    tone: !!settings.tone && !own.mute,
    logo: settings.logo || "",
    join: settings.joinUrl || "",
    where: settings.where || "",
  };
}

/** An upright screen gets the portrait layout, whatever was chosen for the others. */
function layoutOf(chosen: string | undefined, window: Window): Layout {
  const layout = LAYOUTS.indexOf(chosen as Layout) >= 0 ? (chosen as Layout) : "board";
  return layout !== "desk" && window.height > window.width ? "portrait" : layout;
}

/** The resolution as it is mounted: a television turned upright says 3840x2160 still. */
function placeOf(own: Partial<Display>, window: Window): Place {
  let { width = window.width, height = window.height } = own;
  if (height > width !== window.height > window.width) {
    [width, height] = [height, width];
  }
  const place: Place = { width, height };
  if (own.inches) place.inches = own.inches;
  if (own.seat) place.seat = own.seat;
  if (own.rows) place.rows = own.rows;
  return place;
}
