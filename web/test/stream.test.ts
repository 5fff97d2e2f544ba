import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, Env, Position, Push } from "../src/client/index";
import { StreamSocket, withStreams } from "../src/client/stream";
import { FakeEnv } from "./fake";

/** The hub's end of one request. */
class FakeRequest {
  static all: FakeRequest[] = [];
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onprogress: (() => void) | null = null;
  status = 0;
  responseText = "";
  url = "";
  aborted = false;
  readonly headers: { [name: string]: string } = {};

  constructor() {
    FakeRequest.all.push(this);
  }

  open(_method: string, url: string): void {
    this.url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }

  getResponseHeader(): string {
    return "Sat, 21 Nov 2026 10:42:05 GMT";
  }

  send(): void {}

  abort(): void {
    this.aborted = true;
  }

  /** Some of the response arrives. */
  some(text: string): void {
    this.status = 200;
    this.responseText += text;
    this.onprogress?.();
  }

  end(status = this.status, text = ""): void {
    this.status = status;
    this.responseText += text;
    this.onload?.();
  }

  static take(part: string): FakeRequest {
    const at = this.all.findIndex((request) => request.url.includes(part));
    assert.notEqual(at, -1, `no request for ${part}; there is ${this.all.map((r) => r.url)}`);
    return this.all.splice(at, 1)[0]!;
  }
}

function rig() {
  FakeRequest.all = [];
  const fake = new FakeEnv();
  const plain: Env = {
    now: fake.now, random: fake.random, key: fake.key, report: fake.report,
    after: (ms, run) => fake.after(ms, run), open: () => fake.open(),
  };
  const env = withStreams(plain, () => new FakeRequest() as unknown as XMLHttpRequest);
  const client = new Client(env, { name: "test/1", token: () => "secret", pingAtMost: 5000 });
  const snapshots: Array<{ snapshot: any; position: Position }> = [];
  const pushes: Push[] = [];
  client.subscribe("board:1", {
    snapshot: (snapshot, position) => snapshots.push({ snapshot, position }),
    push: (push) => pushes.push(push),
  });
  client.start();
  return { fake, client, snapshots, pushes };
}

/** Sockets lead nowhere, so a stream is opened, and greeted. */
function blocked(made: ReturnType<typeof rig>): void {
  for (let i = 0; i < 2; i++) {
    made.fake.socket.drop();
    made.fake.pass(600);
  }
  asked(made, "/healthz").end(200, "ok");
}

/** The next request for something, within a minute. */
function asked(made: ReturnType<typeof rig>, part: string): FakeRequest {
  for (let i = 0; i < 600 && !FakeRequest.all.some((request) => request.url.includes(part)); i++) {
    made.fake.pass(100);
  }
  return FakeRequest.take(part);
}

const SNAPSHOT = 'event: snapshot\nid: e1/10\ndata: {"channel":"board:1","epoch":"e1","offset":10,"recovered":false,"snapshot":{"at":10}}\n\n';

function event(offset: number): string {
  const push = { push: "ticket.called", channel: "board:1", offset, prev: offset - 1, time: "2026-11-21T10:42:05Z", data: {} };
  return `id: e1/${offset}\ndata: ${JSON.stringify(push)}\n\n`;
}

test("where no socket gets through, the board hears by a stream", () => {
  const made = rig();
  blocked(made);
  assert.equal(made.fake.sockets.length, 2);
  const stream = FakeRequest.take("/sse?channel=board%3A1");
  assert.deepEqual(stream.headers, { Authorization: "Bearer secret" });
  stream.some(SNAPSHOT + event(11).slice(0, 20));
  assert.deepEqual(made.snapshots, [{ snapshot: { at: 10 }, position: { epoch: "e1", offset: 10 } }]);
  assert.equal(made.client.status.value.state, "live");
  stream.some(event(11).slice(20) + ":\n\n" + event(12));
  assert.deepEqual(made.pushes.map((push) => push.offset), [11, 12]);
  for (let i = 0; i < 12; i++) { // comments keep it alive
    made.fake.pass(5000);
    stream.some(":\n\n");
  }
  assert.equal(made.client.status.value.state, "live");
  assert.equal(stream.aborted, false);
});

