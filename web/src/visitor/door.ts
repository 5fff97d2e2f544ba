// The doors of one visit over HTTP. The token goes in a header: it is in this
// page's address already, and must not get into any other.
import { HubError } from "../client/index";
import { Transaction, UploadedFile, VisitAnswer } from "../common/visit";

const PATH = "/hub/v1/visit";
const UNREACHABLE = { code: "unavailable", message: "the hub could not be reached" };

/** Everything a visit may ask for beside its channel. */
export class Door {
  constructor(private readonly token: string) {}

  visit(): Promise<VisitAnswer> {
    return this.json("GET", PATH);
  }

  older(before: number): Promise<{ transactions: Transaction[]; more?: boolean }> {
    return this.json("GET", `${PATH}/transactions?before=${before}`);
  }

  survey(rating: number, text: string): Promise<unknown> {
    return this.json("POST", `${PATH}/survey`, text ? { rating, text } : { rating });
  }

  /** A file's bytes; fails until it was checked. */
  async bytes(file: string, thumb: boolean): Promise<Blob> {
    const response = await this.fetch("GET", `${PATH}/files/${encodeURIComponent(file)}${thumb ? "?thumb=1" : ""}`);
    return response.blob();
  }

  /** Uploads with progress, which fetch cannot tell; returns how to stop. */
  upload(file: File, progress: (share: number) => void, done: (error: HubError | undefined, stored?: UploadedFile) => void): () => void {
    const request = new XMLHttpRequest();
    request.open("POST", `${PATH}/files`);
    request.responseType = "json";
    request.setRequestHeader("Authorization", `Bearer ${this.token}`);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) progress(event.loaded / event.total);
    };
    request.onload = () => {
      const answer = request.response || {};
      if (request.status === 201) done(undefined, answer as UploadedFile);
      else done(new HubError(answer.error || { code: "internal", message: `status ${request.status}` }));
    };
    request.onerror = request.ontimeout = () => done(new HubError(UNREACHABLE));
    request.send(file);
    return () => {
      request.onload = request.onerror = null;
      request.abort();
    };
  }

  private async json(method: string, path: string, body?: object): Promise<any> {
    const response = await this.fetch(method, path, body);
    return response.json();
  }

  private async fetch(method: string, path: string, body?: object): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` };
    const init: RequestInit = { method, headers, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" };
    if (body) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    const response = await fetch(path, init).catch(() => {
      throw new HubError(UNREACHABLE);
    });
    if (!response.ok) {
      const answer = await response.json().catch(() => ({}));
      throw new HubError(answer.error || { code: "internal", message: `status ${response.status}` });
    }
    return response;
  }
}
