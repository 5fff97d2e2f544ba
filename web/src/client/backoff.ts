// How long to wait before coming back. Full jitter, because a lobby full of
// screens that return together would knock over the hub that just came up.

export const BACKOFF_BASE = 500;
export const BACKOFF_CAP = 30000;
export const DRAIN_SPREAD = 5000;

/** A random time between 0 and min(cap, base * 2^failures). */
export function backoff(failures: number, random: () => number): number {
  return random() * Math.min(BACKOFF_CAP, BACKOFF_BASE * Math.pow(2, failures));
}
