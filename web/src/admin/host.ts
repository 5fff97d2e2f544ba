// What a page of the administration needs of the frame around it.

export interface SessionUser {
  id: number;
  email: string;
  firstName: string;
  lastName: string;
  locations: number[];
  admin: boolean;
}

export interface Host {
  /** Where the page puts itself; empty at first. */
  readonly main: HTMLElement;
  readonly user: SessionUser;
  /** The location that was chosen. */
  readonly location: number;
  readonly locations: ReadonlyMap<number, string>;
  /** Says how something went. */
  notice(text: string, bad?: boolean): void;
  /** False once another page is shown: answers that come then are nobody's. */
  alive(): boolean;
  /** Shows the page anew. */
  reload(): void;
}

/** Fills a host; what it returns is called when the page goes. */
export type Page = (host: Host) => void | (() => void);

/** The path of a door of the chosen location. */
export function at(host: Host, rest: string): string {
  return `/hub/v1/locations/${host.location}/${rest}`;
}
