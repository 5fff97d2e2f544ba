// HTTP calls to the hub, from a page that the hub served.
import { HubError } from "../client/index";

/** Sends a request with a body of JSON, or none. */
export function call(method: string, path: string, body?: object): Promise<any> {
  return body ? send(method, path, { "Content-Type": "application/json" }, JSON.stringify(body)) : send(method, path, {});
}

/** Sends a request; fails with the hub's error, or one that says it is away. */
export async function send(method: string, path: string, headers: Readonly<Record<string, string>>, body: BodyInit | null = null): Promise<any> {
  let response: Response;
  try {
    // The added header is one that a page of another site cannot send without asking.
    response = await fetch(path, { method, credentials: "same-origin", cache: "no-store", headers: { ...headers, "X-Nowserving": "1" }, body });
  } catch {
    throw new HubError({ code: "unavailable", message: "the hub could not be reached" });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new HubError(answer.error || { code: "internal", message: `status ${response.status}` });
  }
  return answer;
}
