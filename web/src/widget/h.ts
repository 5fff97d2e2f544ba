// Making elements. Every text goes in as text; there is no other way in here.

type Value = string | number | boolean | undefined | ((event: any) => void);
type Child = Node | string | undefined | false;

/** An element: `h("button", { class: "x", onclick: run }, "Send")`. Booleans are attributes that are there or not. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, values: Record<string, Value> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const name of Object.keys(values)) {
    const value = values[name];
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** The drawings, as strokes on a field of 24 by 24. */
const STROKES = {
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6 6-6",
  send: "M4 12l16-8-5 16-3-7-8-1Z",
  clip: "M8 12.5l6.2-6.2a3.2 3.2 0 0 1 4.5 4.5l-8 8a5.2 5.2 0 0 1-7.4-7.4l7.7-7.7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  checks: "M2.5 12.5L7 17l9.5-9.5M12.5 16l1 1L23 7.5",
  clock: "M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  alert: "M12 8v5M12 16.5v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  file: "M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8l-5-5Zm0 0v5h5",
  bell: "M6 10a6 6 0 1 1 12 0c0 5 2 6 2 6H4s2-1 2-6ZM10 20a2.2 2.2 0 0 0 4 0",
  mute: "M6 10a6 6 0 1 1 12 0c0 5 2 6 2 6H4s2-1 2-6ZM3 3l18 18",
  line: "M4 7h16v3a2 2 0 0 0 0 4v3H4v-3a2 2 0 0 0 0-4V7ZM14 7v2M14 11v2M14 15v2",
  star: "M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1.1 5.9L12 16.9 6.7 19.7l1.1-5.9L3.5 9.7l5.9-.8L12 3.5Z",
  retry: "M4 12a8 8 0 1 1 2.5 5.8M4 12V7M4 12h5",
} as const;

export function icon(name: keyof typeof STROKES): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon icon-" + name);
  svg.setAttribute("aria-hidden", "true");
  svg.appendChild(document.createElementNS(SVG, "path")).setAttribute("d", STROKES[name]);
  return svg;
}

/** Replaces what is in parent, unless it is the same as before by its signature. */
export function fill(parent: HTMLElement, signature: string, make: () => Child[]): void {
  if (parent.dataset["is"] === signature) return;
  parent.dataset["is"] = signature;
  parent.replaceChildren(...(make().filter(Boolean) as Node[]));
}

/** Lets a field run the way of what is written in it; empty, the way of its words. */
export function follow(input: HTMLTextAreaElement): void {
  input.dir = input.value ? "auto" : "";
}

const LINK = /\bhttps?:\/\/[^\s<>"'\u0000-\u0020]+[^\s<>"'.,;:!?)\]}]/g;

/** A text with its web addresses as links, everything else as it is. */
export function linked(text: string): Node[] {
  const out: Node[] = [];
  let at = 0;
  text.replace(LINK, (found, offset: number) => {
    out.push(document.createTextNode(text.slice(at, offset)));
    out.push(h("a", { href: found, target: "_blank", rel: "noopener noreferrer" }, found));
    at = offset + found.length;
    return found;
  });
  out.push(document.createTextNode(text.slice(at)));
  return out;
}
