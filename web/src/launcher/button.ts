// The launcher: a round button in a shadow root of its own, with the badge.
import { takesWhite } from "./color";
import { SiteConfig } from "./api";
import { Raw, text } from "./raw";
import css from "css:launcher/launcher";

const SVG = "http://www.w3.org/2000/svg";

/** One drawing of the button. */
function icon(name: string, path: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon-" + name);
  svg.appendChild(document.createElementNS(SVG, "path")).setAttribute("d", path);
  return svg;
}

/** Adds a style sheet to root in whichever way the page's policy lets through. */
export function addStyle(root: ShadowRoot, css: string, nonce: string | undefined): void {
  try {
    // Not inline style for any policy, so that strict sites need to allow nothing.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = Array.from(root.adoptedStyleSheets).concat(sheet);
  } catch {
    const style = document.createElement("style");
    if (nonce) style.nonce = nonce;
    style.textContent = css;
    root.insertBefore(style, root.firstChild);
  }
}

/** The element in the page, its shadow root, and the button in it. */
export class Launcher {
  readonly host = document.createElement("div");
  readonly root = this.host.attachShadow({ mode: "open" });
  readonly frame = document.createElement("div");
  readonly button = document.createElement("button");
  private readonly badge = document.createElement("span");
  private count = 0;
  private open = false;

  constructor(private readonly say: (key: string, n?: number) => string, nonce: string | undefined, press: () => void) {
    this.host.id = "nowserving-widget";
    addStyle(this.root, css, nonce);
    this.button.type = "button";
    this.button.className = "launcher";
    this.button.appendChild(icon("chat", "M12 3c-5 0-9 3.5-9 8 0 2.5 1.3 4.6 3.3 6-.1 1-.5 2.3-1.4 3.3-.3.3 0 .8.4.7 2-.3 3.5-1 4.6-1.9 5.9 1 11.1-2.7 11.1-8.1 0-4.5-4-8-9-8ZM7.5 12.5a1.5 1.5 0 1 1 0-3 1.5 1.5 0 0 1 0 3Zm4.5 0a1.5 1.5 0 1 1 0-3 1.5 1.5 0 0 1 0 3Zm4.5 0a1.5 1.5 0 1 1 0-3 1.5 1.5 0 0 1 0 3Z"));
    this.button.appendChild(icon("close", "M5.3 8.3a1 1 0 0 1 1.4 0l5.3 5.3 5.3-5.3a1 1 0 1 1 1.4 1.4l-6 6a1 1 0 0 1-1.4 0l-6-6a1 1 0 0 1 0-1.4Z"));
    this.badge.className = "badge";
    this.badge.hidden = true;
    this.button.appendChild(this.badge);
    this.button.addEventListener("click", press);
    this.frame.appendChild(this.button);
    this.root.appendChild(this.frame);
    this.label();
  }

  /** Puts the button where the site wants it, in the site's colour. */
  place(raw: Raw, config: SiteConfig, language: string): void {
    const color = text(raw, "color", "launcherColor") || config.site.color || "";
    const brand = /^#[0-9a-f]{6}$/i.test(color) ? color : "#0a4f96";
    const set = (name: string, value: string) => this.host.style.setProperty("--" + name, value);
    set("brand", brand);
    set("on-brand", takesWhite(brand) ? "#ffffff" : "#0b1b2b");
    for (const name of ["bottom", "side"]) {
      const pixels = parseInt(text(raw, name) || "", 10);
      if (pixels >= 0) set(name, pixels + "px");
    }
    const side = text(raw, "position") || config.site.position || "";
    this.frame.className = /left/i.test(side) ? "at-left" : "at-right";
    this.frame.dir = language === "ar" ? "rtl" : "ltr";
    this.frame.lang = language;
    this.button.hidden = text(raw, "launcher") === "false" || !!raw["full"];
  }

  opened(open: boolean): void {
    this.open = open;
    this.label();
  }

  unread(count: number): void {
    this.count = count;
    this.badge.textContent = count > 99 ? "99+" : String(count);
    this.badge.hidden = !count;
    this.label();
  }

  private label(): void {
    this.button.setAttribute("aria-expanded", String(this.open));
    const name = this.say(this.open ? "close" : "open");
    this.button.setAttribute("aria-label", this.count && !this.open ? name + ", " + this.say("unread", this.count) : name);
  }
}
