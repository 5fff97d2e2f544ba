// The few things that a page does to its elements. They write only what differs,
// so that an unchanged screen costs no layout.

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) {
    throw new Error("no element " + id);
  }
  return element;
}

export function make(tag: string, className: string, parent: Element): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  parent.appendChild(element);
  return element;
}

/**
 * Writes into the text node that is there: a new one each time is work for a
 * small machine's garbage collector.
 */
export function setText(element: Element, text: string): void {
  const node = element.firstChild;
  if (!node) {
    element.appendChild(document.createTextNode(text));
  } else if (node.nodeValue !== text) {
    node.nodeValue = text;
  }
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

export function setData(name: string, value: string): void {
  setAttribute(document.body, "data-" + name, value);
}

export function setShown(element: HTMLElement, shown: boolean): void {
  const display = shown ? "" : "none";
  if (element.style.display !== display) {
    element.style.display = display;
  }
}

export function setProperty(element: HTMLElement, name: string, value: string): void {
  if (element.style.getPropertyValue(name) !== value) {
    element.style.setProperty(name, value);
  }
}

const SMALLEST = 0.45;

/**
 * Shrinks what is too wide for each of boxes, by their --fit; says whether any
 * was. Measures once: every measuring after a change costs a layout.
 */
export function fit(boxes: HTMLElement[]): boolean {
  for (const box of boxes) {
    setProperty(box, "--fit", "1");
  }
  const ratios = boxes.map((box) => box.clientWidth / Math.max(1, box.scrollWidth));
  let shrunk = false;
  boxes.forEach((box, i) => {
    // A hidden box has no width, and nothing to fit.
    if (ratios[i]! > 0 && ratios[i]! < 1) {
      shrunk = true;
      setProperty(box, "--fit", String(Math.max(SMALLEST, Math.floor(ratios[i]! * 98) / 100)));
    }
  });
  return shrunk;
}

/** Shrinks texts that together are too high for their box. */
export function fitHeight(box: HTMLElement, texts: HTMLElement[]): void {
  const room = box.clientHeight;
  let used = 0;
  for (let i = 0; i < box.children.length; i++) {
    used += (box.children[i] as HTMLElement).offsetHeight || 0;
  }
  if (room > 0 && used > room * 0.97) {
    for (const text of texts) {
      const now = Number(text.style.getPropertyValue("--fit")) || 1;
      setProperty(text, "--fit", String(Math.max(SMALLEST, Math.floor(now * (room / used) * 94) / 100)));
    }
  }
}
