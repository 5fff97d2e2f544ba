// What the hub says to a page that takes in visitors, and to its door.
import { BoardLine, HubError, WaitRange } from "../client/index";

export interface OfferedLine {
  id: number;
  name: string;
  /** In other languages. */
  names?: Readonly<Record<string, string>>;
  color?: string;
  waiting: number;
  wait?: WaitRange;
  open: boolean;
}

/** One thing that is asked: a known field by name, or one of the location's own. */
export interface AskedField {
  name?: string;
  field?: string;
  title?: string;
  titles?: Readonly<Record<string, string>>;
  type?: string;
  required?: boolean;
  multiple?: boolean;
  options?: Array<{ id: string; title: string; titles?: Readonly<Record<string, string>> }>;
  /** Asked in these lines only; absent: in all. */
  lines?: number[];
}

export interface FormConfig {
  location: { id: number; name: string; timezone?: string; languages?: string[] };
  open: boolean;
  opens?: string;
  lines: OfferedLine[];
  fields: AskedField[];
  timeout?: number;
  print?: boolean;
  textCards?: Array<{ language: string; text: string }>;
  time: string;
}

/** What becomes a ticket. */
export interface TicketRequest {
  line: number;
  languageCode: string;
  fields?: Array<{ field: string; value: string | string[] }>;
  [name: string]: unknown;
}

export interface Issued {
  ticket: { publicId?: string; position?: number; wait?: WaitRange; line?: { id: number; name: string }; created?: string };
  /** The visitor's page. */
  link: string;
}

/** A config with the numbers that a board's channel brings. */
export function withLive(config: FormConfig, lines: BoardLine[]): FormConfig {
  const live = new Map(lines.map((line): [number, BoardLine] => [line.id, line]));
  return {
    ...config,
    lines: config.lines.map((line) => {
      const now = live.get(line.id);
      if (!now) return line;
      const { wait: _, ...rest } = line;
      return now.wait ? { ...rest, waiting: now.waiting, wait: now.wait } : { ...rest, waiting: now.waiting };
    }),
  };
}

/** Why a line cannot be joined: a key of the words, or "" when it can. */
export function closedWhy(config: FormConfig, line: OfferedLine): "" | "closedNow" | "lineClosed" {
  return !config.open ? "closedNow" : line.open ? "" : "lineClosed";
}

/** A hub that does not answer in time may have done it all the same. */
const TIMEOUT = 10000;

export class FormDoor {
  /** Base is /hub/v1/kiosk or /hub/v1/join/<location>. */
  constructor(private readonly base: string, private readonly token: () => string | undefined) {}

  config(): Promise<FormConfig> {
    return this.call("GET", this.base, {});
  }

  issue(key: string, request: TicketRequest): Promise<Issued> {
    return this.call("POST", `${this.base}/tickets`, { "Content-Type": "application/json", "Idempotency-Key": key }, JSON.stringify(request));
  }

  private async call(method: string, path: string, headers: Record<string, string>, body?: string): Promise<any> {
    const token = this.token();
    if (token) headers["Authorization"] = `Bearer ${token}`;
    const aborter = new AbortController();
    const timer = window.setTimeout(() => aborter.abort(), TIMEOUT);
    const init: RequestInit = { method, headers, credentials: "omit", cache: "no-store", signal: aborter.signal };
    if (body !== undefined) init.body = body;
    try {
      const response = await fetch(path, init);
      const answer = await response.json().catch(() => undefined);
      if (!response.ok || answer === undefined) {
        throw new HubError((answer && answer.error) || { code: "internal", message: `status ${response.status}` });
      }
      return answer;
    } catch (error) {
      throw error instanceof HubError ? error : new HubError({ code: "unavailable", message: "the hub could not be reached" });
    } finally {
      window.clearTimeout(timer);
    }
  }
}
