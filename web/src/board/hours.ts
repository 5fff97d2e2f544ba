// Opening hours as the board shows them; the same rules as the hub's.

export interface Span {
  opens: number;
  closes: number;
}

export interface Day {
  closed?: boolean;
  spans?: Span[];
}

export interface Hours {
  /** Monday to Sunday. */
  week: Day[];
  exceptions?: Array<Day & { date: string }>;
}

/** A moment on the location's wall: Monday is weekday 0, the date is yyyy-mm-dd. */
export interface Local {
  date: string;
  weekday: number;
  minute: number;
}

const DAY = 24 * 60;

/** The day that is `ahead` days after local, without its minute. */
export function shift(local: Local, ahead: number): Local {
  const date = new Date(Date.parse(local.date + "T12:00:00Z") + ahead * 86400000);
  return { date: date.toISOString().slice(0, 10), weekday: (((local.weekday + ahead) % 7) + 7) % 7, minute: 0 };
}

export function dayOf(hours: Hours, local: Local): Day {
  for (const exception of hours.exceptions || []) {
    if (exception.date === local.date) {
      return exception;
    }
  }
  return hours.week[local.weekday] || {};
}

function covers(day: Day, minute: number): boolean {
  if (day.closed) {
    return false;
  }
  if (!day.spans || day.spans.length === 0) {
    return minute < DAY;
  }
  return day.spans.some((span) => {
    const closes = span.closes <= span.opens ? span.closes + DAY : span.closes;
    return minute >= span.opens && minute < closes;
  });
}

/** Whether the location is open; a span of yesterday may run past midnight. */
export function isOpen(hours: Hours | undefined, local: Local): boolean {
  return !hours || covers(dayOf(hours, local), local.minute) || covers(dayOf(hours, shift(local, -1)), local.minute + DAY);
}

/** The next day with hours, at most a week ahead, and how far ahead it is. */
export function nextOpen(hours: Hours, local: Local): { ahead: number; local: Local; day: Day } | undefined {
  for (let ahead = 1; ahead <= 7; ahead++) {
    const then = shift(local, ahead);
    const day = dayOf(hours, then);
    if (!day.closed) {
      return { ahead, local: then, day };
    }
  }
  return undefined;
}

/** "09:00–12:00, 13:00–17:00", or "" for all day. */
export function spanText(day: Day): string {
  return (day.spans || []).map((span) => clock(span.opens) + "\u2013" + clock(span.closes)).join(", ");
}

function clock(minute: number): string {
  const two = (n: number) => ("0" + n).slice(-2);
  return two(Math.floor(minute / 60) % 24) + ":" + two(minute % 60);
}
