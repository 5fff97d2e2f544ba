// The conversation API as its official JavaScript client speaks it, written from
// the description: its addresses, headers, caching of the token and its habits.
import { exchange, parsed } from "./wire";
import type { Answer } from "./wire";
import type {
  ChatEvent, Contact, Done, Deleted, List, Listed, Message, Reply, Tag, Ticket, Token, Transaction, User, UserStatus,
} from "./forms";

export interface Options {
  workspace: string;
  /** Also the department's id. */
  apiKey: string;
  apiSecret: string;
  userName: string;
  /** May carry a port. */
  domain: string;
  apiVersion?: string;
  /** Go with every call but the token's. */
  headers?: Record<string, string>;
  /** The address that calls come from. */
  from?: string;
}

export type Body = Record<string, unknown>;
export type Query = Record<string, string | number | boolean | null | undefined>;

/** What a failed call throws. */
export class ChatError extends Error {
  constructor(message: string, readonly code: number, readonly answer: Answer) {
    super(message);
  }
}

const two = (n: number) => String(n).padStart(2, "0");

/** dd/MM/yyyy HH:mm:ss:ff in UTC; ff counts hundredths of a second. */
export function listTime(at: Date): string {
  return `${day(at)} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}:${two(Math.floor(at.getUTCMilliseconds() / 10))}`;
}

/** dd/MM/yyyy in UTC. */
export function day(at: Date): string {
  return `${two(at.getUTCDate())}/${two(at.getUTCMonth() + 1)}/${at.getUTCFullYear()}`;
}

/** As the client's HTTP library writes a query: absent values left out, four characters as they are. */
export function queryText(query: Query): string {
  const write = (v: string) =>
    encodeURIComponent(v).replace(/%3A/gi, ":").replace(/%24/g, "$").replace(/%2C/gi, ",").replace(/%20/g, "+");
  const pairs = Object.entries(query).filter(([, v]) => v !== undefined && v !== null);
  return pairs.map(([name, v]) => `${write(name)}=${write(String(v))}`).join("&");
}

/** A multipart body of files; the part's name is what the client's manual gives it. */
export function formOf(files: { name: string; content: Buffer; type?: string }[]): { type: string; body: Buffer } {
  const mark = "----nowserving4f1e0b62";
  const parts = files.flatMap((file, i) => [
    Buffer.from(`--${mark}\r\nContent-Disposition: form-data; name="${i}"; filename="${file.name}"\r\n` +
      `Content-Type: ${file.type ?? "application/octet-stream"}\r\n\r\n`),
    file.content,
    Buffer.from("\r\n"),
  ]);
  return { type: `multipart/form-data; boundary=${mark}`, body: Buffer.concat([...parts, Buffer.from(`--${mark}--\r\n`)]) };
}

const LIST_PAGES = 15;

export class ChatClient {
  readonly base: string;
  private cached: { token: string; until: number } | undefined;

  constructor(readonly options: Options) {
    const { workspace, domain, apiVersion = "1.2" } = options;
    const scheme = domain.includes("localhost") ? "http" : "https";
    this.base = `${scheme}://${workspace}.${domain}/api/v${apiVersion}`;
  }

  /** 1. The token, kept until exactly the moment that the server named. */
  async getToken(userName = this.options.userName): Promise<string> {
    if (this.cached && Date.now() < this.cached.until) {
      return this.cached.token;
    }
    const { apiKey, apiSecret } = this.options;
    const token = (await this.exchange("POST", "/token/get", { body: { apiKey, apiSecret, userName }, open: true })) as Token;
    this.cached = { token: token.access_token, until: Date.now() + token.expires_in * 1000 };
    return token.access_token;
  }

  async getRequestHeaders(): Promise<Record<string, string>> {
    return { Authorization: `Bearer ${await this.getToken()}`, ...this.options.headers };
  }

  private async exchange(method: string, path: string, { body, open, raw }: { body?: unknown; open?: boolean; raw?: { type: string; body: Buffer } } = {}): Promise<unknown> {
    const headers: Record<string, string> = { Accept: "application/json, text/plain, */*", "User-Agent": "axios/1.7.9" };
    Object.assign(headers, open ? {} : await this.getRequestHeaders());
    if (raw || body !== undefined) {
      headers["Content-Type"] = raw ? raw.type : "application/json";
    }
    const url = path.startsWith("http") ? path : this.base + path;
    const content = raw ? raw.body : body === undefined ? undefined : JSON.stringify(body);
    const answer = await exchange(url, {
      method, headers, ...(content === undefined ? {} : { body: content }), ...(this.options.from ? { from: this.options.from } : {}),
    });
    if (answer.status < 200 || answer.status > 299) {
      const told = parsed(answer) as { message?: string; Message?: string };
      throw new ChatError(told.message ?? told.Message ?? "an error has occurred", answer.status, answer);
    }
    return parsed(answer);
  }

  private call<T>(method: string, path: string, query: Query = {}, body?: unknown): Promise<T> {
    const q = queryText(query);
    return this.exchange(method, q ? `${path}?${q}` : path, body === undefined ? {} : { body }) as Promise<T>;
  }

