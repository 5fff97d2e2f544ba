// How large letters must be to be read from the farthest seat, and how many rows
// that leaves. The cap height for a visual angle a at distance D is 2 D tan(a/2).

/** Where a screen hangs; all known, or the usual sizes are taken. */
export interface Place {
  /** The diagonal. */
  inches?: number;
  width?: number;
  height?: number;
  /** Metres to the farthest seat. */
  seat?: number;
  /** Rows that were asked for; 0 or absent: as many as can be read. */
  rows?: number;
}

export type Part = "number" | "desk" | "list";

/** A text that is smaller than EN 301 549 5.1.4 asks for. */
export interface Warning {
  part: Part;
  /** Cap heights in mm: what there is, and what would be needed. */
  has: number;
  needs: number;
  /** It can be read to the standard from here, in metres. */
  upTo: number;
  /** Not even 16 minutes of arc: it cannot be read at all from there. */
  unreadable: boolean;
}

/** Font sizes in percent of the screen's height. */
export interface Sizes {
  number: number;
  desk: number;
  row: number;
  /** Rows in one column, and columns. */
  rows: number;
  columns: number;
  warnings: Warning[];
}

/** Cap height as a share of the font size, for the sans-serif fonts in use. */
export const CAP = 0.72;
/** Degrees: EN 301 549, comfortable, and the floor of what can be read. */
export const EN = 0.7;
export const COMFORT = 22 / 60;
export const FLOOR = 16 / 60;
/** A row's height over its font size. */
export const LEAD = 1.32;
const FEWEST_ROWS = 3;

interface Span {
  min: number;
  usual: number;
  max: number;
}

interface Form {
  number: Span;
  desk: Span;
  row: Span;
  /** What the list may fill, in percent of the height. */
  area: number;
  columns: number;
  most: number;
}

const span = (min: number, usual: number, max: number): Span => ({ min, usual, max });

/** What each layout has room for. */
const FORMS: { [layout: string]: Form } = {
  focus: { number: span(20, 26, 30), desk: span(13, 16, 20), row: span(6, 8.4, 12), area: 65, columns: 1, most: 6 },
  board: { number: span(15, 18, 22), desk: span(11, 14, 17), row: span(5.4, 7.6, 12), area: 40, columns: 2, most: 8 },
  media: { number: span(20, 26, 30), desk: span(13, 16, 20), row: span(5, 7, 9), area: 65, columns: 1, most: 8 },
  portrait: { number: span(8, 11, 14), desk: span(5, 7, 9), row: span(2.6, 4.2, 6), area: 33.4, columns: 1, most: 8 },
  desk: { number: span(30, 45, 45), desk: span(8, 8, 8), row: span(6, 6, 6), area: 0, columns: 1, most: 0 },
};

/** The cap height in mm that is seen under an angle from a distance. */
export function capFor(metres: number, degrees: number): number {
  return 2 * metres * 1000 * Math.tan((degrees * Math.PI) / 360);
}

/** The distance in metres from which a cap height is seen under an angle. */
export function reach(capMm: number, degrees: number): number {
  return capMm / (2000 * Math.tan((degrees * Math.PI) / 360));
}

/** The height of the picture in mm, or 0 when it is not known. */
export function heightMm(place: Place): number {
  const { inches = 0, width = 0, height = 0 } = place;
  return inches && width && height ? (inches * 25.4 * height) / Math.sqrt(width * width + height * height) : 0;
}

function clamp(value: number, s: Span): number {
  return Math.min(s.max, Math.max(s.min, value));
}

/** Tenths, downwards: rounding up would not fit any more. */
function tenths(value: number): number {
  return Math.floor(value * 10 + 1e-9) / 10;
}

/** The sizes for a layout where the screen hangs. */
export function sizesFor(layout: string, place: Place): Sizes {
  const form = (FORMS[layout] || FORMS["board"]) as Form;
  const mm = heightMm(place);
  const seat = place.seat || 0;
  const known = mm > 0 && seat > 0;
  // Upwards: a tenth less would just miss the standard.
  const font = (degrees: number) => Math.ceil((capFor(seat, degrees) / CAP / mm) * 1000 - 1e-9) / 10;
  // Not smaller than usual: who sits nearer has nothing against large letters.
  const size = (s: Span) => tenths(known ? clamp(Math.max(font(EN), s.usual), s) : s.usual);
  const row = rowSize(form, place.rows || 0, known ? font : undefined);
  const rows = form.most ? Math.min(form.most, Math.max(1, Math.floor(form.area / (row * LEAD) + 1e-9))) : 0;
  const sizes: Sizes = {
    number: size(form.number), desk: size(form.desk), row, columns: form.columns, warnings: [],
    rows: place.rows && form.most ? Math.min(rows, Math.max(1, place.rows)) : rows,
  };
  if (known) {
    warn(sizes, "number", sizes.number, mm, seat);
    if (layout !== "desk") {
      warn(sizes, "desk", sizes.desk, mm, seat);
      warn(sizes, "list", sizes.row, mm, seat);
    }
  }
  return sizes;
}

/** As large as the standard asks if a few rows remain, else as large as they allow. */
function rowSize(form: Form, asked: number, font: ((degrees: number) => number) | undefined): number {
  if (!form.most) {
    return form.row.usual;
  }
  const wanted = font ? Math.max(font(EN), form.row.min) : form.row.usual;
  const rows = Math.min(form.most, asked || FEWEST_ROWS);
  const fits = form.area / (rows * LEAD);
  // Rows that were asked for may make letters small, but never unreadable.
  const least = font ? Math.min(form.row.max, Math.max(form.row.min, font(COMFORT))) : form.row.min;
  return tenths(Math.min(form.row.max, Math.max(least, Math.min(wanted, fits))));
}

function warn(sizes: Sizes, part: Part, font: number, mm: number, seat: number): void {
  const has = (font / 100) * mm * CAP;
  const needs = capFor(seat, EN);
  // Half a millimetre is less than what a ruler on the wall can tell.
  if (has + 0.5 < needs) {
    sizes.warnings.push({
      part, has: Math.round(has), needs: Math.round(needs),
      upTo: tenths(reach(has, EN)), unreadable: has + 0.5 < capFor(seat, FLOOR),
    });
  }
}
