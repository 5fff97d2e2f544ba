// How current is what the page shows. Invariant 12: what a screen shows is
// current, or says since when it is not.

export type State = "connecting" | "live" | "stale" | "offline" | "final";

/** Since is the hub's time, in ms, of the last moment the page was current. */
export interface Status {
  state: State;
  since?: number;
  /** The close code, when final. */
  code?: number;
}

export interface Freshness {
  now: number;
  /** When the client started to try. */
  started: number;
  /** When it was last current, if it ever was. */
  current: number | undefined;
  /** Connected, and every subscription is caught up. */
  synced: boolean;
  final: number | undefined;
  staleAfter: number;
  offlineAfter: number;
}

/** The state, without the wall time. */
export function stateAt(f: Freshness): State {
  if (f.final !== undefined) {
    return "final";
  }
  const silence = f.now - (f.current === undefined ? f.started : f.current);
  if (f.current === undefined) {
    // Nothing was ever shown as current, so there is nothing that could be stale.
    return silence < f.staleAfter ? "connecting" : "offline";
  }
  if (silence >= f.offlineAfter) {
    return "offline";
  }
  if (silence >= f.staleAfter) {
    return "stale";
  }
  return f.synced ? "live" : "connecting";
}

export function sameStatus(a: Status, b: Status): boolean {
  return a.state === b.state && a.since === b.since && a.code === b.code;
}
