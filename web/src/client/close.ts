// What a close code tells the client to do.

/** When to come back: the table of close codes in PROTOCOL.md. */
export type Return = "backoff" | "drain" | "throttled" | "sign-in" | "never";

export interface CloseRule {
  back: Return;
  /** Whether positions may still be used as `since`. */
  keep: boolean;
}

export const CLOSE_EXPIRED = 4003;
export const CLOSE_BAD_TOKEN = 4201;

/** Codes that are not the hub's own are a broken link: come back with since. */
export function closeRule(code: number): CloseRule {
  if (code >= 4200 && code <= 4299) {
    return { back: "never", keep: false };
  }
  if (code >= 4100 && code <= 4199) {
    return { back: "backoff", keep: false };
  }
  switch (code) {
    case 4000:
      return { back: "drain", keep: true };
    case CLOSE_EXPIRED:
      return { back: "sign-in", keep: true };
    case 4004:
    case 4005:
      return { back: "throttled", keep: true };
    default:
      return { back: "backoff", keep: true };
  }
}
