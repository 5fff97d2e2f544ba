// The hub's HTTP doors for visitors, from a page of any origin: no cookies, the
// visitor's token in a header, never in an address.
import { HubError } from "../client/wire";
import { UploadedFile } from "../common/visit";

async function read(response: Response): Promise<any> {
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const error = answer.error || { code: response.status >= 500 ? "unavailable" : "internal", message: "status " + response.status };
    const after = parseInt(response.headers.get("Retry-After") || "", 10);
    throw new HubError(after > 0 ? { ...error, retryAfter: after } : error);
  }
  return answer;
}

function unreachable(): never {
  throw new HubError({ code: "unavailable", message: "the hub could not be reached" });
}

/** The doors of one site at one hub. */
export class Doors {
  constructor(private readonly hub: string, private readonly key: string) {}

  private ask(method: string, path: string, headers: Record<string, string>, body?: object): Promise<any> {
    const init: RequestInit = { method, credentials: "omit", cache: "no-store", headers };
    if (body) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    return fetch(this.hub + "/hub/v1/" + path, init).catch(unreachable).then(read);
  }

  private site(rest: string): string {
    return "widget/" + encodeURIComponent(this.key) + rest;
  }

  config(): Promise<any> {
    return this.ask("GET", this.site(""), {});
  }

  /** What the site's state is, whenever it changes; returns how to stop. */
  events(changed: (config: any) => void): () => void {
    const source = new EventSource(this.hub + "/hub/v1/" + this.site("/events"));
    source.addEventListener("site", (event) => changed(JSON.parse((event as MessageEvent<string>).data)));
    return () => source.close();
  }

  begin(idempotencyKey: string, body: object): Promise<any> {
    return this.ask("POST", this.site("/tickets"), { "Idempotency-Key": idempotencyKey }, body);
  }

  resume(identity: string): Promise<any> {
    return this.ask("POST", this.site("/resume"), {}, { identity });
  }

  visit(token: string): Promise<any> {
    return this.ask("GET", "visit", bearer(token));
  }

  older(token: string, before: number): Promise<any> {
    return this.ask("GET", "visit/transactions?before=" + before, bearer(token));
  }

  survey(token: string, rating: number, text: string): Promise<any> {
    return this.ask("POST", "visit/survey", bearer(token), text ? { rating, text } : { rating });
  }

  /** The bytes of a file of the conversation. */
  file(token: string, id: string, thumb: boolean): Promise<Blob> {
    return fetch(this.hub + "/hub/v1/visit/files/" + encodeURIComponent(id) + (thumb ? "?thumb=1" : ""), {
      headers: bearer(token), credentials: "omit",
    }).catch(unreachable).then((r) => (r.ok ? r.blob() : read(r)));
  }

  /** Uploads a file; fetch cannot tell how far it is. */
  upload(token: string, file: File, progress: (share: number) => void): { done: Promise<UploadedFile>; cancel: () => void } {
    const request = new XMLHttpRequest();
    const done = new Promise<UploadedFile>((resolve, reject) => {
      request.open("POST", this.hub + "/hub/v1/visit/files");
      request.setRequestHeader("Authorization", "Bearer " + token);
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
      request.upload.onprogress = (event) => progress(event.loaded / Math.max(1, event.total));
      request.onload = () => {
        read(new Response(request.responseText, { status: request.status })).then(resolve, reject);
      };
      request.onerror = () => reject(new HubError({ code: "unavailable", message: "the hub could not be reached" }));
      request.onabort = () => reject(new HubError({ code: "cancelled", message: "cancelled" }));
      request.send(file);
    });
    return { done, cancel: () => request.abort() };
  }
}

function bearer(token: string): Record<string, string> {
  return { Authorization: "Bearer " + token };
}
