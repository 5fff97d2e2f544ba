// What a site can say to the widget, and what the loader and the app say to each
// other. Only types: they cost a visitor nothing.

/** How a widget begins. All but `key` is optional. */
export interface WidgetOptions {
  /** The site's key, from the administration. */
  key: string;
  /** The hub's origin; by default where the script came from. */
  hub?: string;
  /** For the style element of browsers without constructable style sheets. */
  nonce?: string;
  /** A language tag; by default the site's setting, the page's or the browser's. */
  language?: string;
  position?: "left" | "right";
  /** Distances from the corner of the window in pixels. */
  bottom?: number;
  side?: number;
  color?: string;
  title?: string;
  /** What stands above the first message instead of the site's own words. */
  introduction?: string;
  name?: string;
  email?: string;
  phone?: string;
  /** A UUID of the visitor, from the site. */
  uniqueIdentifier?: string;
  /** A JWT that the site's backend signed: the same conversation on every device. */
  identity?: string;
  /** field1 to field10 of the ticket. */
  fields?: Readonly<Record<string, string>>;
  /** False: no launcher; the site opens the widget by its own button. */
  launcher?: boolean;
  /** Open at once. */
  open?: boolean;
  /** Fills the window: the page that a site puts into a frame of its own. */
  full?: boolean;
  events?: Readonly<Record<string, (...values: any[]) => void>>;
}

/** The events, and what each brings. */
export interface WidgetEvents {
  attached: [];
  initialized: [];
  destroyed: [];
  visiblity: [isVisible: boolean];
  newTicket: [ticket: number];
  newMessage: [];
  protocolBadgeClicked: [protocolType: string, departmentIdentifier: string];
  open: [];
  close: [];
  unread: [count: number];
  called: [number: string, desk: string];
}

export interface Line {
  id: number;
  name: string;
  /** In other languages. */
  names?: Record<string, string>;
  waiting: number;
  wait?: WaitRange;
  open: boolean;
}

export interface WaitRange {
  min: number;
  max: number;
}

/** GET /hub/v1/widget/{key}. */
export interface SiteConfig {
  site: {
    name: string;
    title?: string;
    color?: string;
    position?: "left" | "right";
    language?: string;
    /** The site's own words: online, busy, closed, offlineForm. */
    texts?: Record<string, string>;
    /** The same by language. */
    translations?: Record<string, Record<string, string>>;
    requireIdentity?: boolean;
    attachments?: boolean;
  };
  location: { id: number; name: string; timezone: string; languages?: string[] };
  open: boolean;
  opens?: string;
  /** Somebody is there to answer. */
  available: boolean;
  lines?: Line[];
  limits?: { text?: number; file?: number };
  time: string;
}

/** Kept values of one site, by name. */
export interface Store {
  get(name: string): string | undefined;
  /** Without a value it is forgotten. */
  set(name: string, value?: string): void;
  /** The names that begin with prefix. */
  names(prefix: string): string[];
  /** Calls back when another tab changed something; returns how to stop. */
  watch(changed: (name: string) => void): () => void;
}

/** What the loader gives to the app. */
export interface Host {
  /** What the site passed, by whatever names. */
  readonly raw: Readonly<Record<string, any>>;
  readonly key: string;
  readonly hub: string;
  readonly language: string;
  readonly config: SiteConfig;
  readonly root: ShadowRoot;
  /** Adds a style sheet under any content security policy. */
  style(css: string): void;
  emit<E extends keyof WidgetEvents>(name: E, ...values: WidgetEvents[E]): void;
  unread(count: number): void;
  /** The visitor closed the panel. */
  closed(): void;
  /** The visitor opened it from beside the button. */
  opened(): void;
}

/** What the app gives to the loader. */
export interface App {
  show(open: boolean): void;
  /** Takes further options. */
  change(raw: Readonly<Record<string, any>>): void;
  say(text: string): void;
  destroy(): void;
}

/** What the app's script hands to the loader, through its own element. */
export interface Part {
  start(host: Host): App;
  serveFrame(hub: string, key: string, raw: () => object): () => void;
}
