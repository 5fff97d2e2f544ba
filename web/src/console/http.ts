// The calls that are not on the socket.
import { HubError } from "../client/index";
import { call, send } from "../common/http";
import { UploadedFile } from "../common/visit";
import { StaffTicket } from "./state";
import { Transaction } from "./timeline";

export interface SessionUser {
  id: number;
  email: string;
  firstName?: string;
  lastName?: string;
  admin?: boolean;
  locations: number[];
}

export interface Reply {
  id: number;
  title: string;
  text: string;
  category?: string;
}

export interface InputField {
  id: string;
  type: string;
  title?: string;
  multiSelect?: boolean;
  lines?: number[];
  options?: Array<{ id: string; title: string; color?: string }>;
}

/** Who is signed in, or undefined. */
export async function currentUser(): Promise<SessionUser | undefined> {
  try {
    return (await call("GET", "/hub/v1/session")).user;
  } catch (error) {
    if (error instanceof HubError && error.code === "unauthenticated") {
      return undefined;
    }
    throw error;
  }
}

export async function signIn(email: string, password: string): Promise<SessionUser> {
  return (await call("POST", "/hub/v1/session", { email, password })).user;
}

/** Opens a session with a one-time link. */
export async function redeem(invite: string): Promise<SessionUser> {
  return (await call("POST", "/hub/v1/session", { invite })).user;
}

export async function setPassword(password: string): Promise<void> {
  await call("PUT", "/hub/v1/password", { password });
}

export async function createLocation(name: string, timezone: string, lines: string[], desks: number): Promise<void> {
  await call("POST", "/hub/v1/locations", { name, timezone, lines, desks });
}

export async function signOut(): Promise<void> {
  await call("DELETE", "/hub/v1/session");
}

export async function claimScreen(code: string, location: number, name: string): Promise<void> {
  await call("POST", `/hub/v1/pairings/${encodeURIComponent(code)}/claim`, { location, name });
}

/** The names of the locations, by id. */
export async function locationNames(): Promise<Map<number, string>> {
  const answer = await call("GET", "/hub/v1/locations");
  return new Map((answer.locations || []).map((l: { id: number; name: string }) => [l.id, l.name]));
}

/** Tickets, live and past, by what is asked of them. */
export async function findTickets(location: number, query: Record<string, string>): Promise<StaffTicket[]> {
  const text = Object.keys(query).map((name) => `${name}=${encodeURIComponent(query[name]!)}`).join("&");
  return (await call("GET", `/hub/v1/locations/${location}/tickets?${text}`)).tickets || [];
}

export async function cannedReplies(location: number): Promise<Reply[]> {
  return (await call("GET", `/hub/v1/locations/${location}/replies`)).replies || [];
}

export async function inputFields(location: number): Promise<InputField[]> {
  return (await call("GET", `/hub/v1/locations/${location}/fields`)).fields || [];
}

/** Entries of a thread that are older than seq, oldest first. */
export async function olderEntries(ticket: string, seq: number): Promise<Transaction[]> {
  return (await call("GET", `/hub/v1/tickets/${ticket}/transactions?before=${seq}`)).transactions || [];
}

/** A fresh link for the visitor. */
export async function visitorLink(ticket: string): Promise<string> {
  return new URL((await call("POST", `/hub/v1/tickets/${ticket}/link`)).link, window.location.href).href;
}

export function fileAddress(ticket: string, file: string, thumb = false): string {
  return `/hub/v1/tickets/${ticket}/files/${encodeURIComponent(file)}${thumb ? "?thumb=1" : ""}`;
}

/** Sends one file, as it is. */
export async function upload(ticket: string, file: File): Promise<UploadedFile> {
  const headers = { "Content-Type": file.type || "application/octet-stream", "X-File-Name": encodeURIComponent(file.name) };
  return send("POST", `/hub/v1/tickets/${ticket}/files`, headers, file);
}
