// The package's front: the client of the hub's own pages, and how to get one on
// another origin, or in Node.
import { Client, ClientOptions } from "../src/client/client";
import { Env, randomKey, SocketLike, socketURL, steadyClock } from "../src/client/env";
import { SUBPROTOCOL } from "../src/client/wire";

export * from "../src/client/index";
export type { Answer, Attachment, Payload, Ticket as VisitorTicket, Transaction as VisitorTransaction, VisitAnswer as Visit } from "../src/common/visit";

/** What connect needs to know. */
export interface ConnectOptions extends Partial<ClientOptions> {
  /** The hub's address, "https://hub.example". */
  url: string;
  /** For environments without a WebSocket of their own: one that speaks the browser's interface. */
  WebSocket?: new (url: string, protocol: string) => SocketLike;
  /** Where defects are told; by default the console. */
  report?: (problem: string, cause: unknown) => void;
}

/** What the client needs from outside, for a hub at url. */
export function hubEnv(options: ConnectOptions): Env {
  const Socket = options.WebSocket || (globalThis as { WebSocket?: ConnectOptions["WebSocket"] }).WebSocket;
  if (!Socket) {
    throw new Error("there is no WebSocket here; pass one");
  }
  const address = socketURL(new URL(options.url));
  return {
    now: steadyClock(() => performance.now(), () => Date.now()),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    key: randomKey,
    open: () => new Socket(address, SUBPROTOCOL),
    report: options.report || ((problem, cause) => console.error(problem, cause)),
  };
}

/** A client of the hub at url, already on its way to being connected. */
export function connect(options: ConnectOptions): Client {
  const client = new Client(hubEnv(options), { name: "nowserving-client/1.0", ...options });
  client.start();
  return client;
}
