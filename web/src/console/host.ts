// What the parts of the console need of the page around them.
import { Client } from "../client/index";
import { SessionUser } from "./http";
import { Shown } from "./receipts";
import { Console, StaffTicket } from "./state";

export interface Host {
  readonly client: Client;
  readonly user: SessionUser;
  readonly location: number;
  state(): Console;
  /** The hub's time in ms. */
  now(): number;
  /** The reason why nothing can be done now, or "". */
  blocked(): string;
  myDesk(): number | undefined;
  shown(ticket: StaffTicket): Shown | undefined;
  /** A ticket that is live, has ended lately, or is open on the page. */
  ticket(id: string): StaffTicket | undefined;
  /** The ticket whose details and conversation are shown. */
  selected(): string | undefined;
  select(id: string): void;
  /** Does a command and says how it went; answers whether it was done. */
  run(name: string, params: object): Promise<boolean>;
  notice(text: string, bad: boolean, undo?: () => void): void;
  /** A time of the location's day: "10:42". */
  clock(date: string | undefined): string;
  userName(id: number | undefined): string;
  lineName(id: number | undefined): string;
  deskName(id: number | undefined): string;
}

type Control = HTMLButtonElement | HTMLSelectElement | HTMLInputElement;

/** Disables what cannot be done now, and says why in the tip. */
export function setBlocked(host: Host, controls: readonly Control[]): void {
  const reason = host.blocked();
  for (const one of controls) {
    one.disabled = reason !== "";
    one.title = reason || one.dataset["tip"] || "";
  }
}

/** A colour of the hub as CSS, or "" when it is none. */
export function colorOf(color: string | undefined): string {
  return /^#?[0-9a-f]{6}$/i.test(color || "") ? `#${color!.replace("#", "")}` : "";
}
