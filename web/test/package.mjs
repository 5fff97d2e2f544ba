// The package of web/client, built and used as somebody else would: imported by
// its entries in Node, and compiled against its declarations.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const pack = join(root, "client");
assert.equal(spawnSync(process.execPath, [join(pack, "build.mjs")], { stdio: "inherit" }).status, 0, "the package builds");

const { exports: entries } = JSON.parse(readFileSync(join(pack, "package.json"), "utf8"));
const { connect, readBoard, foldBoard, HubError } = await import(pathToFileURL(join(pack, entries["."].import)).href);
const { loadWidget } = await import(pathToFileURL(join(pack, entries["./widget"].import)).href);
assert.equal(typeof loadWidget, "function");

/** The hub's end of the one socket. */
class Socket {
  static last;
  sent = [];
  readyState = 1;
  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    Socket.last = this;
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {}
  say(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
}

const client = connect({ url: "https://hub.example/", token: () => "t", WebSocket: Socket });
const socket = Socket.last;
assert.deepEqual([socket.url, socket.protocol], ["wss://hub.example/ws", "nowserving.v1"]);
socket.onopen({});
assert.equal(socket.sent[0].connect.token, "t");
let board;
client.subscribe("board:1", { snapshot: (s) => { board = readBoard(s); }, push: (p) => { board = foldBoard(board, p); } });
socket.say({ id: 1, reply: { session: "s", audience: "display", ping: 5, time: new Date().toISOString() } });
socket.say({ id: socket.sent[1].id, reply: { channel: "board:1", epoch: "e", offset: 1, recovered: false, snapshot: { lines: [{ id: 1, name: "A", waiting: 0 }] } } });
assert.equal(board.lines[0].name, "A");
const command = client.command("ticket.call", { ticket: "17" }, undefined, "my-key");
const sent = socket.sent[2];
assert.deepEqual(sent.command, { name: "ticket.call", key: "my-key", params: { ticket: "17" } });
socket.say({ id: sent.id, error: { code: "conflict", message: "already called" } });
await assert.rejects(command, (error) => error instanceof HubError && error.code === "conflict");
client.stop();
if (!("WebSocket" in globalThis)) assert.throws(() => connect({ url: "https://hub.example" }), /WebSocket/);

// Somebody's own code against the declarations: what is right compiles, what is wrong does not.
const consumer = mkdtempSync(join(tmpdir(), "nowserving-consumer-"));
const compile = (code) => {
  writeFileSync(join(consumer, "use.ts"), code);
  const options = ["--ignoreConfig", "--noEmit", "--strict", "--target", "es2020", "--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2020,dom", "--skipLibCheck"];
  return spawnSync(join(root, "node_modules/.bin/tsc"), [...options, join(consumer, "use.ts")], { encoding: "utf8" });
};
const head = `import { connect } from ${JSON.stringify(join(pack, "dist/types/client/index"))};\nimport { loadWidget } from ${JSON.stringify(join(pack, "dist/types/client/widget"))};\n`;
const good = compile(`${head}const hub = connect({ url: "https://hub.example" });\nhub.status.watch(({ state }) => state === "live");\nloadWidget("https://hub.example", { key: "k" }).then((w) => w.on("unread", (n) => n.toFixed()));\n`);
assert.equal(good.status, 0, good.stdout);
assert.notEqual(compile(`${head}connect({ url: 5 });\n`).status, 0, "a wrong option is noticed");
assert.notEqual(compile(`${head}loadWidget("https://hub.example", { key: "k" }).then((w) => w.on("nonsense", () => 0));\n`).status, 0, "an unknown event is noticed");
rmSync(consumer, { recursive: true });
console.log("client package: builds, imports, and its types hold");
