// Small helpers over the page's elements. All text goes in as text.

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) {
    throw new Error(`no element ${id}`);
  }
  return element as T;
}

export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  parent?: HTMLElement,
  text?: string,
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (parent) parent.appendChild(element);
  return element;
}

export function button(parent: HTMLElement, text: string, run: () => void, className = ""): HTMLButtonElement {
  const element = make("button", className, parent, text);
  element.type = "button";
  element.addEventListener("click", run);
  return element;
}

/** Fills a select, keeping what is chosen when it is still there. */
export function fillSelect(select: HTMLSelectElement, options: Array<[value: string, text: string]>): void {
  const wanted = JSON.stringify(options);
  if (select.dataset["options"] === wanted) {
    return;
  }
  select.dataset["options"] = wanted;
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => {
    const option = make("option", "", undefined, text);
    option.value = value;
    return option;
  }));
  if (options.some(([value]) => value === chosen)) {
    select.value = chosen;
  }
}

/** One element of a list. */
export interface Item<T> {
  element: HTMLElement;
  update(thing: T): void;
}

/**
 * A list whose elements stay the same for the same key: what has the focus, or
 * is about to be clicked, is not replaced under the clerk's hands.
 */
export class KeyedList<T> {
  private readonly items = new Map<string, Item<T>>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly key: (thing: T) => string,
    private readonly create: (thing: T) => Item<T>,
    /** Takes the focus when the element that had it goes. */
    private readonly heir: HTMLElement,
  ) {}

  update(things: T[]): void {
    const keep = new Set(things.map(this.key));
    this.items.forEach((item, key) => {
      if (!keep.has(key)) {
        const focused = item.element.contains(document.activeElement);
        item.element.remove();
        this.items.delete(key);
        if (focused) this.heir.focus();
      }
    });
    let next = this.parent.firstElementChild;
    for (const thing of things) {
      let item = this.items.get(this.key(thing));
      if (!item) {
        item = this.create(thing);
        this.items.set(this.key(thing), item);
      }
      if (item.element === next) {
        next = next.nextElementSibling;
      } else {
        this.parent.insertBefore(item.element, next);
      }
      item.update(thing);
    }
  }
}
