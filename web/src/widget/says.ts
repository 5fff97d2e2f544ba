// What the widget says: words, times and numbers in the visitor's language.
import { Line, SiteConfig, WaitRange } from "../launcher/api";
import { Words } from "../common/words";

/** Words with the times of one language. */
export class Says {
  constructor(readonly words: Words, private readonly zone: string | undefined) {}

  say(key: string, values: Readonly<Record<string, string | number>> = {}): string {
    return this.words.say(key, values);
  }

  private format(at: string | number, options: Intl.DateTimeFormatOptions, zone?: string): string {
    try {
      return new Intl.DateTimeFormat(this.words.language, zone ? { ...options, timeZone: zone } : options).format(new Date(at));
    } catch {
      return ""; // no instant, or a zone that this browser does not know
    }
  }

  /** The time of day where the visitor is. */
  clock(at: string | number): string {
    return this.format(at, { hour: "2-digit", minute: "2-digit" });
  }

  day(at: string, now: number): string {
    const same = new Date(at).toDateString() === new Date(now).toDateString();
    return same ? this.say("today") : this.format(at, { weekday: "long", day: "numeric", month: "long" });
  }

  /** When a branch opens: its own wall clock. */
  opening(at: string): string {
    return this.format(at, { weekday: "long", hour: "2-digit", minute: "2-digit" }, this.zone);
  }

  wait(range: WaitRange | undefined): string {
    if (!range) return "";
    return range.min > 0 && range.min < range.max ? this.say("minutes", { min: range.min, max: range.max }) : this.say("minutesOne", { max: range.max });
  }

  waiting(count: number): string {
    return this.say(count === 0 ? "waiting.none" : count === 1 ? "waiting.one" : "waiting.many", { n: count });
  }

  /** The site's own text for what a key names, or ours. */
  site(config: SiteConfig, name: string, ours: string): string {
    const translated = (config.site.translations || {})[this.words.language] || {};
    return translated[name] || (config.site.texts || {})[name] || this.say(ours);
  }

  line(line: Line): string {
    return (line.names || {})[this.words.language] || line.name;
  }
}

export type Availability = "online" | "busy" | "closed";

/** How a site is just now, in one word. */
export function availability(config: SiteConfig): Availability {
  return !config.open ? "closed" : config.available ? "online" : "busy";
}
