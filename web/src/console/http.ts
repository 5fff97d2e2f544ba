// The few calls that are not on the socket: signing in, and pairing screens.
import { HubError } from "../client/index";
import { call } from "../common/http";

export interface SessionUser {
  id: number;
  email: string;
  firstName?: string;
  lastName?: string;
  admin?: boolean;
  locations: number[];
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
