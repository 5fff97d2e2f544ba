// Times as people in the lobby read them: the hub's clock in the location's zone.

import { Local } from "./hours";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Formats instants in one zone. An unknown zone falls back to the device's. */
export class ZoneClock {
  private readonly minutes: (at: Date) => string;
  private readonly seconds: (at: Date) => string;
  private readonly day: (at: Date) => string;
  private readonly date: (at: Date) => string;
  private readonly weekday: (at: Date) => string;

  constructor(zone: string | undefined) {
    this.minutes = formatter(zone, { hour: "2-digit", minute: "2-digit", hour12: false });
    this.seconds = formatter(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
    this.day = formatter(zone, { day: "numeric", month: "short" });
    this.date = formatter(zone, { day: "2-digit", month: "2-digit", year: "numeric" });
    this.weekday = formatter(zone, { weekday: "short" });
  }

  /** "10:42" */
  hm(ms: number): string {
    return midnight(this.minutes(new Date(ms)));
  }

  /** "10:42:05" */
  hms(ms: number): string {
    return midnight(this.seconds(new Date(ms)));
  }

  /** The moment on the location's wall; undefined where the engine cannot tell. */
  local(ms: number): Local | undefined {
    const at = new Date(ms);
    const date = /^(\d\d)\/(\d\d)\/(\d{4})$/.exec(this.date(at));
    const time = /^(\d\d):(\d\d)/.exec(this.hm(ms));
    const weekday = DAYS.indexOf(this.weekday(at).slice(0, 3));
    if (!date || !time || weekday < 0) {
      return undefined;
    }
    return { date: date[3] + "-" + date[2] + "-" + date[1], weekday, minute: Number(time[1]) * 60 + Number(time[2]) };
  }

  /** Like hms, with the day in front when that is not the day of `now`. */
  since(ms: number, now: number): string {
    const day = this.day(new Date(ms));
    return day === this.day(new Date(now)) ? this.hms(ms) : day + ", " + this.hms(ms);
  }
}

/** Some engines write midnight as 24:00 when asked for 24 hours. */
function midnight(text: string): string {
  return text.replace(/^24/, "00");
}

function formatter(zone: string | undefined, options: Intl.DateTimeFormatOptions): (at: Date) => string {
  try {
    const format = new Intl.DateTimeFormat("en-GB", zone ? Object.assign({ timeZone: zone }, options) : options);
    return (at) => format.format(at);
  } catch (_) {
    return (at) => plain(at, options);
  }
}

/** For engines without Intl or without that zone: the device's own time. */
function plain(at: Date, options: Intl.DateTimeFormatOptions): string {
  if (!options.hour) {
    return at.getDate() + "." + (at.getMonth() + 1) + ".";
  }
  const parts = [at.getHours(), at.getMinutes()];
  if (options.second) {
    parts.push(at.getSeconds());
  }
  return parts.map((n) => ("0" + n).slice(-2)).join(":");
}
