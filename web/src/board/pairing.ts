// A screen without a token shows a code until staff claim it.
import { Env } from "../client/index";

export interface Paired {
  token: string;
  display: number;
  location: number;
}

const RETRY = 5000;
const TIMEOUT = 10000;

/** Asks for a code, shows it, and polls until somebody claims it. */
export class Pairing {
  private readonly env: Env;
  private readonly location: number;
  private readonly kind: "kiosk" | undefined;
  private readonly show: (code: string | undefined) => void;
  private readonly paired: (paired: Paired) => void;
  private running = false;

  /** Kind is "kiosk" for a screen that gives out numbers. */
  constructor(env: Env, location: number, show: (code: string | undefined) => void, paired: (paired: Paired) => void, kind?: "kiosk") {
    this.env = env;
    this.location = location;
    this.kind = kind;
    this.show = show;
    this.paired = paired;
  }

  /** Asking twice is asking once: there is one code at a time. */
  start(): void {
    if (!this.running) {
      this.running = true;
      this.ask();
    }
  }

  private ask(): void {
    this.show(undefined);
    this.call("POST", "/hub/v1/pairings", {}, JSON.stringify({ location: this.location, kind: this.kind }), (status, body) => {
      if (status !== 201) {
        this.env.after(RETRY, () => this.ask());
        return;
      }
      this.show(body.code);
      // The first look comes at once: a demo claims its screens by itself.
      this.poll(body.code, body.secret, Math.max(1, body.poll || 3) * 1000);
    });
  }

  private poll(code: string, secret: string, every: number): void {
    this.call("GET", "/hub/v1/pairings/" + encodeURIComponent(code), { "Pairing-Secret": secret }, undefined, (status, body) => {
      if (status === 200 && body.status === "paired") {
        this.running = false;
        this.paired({ token: body.token, display: body.display, location: body.location });
      } else if (status >= 400 && status < 500 && status !== 429) {
        // Ran out, or the hub has forgotten it.
        this.env.after(RETRY, () => this.ask());
      } else {
        this.env.after(every, () => this.poll(code, secret, every));
      }
    });
  }

  /** Done is called once; status 0 means no answer. */
  private call(
    method: string,
    path: string,
    headers: { [name: string]: string },
    body: string | undefined,
    done: (status: number, body: any) => void,
  ): void {
    let ended = false;
    const end = (status: number, answer: any) => {
      if (!ended) {
        ended = true;
        cancel();
        done(status, answer);
      }
    };
    const cancel = this.env.after(TIMEOUT, () => end(0, {}));
    const all = Object.assign({ "Content-Type": "application/json", "X-Nowserving": "1" }, headers);
    const request: RequestInit = { method, headers: all, credentials: "same-origin", cache: "no-store" };
    if (body !== undefined) {
      request.body = body;
    }
    fetch(path, request)
      .then((response) => response.json().then((answer) => end(response.status, answer)))
      .catch(() => end(0, {}));
  }
}
