// The site's colour, made safe to read: text on it, and it as text.

/** The hub's own blue, for a colour that cannot be read. */
const FALLBACK = "#0a4f96";

type RGB = [number, number, number];

function parse(color: string): RGB | undefined {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(color);
  const long = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  const hex = short ? short.slice(1).map((c) => c + c) : long ? long.slice(1) : undefined;
  return hex && (hex.map((c) => parseInt(c, 16)) as RGB);
}

function luminance(color: RGB): number {
  const [r, g, b] = color.map((c) => {
    const s = c / 255;
    return s <= 0.03928 ? s / 12.92 : Math.pow((s + 0.055) / 1.055, 2.4);
  }) as RGB;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG's contrast ratio. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(parse(a) as RGB), luminance(parse(b) as RGB)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function hex(color: RGB): string {
  return "#" + color.map((c) => ("0" + Math.round(c).toString(16)).slice(-2)).join("");
}

/** The colour, moved towards black or white until it can be read on background. */
export function readable(color: string, background: string): string {
  const from = parse(color) || (parse(FALLBACK) as RGB);
  const to = luminance(parse(background) as RGB) > 0.4 ? 0 : 255;
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = hex(from.map((c) => c + (to - c) * share) as RGB);
    if (contrast(mixed, background) >= 4.6) return mixed;
  }
  return hex([to, to, to]);
}

/** White is what people expect on a colour; a little darker, most colours take it. */
const TAKES_WHITE = 3;

/** The colours that the style sheets build on, as custom properties. */
export function palette(color: string | undefined): Record<string, string> {
  const brand = hex(parse(color || "") || (parse(FALLBACK) as RGB));
  const ink = contrast(brand, "#ffffff") >= TAKES_WHITE ? "#ffffff" : "#0b1b2b";
  return {
    "--brand": readable(brand, ink),
    "--on-brand": ink,
    "--brand-text": readable(brand, "#edf1f6"),
    "--brand-text-dark": readable(brand, "#223246"),
  };
}
