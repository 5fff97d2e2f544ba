// What a screen tells the hub about itself, so that staff see a screen that is
// too old, has a wrong clock, or cannot be heard, before a visitor does.
import { Client, Env } from "../client/index";
import { SoundState } from "./sound";

/** How often, when nothing changes. */
const EVERY = 10000;
/** A change is told at once, though not more often than this. */
const LOOK = 1000;

export interface DeviceReport {
  engine: string;
  version: string;
  layout: string;
  sound: SoundState;
  /** How far the device's own clock is ahead of the hub's, in ms. */
  drift: number;
  width: number;
  height: number;
  /** The offset of the last receipt, 0 before the first. */
  receipt: number;
}

/** "Chrome 53", as far as the engine says. */
export function engineOf(agent: string): string {
  const match = /(Edge|OPR|Chrome|Chromium|Firefox|Version|MSIE|rv)[\/: ](\d+)/.exec(agent);
  return match ? (match[1] === "Version" ? "Safari" : match[1]) + " " + match[2] : "unknown";
}

/** Sends reports while the client is live. */
export class Reporter {
  private readonly env: Env;
  private readonly client: Client;
  private readonly read: () => DeviceReport;
  private sentAt = -EVERY;
  private sent = "";
  private refused = false;

  constructor(env: Env, client: Client, read: () => DeviceReport) {
    this.env = env;
    this.client = client;
    this.read = read;
    this.look();
  }

  private look(): void {
    this.env.after(LOOK, () => this.look());
    if (this.client.status.value.state !== "live" || this.refused) {
      return;
    }
    const report = this.read();
    const { engine, layout, sound, width, height } = report;
    const key = JSON.stringify([engine, layout, sound, width, height]);
    const now = this.env.now();
    if (key === this.sent && now - this.sentAt < EVERY) {
      return;
    }
    this.sent = key;
    this.sentAt = now;
    this.client.command("display.report", report).catch((error) => {
      // A hub that does not know reports works without them.
      this.refused = error.code === "bad_request";
    });
  }
}
