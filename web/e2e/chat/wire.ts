// One HTTP exchange, with nothing between the test and the bytes.
import { Agent, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { LookupFunction } from "node:net";

/** What came back, before anybody makes something of it. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The media type without its parameters. */
  type: string;
  body: Buffer;
  text: string;
}

export interface Sent {
  method: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** The address to come from; limits without a token go by it. */
  from?: string;
}

// Every name is this machine: the server takes any Host, and *.localhost is not
// known to every resolver.
const lookup: LookupFunction = (_, options, done) => {
  if (options.all) {
    done(null, [{ address: "127.0.0.1", family: 4 }]);
  } else {
    done(null, "127.0.0.1", 4);
  }
};

// A connection each: none is left that a server could close under a request.
const agent = new Agent({ keepAlive: false, maxSockets: 32 });

/** The operations that were answered with 200. */
export const answered = new Set<string>();

function note(method: string, path: string, status: number): void {
  const operation = /^\/api\/v1\.2(\/[a-z]+\/[a-z]+)/.exec(path)?.[1];
  if (operation && status === 200) {
    answered.add(`${method} ${operation}`);
  }
}

export function exchange(url: string, { method, headers = {}, body, from }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const to = new URL(url);
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const outgoing = request(
      { agent, lookup, method, host: to.hostname, port: to.port, path: to.pathname + to.search, headers: { ...headers, ...length }, timeout: 30000,
        ...(from ? { localAddress: from } : {}) },
      (incoming) => {
        const parts: Buffer[] = [];
        incoming.on("data", (part: Buffer) => parts.push(part));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const all = Buffer.concat(parts);
          note(method, to.pathname, incoming.statusCode ?? 0);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            type: (incoming.headers["content-type"] ?? "").split(";")[0] ?? "",
            body: all,
            text: all.toString("utf8"),
          });
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer: ${method} ${url}`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A JSON body, or the text itself where it is none. */
export function parsed(answer: Answer): unknown {
  if (answer.type !== "application/json") {
    return answer.text;
  }
  return JSON.parse(answer.text);
}