test("a stream that was cut goes on where it was, without a socket in between", () => {
  const made = rig();
  blocked(made);
  FakeRequest.take("/sse").some(SNAPSHOT + event(11));
  const sockets = made.fake.sockets.length;
  asked(made, "/healthz").end(200, "ok"); // after silence
  assert.notEqual(made.client.status.value.state, "live");
  assert.equal(made.fake.sockets.length, sockets);
  const again = FakeRequest.take("/sse");
  assert.equal(again.headers["Last-Event-ID"], "e1/11");
  again.some(":\n\n" + event(12));
  assert.deepEqual(made.pushes.map((push) => push.offset), [11, 12]);
  assert.equal(made.snapshots.length, 1);
  assert.equal(made.client.status.value.state, "live");
});

test("one stream that has died ends all, however much the other says", () => {
  const made = rig();
  made.client.subscribe("display:1", { snapshot: () => {}, push: () => {} });
  blocked(made);
  const board = FakeRequest.take("/sse?channel=board");
  const display = FakeRequest.take("/sse?channel=display");
  board.some(SNAPSHOT);
  display.some(SNAPSHOT.replace("board:1", "display:1"));
  for (let i = 0; i < 6; i++) {
    made.fake.pass(5000);
    display.some(":\n\n");
  }
  assert.deepEqual([board.aborted, display.aborted], [true, true]);
});

test("after a while a socket is tried again, and kept when it works", () => {
  const made = rig();
  blocked(made);
  const stream = FakeRequest.take("/sse");
  stream.some(SNAPSHOT);
  for (let i = 0; i < 119; i++) {
    made.fake.pass(5000);
    stream.some(":\n\n");
  }
  assert.equal(made.client.status.value.state, "live");
  made.fake.pass(7000);
  assert.equal(stream.aborted, true);
  assert.equal(made.fake.sockets.length, 3);
  const socket = made.fake.socket;
  socket.accept();
  socket.reply(socket.take("connect"), { session: "s-1", audience: "display", ping: 5, time: "2026-11-21T10:42:05Z" });
  assert.deepEqual(socket.take("subscribe")["subscribe"], { channel: "board:1", since: { epoch: "e1", offset: 10 } });
  for (let i = 0; i < 20; i++) { // the hub is away for a while: that is no proxy
    made.fake.socket.drop();
    made.fake.pass(7900);
  }
  assert.ok(made.fake.sockets.length > 10);
  assert.equal(FakeRequest.all.length, 0);
});

test("a token that is not known ends the stream for good; other refusals are passed on", () => {
  const made = rig();
  blocked(made);
  FakeRequest.take("/sse").end(401, '{"error":{"code":"unauthenticated","message":"x"}}');
  assert.deepEqual([made.client.status.value.state, made.client.status.value.code], ["final", 4201]);
  const other = rig();
  blocked(other);
  FakeRequest.take("/sse").end(503, '{"error":{"code":"unavailable","message":"x","retryAfter":1}}');
  asked(other, "/sse").some(SNAPSHOT);
  assert.equal(other.client.status.value.state, "live");
});

test("what the hub closes with is passed on, and commands are refused", async () => {
  const made = rig();
  blocked(made);
  const stream = FakeRequest.take("/sse");
  stream.some(SNAPSHOT);
  await assert.rejects(made.client.command("ticket.call", {}), { code: "unavailable" });
  stream.some('event: close\ndata: {"code":4202}\n\n');
  assert.deepEqual([made.client.status.value.state, made.client.status.value.code], ["final", 4202]);
});

test("a response that has grown long is begun anew", () => {
  const made = rig();
  blocked(made);
  const stream = FakeRequest.take("/sse");
  stream.some(SNAPSHOT);
  stream.some(`:${" ".repeat(1 << 19)}\n\n` + event(11));
  assert.equal(stream.aborted, true);
  asked(made, "/healthz").end(200, "ok");
  assert.equal(FakeRequest.take("/sse").headers["Last-Event-ID"], "e1/11");
});

test("a proxy that answers for a hub that is away is no hub", () => {
  const made = rig();
  for (let i = 0; i < 2; i++) {
    made.fake.socket.drop();
    made.fake.pass(600);
  }
  asked(made, "/healthz").end(502, "Bad Gateway");
  assert.equal(FakeRequest.all.length, 0);
  assert.equal(made.client.status.value.state, "connecting");
  made.fake.pass(5000);
  assert.equal(made.fake.sockets.length, 3);
});

test("a stream socket that is closed says nothing more", () => {
  const fake = new FakeEnv();
  const socket = new StreamSocket(fake, () => new FakeRequest() as unknown as XMLHttpRequest);
  let opened = 0;
  socket.onopen = () => opened++;
  socket.close();
  fake.pass(10);
  assert.equal(opened, 0);
});
