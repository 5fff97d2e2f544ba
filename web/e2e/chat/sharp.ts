// The differences of the official C# client (section 7.2 of the description):
// every unset member as null, names of the query in Pascal case, dates with the
// separators of a country, no body where there is nothing to say.
import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { exchange, parsed } from "./wire";
import type { Answer } from "./wire";
import { queryText } from "./client";
import type { Body, Options, Query } from "./client";

/** As its calls return: whether it went well, the value, the raw text of a failure. */
export type Outcome = [ok: true, value: unknown, failure: null] | [ok: false, value: null, failure: string];

/** What a call must be answered with, or the client fails to read it. */
type Wanted = "json" | "object" | "array" | "string[]" | "bool" | "text/html" | "application/pdf" | "any";

const RENEW = 300;
const member = ["id", "name", "protocolType", "subProtocolType", "displayName", "isActive", "isDeleted", "identifier", "type", "userName", "contactId", "departmentIdentifier"];

/** A participant as its model writes it: id 0, a zero contact, nulls, and a type that its zero value misspells. */
export function sharpParticipant(given: Body): Body {
  const blank = Object.fromEntries(member.map((name) => [name, null]));
  return { ...blank, id: 0, type: "Undefind", isActive: true, isDeleted: false, contactId: "00000000-0000-0000-0000-000000000000", ...given };
}

const ticketMembers = [
  ...Array.from({ length: 10 }, (_, i) => `field${i + 1}`), "culture", "tags", "uniqueArgument", "state", "open", "close", "getAvailableUser",
  "addIntroductionMessage", "enableWebhook", "markAsRead", "details", "transactions", "participants",
];

/** A ticket as its model writes it: what is not set is null. */
export const sharpTicket = (given: Body): Body => ({
  ...Object.fromEntries(ticketMembers.map((name) => [name, null])), getAvailableUser: true, addIntroductionMessage: false, enableWebhook: true,
  markAsRead: false, ...given,
});

/** A time with a country's separators; the form of the parts stays. */
export const countryTime = (time: string, separator: string): string => time.replaceAll("/", separator);

/** Its IsRequestValid: a delivery is the server's if the date is signed with the department's secret. */
export function isRequestValid(headers: IncomingHttpHeaders, secret: string): boolean {
  const date = headers["x-glassix-auth-date"];
  return typeof date === "string" && headers["x-glassix-auth"] === `sha1=${createHmac("sha1", secret).update(date).digest("hex")}`;
}

export class SharpClient {
  readonly base: string;
  /** How often a token was asked for. */
  tokens = 0;
  private cached: { token: string; until: number } | undefined;

  constructor(readonly options: Options) {
    this.base = `http://${options.workspace}.${options.domain}/api/v1.2`;
  }

  /** Renewed five minutes before its end. */
  private async token(): Promise<string> {
    if (this.cached && Date.now() < this.cached.until) {
      return this.cached.token;
    }
    const { apiKey, apiSecret, userName } = this.options;
    this.tokens++;
    const answer = await this.raw("POST", "/token/get", {}, { apiKey, apiSecret, userName }, "");
    const token = JSON.parse(answer.text) as { access_token: string; expires_in: number };
    this.cached = { token: token.access_token, until: Date.now() + (token.expires_in - RENEW) * 1000 };
    return token.access_token;
  }

