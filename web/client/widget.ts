// The chat widget for sites that are built with modules: adds the loader's script
// and hands out what it offers, typed.
import { WidgetEvents, WidgetOptions } from "../src/launcher/api";

export type { Line, SiteConfig, WaitRange, WidgetEvents, WidgetOptions } from "../src/launcher/api";

/** What window.NowServing offers. */
export interface NowServing {
  /** Ends the widget that is there, and begins another. */
  start(options: WidgetOptions): void;
  open(): void;
  close(): void;
  toggle(): void;
  /** Shows the widget after hide. */
  show(): void;
  /** Takes it from the page, without ending anything. */
  hide(): void;
  /** Takes further options: who the visitor is, fields, an identity. */
  update(options: Partial<WidgetOptions>): void;
  /** Puts words into the field; the visitor sends them. */
  say(text: string): void;
  /** Calls back on an event; returns how to stop. */
  on<E extends keyof WidgetEvents>(name: E, listener: (...values: WidgetEvents[E]) => void): () => void;
  /** The address of the widget's own page, for a frame of the site's. */
  getIframeUri(): Promise<string>;
  /** Ends it: its elements, sockets and timers. What is kept of the conversation stays. */
  destroy(): void;
  readonly unread: number;
  readonly isOpen: boolean;
}

/** The widget class in the conversation API's form. */
export interface GlassixWidgetClient {
  attach(): void;
  setWidgetVisiblity(visible: boolean): void;
  getIframeUri(): Promise<string>;
  destroy(): void;
}

declare global {
  interface Window {
    NowServing?: NowServing;
    GlassixWidgetClient?: new (options: Record<string, unknown>) => GlassixWidgetClient;
    glassixWidgetScriptLoaded?: () => void;
  }
}

/** Loads the widget from the hub at url and begins it. */
export function loadWidget(url: string, options: WidgetOptions): Promise<NowServing> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${url.replace(/\/+$/, "")}/widget.js`;
    if (options.nonce) script.nonce = options.nonce;
    script.onload = () => {
      const widget = window.NowServing;
      if (!widget) return reject(new Error("the widget's script did not run"));
      widget.start({ hub: url, ...options });
      resolve(widget);
    };
    script.onerror = () => reject(new Error("the widget's script could not be loaded"));
    document.head.append(script);
  });
}
