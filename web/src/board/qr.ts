// QR codes as one SVG path.
import { encode } from "uqr";

/** Paints text as a code into svg; an empty text empties it. */
export function paintCode(svg: Element, text: string): void {
  if (svg.getAttribute("data-text") === text) {
    return;
  }
  svg.setAttribute("data-text", text);
  let path = "";
  if (text) {
    const { data, size } = encode(text, { border: 3 });
    svg.setAttribute("viewBox", "0 0 " + size + " " + size);
    data.forEach((row, y) => row.forEach((dark, x) => {
      if (dark) {
        path += "M" + x + " " + y + "h1v1h-1z";
      }
    }));
  }
  (svg.firstElementChild as Element).setAttribute("d", path);
}