  private raw(method: string, path: string, query: Query, body: unknown, token: string): Promise<Answer> {
    const pascal = Object.fromEntries(
      Object.entries(query).filter(([, v]) => v !== "" && v !== null && v !== undefined)
        .map(([name, v]) => [name.charAt(0).toUpperCase() + name.slice(1), v]));
    const q = queryText(pascal);
    const headers: Record<string, string> = { Accept: "application/json" };
    if (token) headers["Authorization"] = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json; charset=utf-8";
    return exchange(this.base + path + (q ? `?${q}` : ""), { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  private async call(method: string, path: string, wanted: Wanted, query: Query = {}, body?: unknown): Promise<Outcome> {
    const open = path === "/tenants/isonline";
    const answer = await this.raw(method, path, query, body, open ? "" : await this.token());
    if (answer.status < 200 || answer.status > 299) {
      return [false, null, answer.text];
    }
    return [true, this.read(answer, wanted), null];
  }

  private read(answer: Answer, wanted: Wanted): unknown {
    if (wanted === "text/html" || wanted === "application/pdf") {
      if (answer.type !== wanted) throw new Error(`media type ${answer.type}, not ${wanted}`);
      return wanted === "text/html" ? answer.text : answer.body;
    }
    if (wanted === "any") return answer.text;
    const value = parsed(answer);
    const is = {
      json: true, object: typeof value === "object" && value !== null && !Array.isArray(value), array: Array.isArray(value),
      "string[]": Array.isArray(value) && value.every((v) => typeof v === "string"), bool: typeof value === "boolean",
    }[wanted];
    if (!is) throw new Error(`not to be read as ${wanted}: ${answer.text}`);
    return value;
  }

  readonly tickets = {
    create: (p: Body) => this.call("POST", "/tickets/create", "object", {}, p),
    get: (id: number) => this.call("GET", `/tickets/get/${id}`, "object"),
    /** One page. */
    list: (q: Query) => this.call("GET", "/tickets/list", "object", q),
    send: (id: number, p: Body) => this.call("POST", `/tickets/send/${id}`, "object", {},
      { text: null, html: null, files: null, quickReplies: null, templates: null, enableFreeTextInput: false, ...p }),
    setState: (id: number, q: Query, p?: Body) =>
      this.call("PUT", `/tickets/setstate/${id}`, "object", q, p && { tags: null, summary: null, ...p }),
    setFields: (id: number, p: Body) => this.call("PUT", `/tickets/setfields/${id}`, "any", {},
      { ...Object.fromEntries(ticketMembers.slice(0, 10).map((n) => [n, null])), uniqueArgument: null, details: null, ...p }),
    setParticipantName: (id: number, p: Body) => this.call("PUT", `/tickets/setparticipantname/${id}`, "any", {}, sharpParticipant(p)),
    setOwner: (id: number, q: Query) => this.call("PUT", `/tickets/setowner/${id}`, "any", q),
    assignAvailableUser: (id: number) => this.call("PUT", `/tickets/assignavailableuser/${id}`, "any"),
    setDepartment: (id: number, p: Body) => this.call("PUT", `/tickets/setdepartment/${id}`, "object", {}, p),
    addTags: (id: number, tags: string[]) => this.call("POST", `/tickets/addtags/${id}`, "string[]", {}, tags),
    removeTag: (id: number, q: Query) => this.call("DELETE", `/tickets/removetag/${id}`, "string[]", q),
    addNote: (id: number, p: Body) => this.call("POST", `/tickets/addnote/${id}`, "any", {}, { text: null, html: null, ...p }),
    setSummary: (id: number, p: Body) => this.call("POST", `/tickets/setsummary/${id}`, "any", {}, p),
    scramble: (id: number) => this.call("DELETE", `/tickets/scramble/${id}`, "any"),
    pdf: (id: number, p: Body) => this.call("POST", `/tickets/pdf/${id}`, "application/pdf", {}, p),
    html: (id: number, p: Body) => this.call("POST", `/tickets/html/${id}`, "text/html", {}, p),
    generateSurveyLink: (id: number, p: Body) => this.call("POST", `/tickets/generatesurveylink/${id}`, "object", {}, p),
  };

  readonly users = {
    allUsers: () => this.call("GET", "/users/allusers", "array"),
    setStatus: (p: Body) => this.call("PUT", "/users/setstatus", "any", {}, p),
    getStatus: () => this.call("GET", "/users/getstatus", "object"),
    add: (q: Query, p: Body[]) => this.call("POST", "/users/add", "object", q, p),
    delete: (q: Query) => this.call("DELETE", "/users/delete", "object", q),
    setUniqueArgument: (p: Body) => this.call("PUT", "/users/setuniqueargument", "any", {}, p),
    getByUniqueArgument: (q: Query) => this.call("GET", "/users/getbyuniqueargument", "object", q),
    update: (p: Body) => this.call("POST", "/users/update", "any", {}, { shortName: null, fullName: null, jobTitle: null, ...p }),
    setRoles: (q: Query, roles: string[]) => this.call("POST", "/users/setroles", "any", q, roles),
    statusLogs: (q: Query) => this.call("GET", "/users/statuslogs", "array", q),
  };

  readonly tenants = {
    /** Without a token. */
    isOnline: (q: Query) => this.call("GET", "/tenants/isonline", "bool", q),
    getTags: () => this.call("GET", "/tenants/gettags", "array"),
  };

  readonly contacts = {
    get: (id: string) => this.call("GET", `/contacts/get/${id}`, "object"),
    setName: (id: string, p: Body) => this.call("PUT", `/contacts/setname/${id}`, "object", {}, p),
    addIdentifier: (id: string, p: Body) => this.call("POST", `/contacts/addidentifier/${id}`, "object", {}, p),
    setUniqueArgument: (id: string, p: Body) => this.call("PUT", `/contacts/setuniqueargument/${id}`, "object", {}, p),
    deleteIdentifier: (id: string, q: Query) => this.call("DELETE", `/contacts/deleteidentifier/${id}`, "object", q),
  };

  readonly cannedReplies = { getAll: () => this.call("GET", "/cannedreplies/getall", "array") };

  readonly protocols = {
    send: (p: Body) => this.call("POST", "/protocols/send", "object", {}, {
      text: null, html: null, files: null, attachmentUris: null, dateTime: null, providerMessageId: null,
      departmentId: "00000000-0000-0000-0000-000000000000", status: "Pending", serviceProvider: 0, ...p,
    }),
  };

  readonly webhooks = {
    getEvents: (q: Query) => this.call("GET", "/webhooks/getevents", "array", q),
    deleteEvents: (p: unknown[]) => this.call("POST", "/webhooks/deleteevents", "any", {}, p),
  };
}
