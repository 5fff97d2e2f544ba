// The loader, /widget.js: small enough for any page. It draws the button; the
// app behind it is loaded with the first opening, or where a conversation waits.
import all from "words:launcher";
import { App, Host, Part, SiteConfig, WidgetEvents } from "./api";
import { addStyle, Launcher } from "./button";
import { PREFIX, peek, pickLanguage, Raw, text } from "./raw";

type Listener = (...values: any[]) => void;

const RETRY_FIRST = 2000;
const RETRY_CAP = 60000;

// Must be read while the script runs; afterwards nobody knows which it was.
const script = document.currentScript as HTMLScriptElement | null;
const trusted = truster();
const origin = script && script.src ? new URL(script.src).origin : location.origin;

/** One widget on the page, from attach to destroy. */
export class Widget {
  private readonly hub: string;
  private readonly key: string;
  private readonly listeners: Record<string, Listener[]> = {};
  private language: string;
  private config: SiteConfig | undefined;
  private launcher: Launcher | undefined;
  private app: App | undefined;
  private part: Promise<Part> | undefined;
  private asked = false;
  private visible = true;
  private ended = false;
  private cleanups: Array<() => void> = [];
  opened = false;
  unread = 0;

  constructor(private raw: Raw) {
    this.key = text(raw, "key", "snippetId", "apiKey") || "";
    this.hub = (text(raw, "hub") || origin).replace(/\/+$/, "");
    this.language = this.pick();
    const events = raw["events"] || {};
    for (const name of Object.keys(events)) this.on(name, events[name]);
  }

  private pick(site?: string): string {
    const wanted = [text(this.raw, "language", "culture"), site, document.documentElement.lang].concat(navigator.languages as string[]);
    return pickLanguage(wanted, Object.keys(APPS));
  }

  on(name: string, listener: Listener): () => void {
    const list = (this.listeners[name] = this.listeners[name] || []);
    list.push(listener);
    return () => { this.listeners[name] = (this.listeners[name] as Listener[]).filter((other) => other !== listener); };
  }

  emit(name: string, ...values: unknown[]): void {
    const layer = (window as any).dataLayer;
    if (layer && layer.push) layer.push({ event: name, nowserving: values });
    for (const listener of this.listeners[name] || []) {
      try {
        listener(...values);
      } catch (cause) {
        console.error(cause); // the site's own defect must not stop the widget
      }
    }
  }

  /** Puts the widget into the page. Nothing is shown before the hub knows the site. */
  attach(): void {
    this.emit("attached");
    const go = () => this.load(RETRY_FIRST);
    if (document.body) go();
    else document.addEventListener("DOMContentLoaded", go);
  }

  private load(wait: number): void {
    if (this.ended || this.config) return;
    fetch(this.hub + "/hub/v1/widget/" + encodeURIComponent(this.key), { credentials: "omit", cache: "no-store" }).then((r) => {
      if (r.ok) return r.json().then((config) => this.begin(config));
      if (r.status < 500 && r.status !== 429) return console.warn("nowserving: no widget here, status " + r.status);
      throw r.status;
    }).catch(() => {
      // With chance, because every page of a site may have lost the hub at once.
      const timer = setTimeout(() => this.load(Math.min(RETRY_CAP, wait * 2)), wait * (0.5 + Math.random()));
      this.cleanups.push(() => clearTimeout(timer));
    });
  }

  private begin(config: SiteConfig): void {
    if (this.ended || this.config) return;
    this.config = config;
    this.language = this.pick(config.site.language);
    const words = all[this.language] as Record<string, string>;
    const raw = this.raw;
    const launcher = new Launcher((key, n) => (words[key] as string).replace("{n}", String(n)), text(raw, "nonce"), () => this.show(!this.opened));
    this.launcher = launcher;
    launcher.place(raw, config, this.language);
    launcher.host.hidden = !this.visible;
    document.body.appendChild(launcher.host);
    this.emit("initialized");
    const told = (event: StorageEvent) => event.key === PREFIX + this.key + ".session" && this.need();
    addEventListener("storage", told);
    this.cleanups.push(() => removeEventListener("storage", told));
    const full = text(raw, "full");
    if (full || text(raw, "identity", "identityToken") || peek(this.key, "session") || peek(this.key, "start")) this.need();
    if (full || this.opened || text(raw, "open") === "true" || peek(this.key, "open")) this.show(true);
  }

  /** Starts the app, once. */
  private need(): void {
    if (this.asked || this.ended) return;
    this.asked = true;
    this.script().then((part) => this.ended || this.run(part.start));
  }

  /** Loads the app's script, once; tries until it is there. */
  private script(): Promise<Part> {
    return (this.part = this.part || new Promise((done) => this.fetchScript(done, 0)));
  }

