// The pages' client without a browser: follows a board until its standard input
// ends, and writes what a page would show on one line for each line that it reads.
// For server/torture. Usage: node e2e/follow.mjs ws://host/ws TOKEN CHANNEL
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { webcrypto } from "node:crypto";
import { build } from "esbuild";
import WebSocket from "ws";

const [url, token, channel] = process.argv.slice(2);
const source = fileURLToPath(new URL("../src/client/index.ts", import.meta.url));
const bundled = await build({ entryPoints: [source], bundle: true, format: "esm", write: false, logLevel: "error" });
const client = await import("data:text/javascript;base64," + Buffer.from(bundled.outputFiles[0].contents).toString("base64"));
globalThis.crypto ??= webcrypto;

let board;
let problems = 0;
let prev = 0;
let resets = 0;
let pushes = 0;
const hub = new client.Client(
  {
    now: () => performance.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    random: () => Math.random() / 500, // no fleet to spread
    key: client.randomKey,
    open() {
      const socket = new WebSocket(url, client.SUBPROTOCOL);
      socket.on("error", () => undefined); // a browser's socket does not throw when nobody listens
      return socket;
    },
    report: (problem, cause) => {
      problems++;
      console.error(problem, cause);
    },
  },
  { name: "torture-follow", token: () => token },
);
hub.subscribe(channel, {
  snapshot(snapshot, position) {
    resets++;
    if (position.offset < prev) problems++;
    prev = position.offset;
    board = client.readBoard(snapshot);
  },
  push(push) {
    if (push.offset === undefined) return;
    pushes++;
    if (push.prev !== prev) problems++;
    prev = push.offset;
    board = client.foldBoard(board, push);
  },
  refused() {
    problems++;
  },
});
hub.start();

/** Expected waiting is told anew only when a line changes, so it may differ. */
const shown = (key, value) => (key === "wait" ? undefined : value);
const lines = createInterface({ input: process.stdin });
lines.on("line", () => {
  console.log(JSON.stringify({ offset: prev, problems, resets, pushes, board: JSON.stringify(board ?? null, shown) }));
});
lines.on("close", () => process.exit(0));
