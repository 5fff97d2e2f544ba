// The button's colours. The app makes the site's colour safe for text; a drawing
// needs less, so here it is enough to choose between white and the dark ink.

/** Whether white is read better on a colour than the dark ink. */
export function takesWhite(color: string): boolean {
  const [r, g, b] = [1, 3, 5].map((at) => Math.pow(parseInt(color.slice(at, at + 2), 16) / 255, 2.2)) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.3;
}