  /** 2 to 18. */
  readonly tickets = {
    create: (p: Body) => this.call<Ticket>("POST", "/tickets/create", {}, p),
    get: (id: number) => this.call<Ticket>("GET", `/tickets/get/${id}`),
    /** Follows paging.next for up to 15 requests and gives the bare array. */
    list: async (q: Query): Promise<Listed[]> => {
      const all: Listed[] = [];
      let page = await this.call<List>("GET", "/tickets/list", q);
      for (let n = 1; ; n++) {
        all.push(...page.tickets);
        if (!page.paging.next || n === LIST_PAGES) {
          return all;
        }
        page = (await this.exchange("GET", page.paging.next)) as List;
      }
    },
    send: (id: number, p: Body) => this.call<Transaction>("POST", `/tickets/send/${id}`, {}, p),
    /** Four names of the payload go into the query, the rest into the body. */
    setState: (id: number, p: Body) => {
      const { nextState, getTicket, sendTicketStateChangedMessage, enableWebhook, ...rest } = p;
      const q = { nextState, getTicket, sendTicketStateChangedMessage, enableWebhook } as Query;
      return this.call<Done | Ticket>("PUT", `/tickets/setstate/${id}`, q, rest);
    },
    setFields: (id: number, p: Body) => this.call<unknown>("PUT", `/tickets/setfields/${id}`, {}, p),
    setParticipantName: (id: number, p: Body) => this.call<unknown>("PUT", `/tickets/setparticipantname/${id}`, {}, p),
    setOwner: (id: number, q: Query) => this.call<unknown>("PUT", `/tickets/setowner/${id}`, q, {}),
    assignAvailableUser: (id: number) => this.call<unknown>("PUT", `/tickets/assignavailableuser/${id}`, {}, {}),
    setDepartment: (id: number, p: Body) => this.call<{ ticketId: number }>("PUT", `/tickets/setdepartment/${id}`, {}, p),
    addTags: (id: number, tags: string[]) => this.call<string[]>("POST", `/tickets/addtags/${id}`, {}, tags),
    removeTag: (id: number, q: Query) => this.call<string[]>("DELETE", `/tickets/removetag/${id}`, q),
    addNote: (id: number, p: Body) => this.call<unknown>("POST", `/tickets/addnote/${id}`, {}, p),
    scramble: (id: number) => this.call<unknown>("DELETE", `/tickets/scramble/${id}`),
    /** The client reads the PDF as text: only an ASCII-safe one survives that. */
    pdf: (id: number, p: Body) => this.call<string>("POST", `/tickets/pdf/${id}`, {}, p),
    html: (id: number, p: Body) => this.call<string>("POST", `/tickets/html/${id}`, {}, p),
    generateSurveyLink: (id: number, p: Body) => this.call<{ surveyLink: string }>("POST", `/tickets/generatesurveylink/${id}`, {}, p),
  };

  /** 19 to 27. */
  readonly users = {
    getAll: () => this.call<User[]>("GET", "/users/allusers"),
    setStatus: (p: Body) => this.call<unknown>("PUT", "/users/setstatus", {}, p),
    getStatus: () => this.call<UserStatus>("GET", "/users/getstatus"),
    add: (p: Body[], q: Query) => this.call<Done>("POST", "/users/add", q, p),
    delete: (q: Query) => this.call<Deleted>("DELETE", "/users/delete", q),
    setUniqueArgument: (p: Body) => this.call<unknown>("PUT", "/users/setuniqueargument", {}, p),
    update: (p: Body) => this.call<unknown>("POST", "/users/update", {}, p),
    getByUniqueArgument: (q: Query) => this.call<User>("GET", "/users/getbyuniqueargument", q),
    setRoles: (roles: string[], q: Query) => this.call<unknown>("POST", "/users/setroles", q, roles),
  };

  /** 28 and 29. */
  readonly tenants = {
    isOnline: (q: Query) => this.call<boolean>("GET", "/tenants/isonline", q),
    getTags: () => this.call<Tag[]>("GET", "/tenants/gettags"),
  };

  /** 30 to 34. */
  readonly contacts = {
    get: (id: string) => this.call<Contact>("GET", `/contacts/get/${id}`),
    setName: (id: string, p: Body) => this.call<Done>("PUT", `/contacts/setname/${id}`, {}, p),
    addIdentifier: (id: string, p: Body) => this.call<Done>("POST", `/contacts/addidentifier/${id}`, {}, p),
    setUniqueArgument: (id: string, p: Body) => this.call<Done>("PUT", `/contacts/setuniqueargument/${id}`, {}, p),
    deleteIdentifier: (id: string, q: Query) => this.call<Done>("DELETE", `/contacts/deleteidentifier/${id}`, q),
  };

  /** 35 to 37. */
  readonly cannedReplies = {
    getAll: () => this.call<Reply[]>("GET", "/cannedreplies/getall"),
    add: (p: Body) => this.call<Reply>("POST", "/cannedreplies/add", {}, p),
    delete: (q: Query) => this.call<unknown>("DELETE", "/cannedreplies/delete", q),
  };

  /** 38. */
  readonly interactiveDocuments = {
    send: (id: number, p: Body) => this.call<Transaction>("POST", `/interactivedocuments/send/${id}`, {}, p),
  };

  /** 39. */
  readonly protocols = { send: (p: Body) => this.call<Message>("POST", "/protocols/send", {}, p) };

  /** 40 to 42. */
  readonly phoneCalls = {
    started: (id: number, p: Body) => this.call<unknown>("POST", `/phonecalls/started/${id}`, {}, p),
    ended: (id: number, p: Body) => this.call<unknown>("POST", `/phonecalls/ended/${id}`, {}, p),
    audioLink: (id: number, p: Body) => this.call<unknown>("POST", `/phonecalls/audiolink/${id}`, {}, p),
  };

  /** 43. */
  readonly files = {
    upload: (form: { type: string; body: Buffer }) => this.exchange("POST", "/files/upload", { raw: form }) as Promise<string[]>,
  };

  /** 44. Of its payload only deleteEvents goes anywhere. */
  readonly webhooks = {
    getevents: ({ deleteEvents }: { deleteEvents?: boolean; [other: string]: unknown }) =>
      this.call<ChatEvent[]>("GET", "/webhooks/getevents", { deleteEvents }),
  };
}