  private fetchScript(done: (part: Part) => void, tries: number): void {
    const element = document.createElement("script") as HTMLScriptElement & { boot?: (part: Part) => void };
    element.crossOrigin = "anonymous";
    element.nonce = text(this.raw, "nonce") || "";
    element.boot = done;
    element.onload = () => element.remove();
    element.onerror = () => {
      element.remove();
      setTimeout(() => this.ended || this.fetchScript(done, tries + 1), tries * RETRY_FIRST);
    };
    // After an update of the hub the old address may be gone; the other never is.
    element.src = trusted(this.hub + (tries ? "/widget-app.js?language=" + this.language : APPS[this.language]));
    document.head.appendChild(element);
  }

  private run(start: (host: Host) => App): void {
    const launcher = this.launcher as Launcher;
    this.app = start({
      raw: this.raw, key: this.key, hub: this.hub, language: this.language, config: this.config as SiteConfig, root: launcher.root,
      style: (css) => addStyle(launcher.root, css, text(this.raw, "nonce")),
      emit: (name: keyof WidgetEvents, ...values: unknown[]) => this.emit(name, ...values),
      unread: (count) => {
        if (count === this.unread) return;
        this.unread = count;
        launcher.unread(count);
        this.emit("unread", count);
      },
      closed: () => {
        this.show(false);
        launcher.button.focus();
      },
      opened: () => this.show(true),
    });
    if (this.opened) this.app.show(true);
  }

  show(open: boolean): void {
    const before = this.opened;
    this.opened = open;
    if (!this.launcher) return;
    this.launcher.opened(open);
    if (open) this.need();
    if (this.app) this.app.show(open);
    if (before !== open) this.emit(open ? "open" : "close");
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    if (this.launcher) this.launcher.host.hidden = !visible;
    this.emit("visiblity", visible);
  }

  /** Takes other options while it runs: who the visitor is, fields, a language. */
  change(raw: Raw): void {
    this.raw = { ...this.raw, ...raw };
    if (this.app) this.app.change(raw);
    else if (this.config) this.need();
  }

  say(words: string): void {
    this.need();
    this.script().then(() => this.app && this.app.say(words));
  }

  /** The address of the widget's own page; this page then answers what it asks. */
  getIframeUri(): Promise<string> {
    return this.script().then((part) => {
      this.cleanups.push(part.serveFrame(this.hub, this.key, () => this.raw));
      return this.hub + "/widget/" + encodeURIComponent(this.key) + "?language=" + this.language;
    });
  }

  destroy(): void {
    if (this.ended) return;
    this.ended = true;
    for (const end of this.cleanups) end();
    if (this.app) this.app.destroy();
    if (this.launcher) this.launcher.host.remove();
    this.emit("destroyed");
  }
}

/** Makes addresses as pages with trusted types want them; others take them as they are. */
function truster(): (address: string) => string {
  const types = (window as any).trustedTypes;
  try {
    const policy = types.createPolicy("nowserving", { createScriptURL: (x: string) => x });
    return (address) => policy.createScriptURL(address);
  } catch {
    return (address) => address; // a browser without them, or a page that allows no policy of that name
  }
}

publish();

/** The two names that sites know: the hub's own, and the conversation API's. */
function publish(): void {
  const w = window as any;
  let current: Widget | undefined;
  const start = (raw: Raw) => {
    if (current) current.destroy();
    current = new Widget({ nonce: script && script.nonce, ...raw });
    current.attach();
  };
  const on = (run: (widget: Widget) => unknown) => (...values: unknown[]) => current && (run as any)(current, ...values);
  w.NowServing = {
    start,
    open: on((c) => c.show(true)),
    close: on((c) => c.show(false)),
    toggle: on((c) => c.show(!c.opened)),
    show: on((c) => c.setVisible(true)),
    hide: on((c) => c.setVisible(false)),
    update: on((c: Widget, ...raw: any[]) => c.change(raw[0])),
    say: on((c: Widget, ...raw: any[]) => c.say(String(raw[0]))),
    on: (name: string, listener: Listener) => (current ? current.on(name, listener) : () => undefined),
    getIframeUri: () => (current ? current.getIframeUri() : Promise.reject(new Error("not started"))),
    destroy: on((c) => { c.destroy(); current = undefined; }),
    get unread() { return current ? current.unread : 0; },
    get isOpen() { return !!current && current.opened; },
  };
  w.GlassixWidgetClient = function (raw: Raw) {
    const widget = new Widget({ nonce: script && script.nonce, ...raw });
    return {
      attach: () => widget.attach(),
      setWidgetVisiblity: (visible: boolean) => widget.setVisible(visible),
      getIframeUri: () => widget.getIframeUri(),
      destroy: () => widget.destroy(),
    };
  };
  const data = (script && script.dataset) || {};
  if (data["key"]) {
    start(data);
    w.widgetClient = w.widgetClient || w.NowServing;
  }
  // After the script element's own load event, in which sites create their client
  // and may call this themselves: it is called once either way.
  const told = w.glassixWidgetScriptLoaded;
  if (typeof told === "function") {
    let done = false;
    w.glassixWidgetScriptLoaded = () => { if (!done) { done = true; told(); } };
    setTimeout(() => w.glassixWidgetScriptLoaded(), 0);
  }
}
