// When to connect again after a link has ended.
import { backoff, DRAIN_SPREAD } from "./backoff";

/** A connection that lasted this long clears what throttling had built up. */
const SETTLED_AFTER = 30000;

/** Counts failures between two successes. */
export class Comeback {
  private failures = 0;
  // Connections that were ended for being too many did connect, so that they
  // have to be counted apart.
  private throttles = 0;

  /** A connect was answered. */
  succeeded(): void {
    this.failures = 0;
  }

  /**
   * The time to wait, in ms, after a link that lasted so long; never less than
   * what the hub asked for.
   */
  wait(how: "backoff" | "drain" | "throttled", lasted: number, atLeast: number, random: () => number): number {
    if (lasted >= SETTLED_AFTER) {
      this.throttles = 0;
    }
    if (how === "throttled") {
      this.throttles++;
    }
    const wait = how === "drain"
      ? random() * DRAIN_SPREAD
      : backoff(Math.max(this.failures, this.throttles), random);
    this.failures++;
    return wait + atLeast;
  }
}
