// One HTTP call to the hub, from a page that the hub served.
import { HubError } from "../client/index";

/** Sends a request; fails with the hub's error, or one that says it is away. */
export async function call(method: string, path: string, body?: object): Promise<any> {
  // The header that a page of another site cannot send without asking.
  const init: RequestInit = { method, credentials: "same-origin", cache: "no-store", headers: { "X-Nowserving": "1" } };
  if (body) {
    init.headers = { "X-Nowserving": "1", "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new HubError({ code: "unavailable", message: "the hub could not be reached" });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new HubError(answer.error || { code: "internal", message: `status ${response.status}` });
  }
  return answer;
}
