import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, Client, closeRule, CommandReply, HubError, steadyClock } from "../src/client/index";
import { Link } from "../src/client/link";
import { FakeEnv, FakeSocket, settled } from "./fake";

function connect(socket: FakeSocket): void {
  socket.accept();
  socket.reply(socket.take("connect"), { session: "s-1", audience: "staff", ping: 25, time: "2026-11-21T10:42:05.120Z" });
}

function rig(): { env: FakeEnv; client: Client } {
  const env = new FakeEnv();
  const client = new Client(env, { name: "test/1" });
  client.subscribe("console:1", { snapshot: () => undefined, push: () => undefined });
  client.start();
  return { env, client };
}

function live(): { env: FakeEnv; client: Client } {
  const made = rig();
  connect(made.env.socket);
  made.env.socket.reply(made.env.socket.take("subscribe"), { channel: "console:1", epoch: "e1", offset: 5, recovered: false, snapshot: {} });
  return made;
}

/** How long, in ms, until the client opens another socket. */
function returnTime(env: FakeEnv): number {
  const before = env.sockets.length;
  for (let ms = 0; ms <= 40000; ms += 10) {
    if (env.sockets.length > before) {
      return ms;
    }
    env.pass(10);
  }
  return Infinity;
}

test("back-off stays within its bounds and uses all of them", () => {
  for (let failures = 0; failures < 70; failures++) {
    const cap = Math.min(30000, 500 * 2 ** failures);
    assert.equal(backoff(failures, () => 0), 0);
    assert.equal(backoff(failures, () => 0.5), cap / 2);
    assert.ok(backoff(failures, () => 0.9999999) <= cap);
  }
});

test("failed tries wait longer and longer, up to 30 s; success starts over", () => {
  const { env } = rig();
  env.chance = 0.8;
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    env.socket.drop();
    waits.push(returnTime(env));
  }
  assert.deepEqual(waits, [400, 800, 1600, 3200, 6400, 12800, 24000, 24000]);
  connect(env.socket);
  env.socket.drop();
  assert.ok(returnTime(env) <= 500);
});

test("close codes: the table of the protocol", () => {
  const table: Array<[number, string, boolean]> = [
    [4000, "drain", true], [4001, "backoff", true], [4002, "backoff", true], [4003, "sign-in", true],
    [4004, "throttled", true], [4005, "throttled", true], [4100, "backoff", false], [4199, "backoff", false],
    [4200, "never", false], [4201, "never", false], [4202, "never", false], [4203, "never", false], [4299, "never", false],
    [1000, "backoff", true], [1001, "backoff", true], [1006, "backoff", true], [1009, "backoff", true], [1012, "backoff", true],
    [4300, "backoff", true],
  ];
  for (const [code, back, keep] of table) {
    assert.deepEqual(closeRule(code), { back, keep }, String(code));
  }
});

test("4000: comes back within 5 s, with its position", () => {
  const { env } = live();
  env.chance = 0.9;
  env.socket.drop(4000);
  assert.equal(returnTime(env), 4500);
  connect(env.socket);
  assert.deepEqual(env.socket.take("subscribe")["subscribe"].since, { epoch: "e1", offset: 5 });
});

test("4100: comes back without its position", () => {
  const { env } = live();
  env.socket.drop(4100);
  returnTime(env);
  connect(env.socket);
  assert.deepEqual(env.socket.take("subscribe")["subscribe"], { channel: "console:1" });
});

for (const code of [4003, 4200, 4201, 4202, 4203]) {
  test(`${code}: does not come back by itself`, () => {
    const { env, client } = live();
    env.socket.drop(code);
    assert.equal(client.status.value.state, "final");
    assert.equal(client.status.value.code, code);
    assert.equal(returnTime(env), Infinity);
    client.wake();
    assert.equal(env.sockets.length, 1);
  });
}

test("4003: after signing in again it resumes from its position", () => {
  const { env, client } = live();
  env.socket.drop(4003);
  client.start();
  connect(env.socket);
  assert.deepEqual(env.socket.take("subscribe")["subscribe"].since, { epoch: "e1", offset: 5 });
});

test("throttled connections back off although each of them connects", () => {
  const { env } = rig();
  env.chance = 0.99;
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) {
    connect(env.socket);
    env.socket.drop(4004);
    waits.push(Math.round(returnTime(env) / 1000));
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16]);
});

test("connect answered unauthenticated is final, even if the close code gets lost", () => {
  const { env, client } = rig();
  env.socket.accept();
  env.socket.fail(env.socket.take("connect"), "unauthenticated");
  assert.deepEqual([client.status.value.state, client.status.value.code], ["final", 4201]);
});

test("connect answered unavailable: not before retryAfter", () => {
  const { env } = rig();
  env.socket.accept();
  env.socket.fail(env.socket.take("connect"), "unavailable", { retryAfter: 7 });
  assert.ok(returnTime(env) >= 7000);
});

test("a command is answered by id, and an error keeps its code", async () => {
  const { env, client } = live();
  const first = client.command("ticket.recall", { ticket: "17" });
  const second = client.command("ticket.serve", { ticket: "17" });
  const a = env.socket.take("command");
  const b = env.socket.take("command");
  assert.deepEqual(a["command"], { name: "ticket.recall", key: "key-1", params: { ticket: "17" } });
  env.socket.fail(b, "conflict");
  env.socket.reply(a, { offset: 9 });
  assert.equal((await first).offset, 9);
  await assert.rejects(second, (e: HubError) => e.code === "conflict");
});

test("a command without an answer goes out again with the same key after a reconnect", async () => {
  const { env, client } = live();
  const done = client.command("ticket.callNext", { lines: [1], desk: 3 });
  const first = env.socket.take("command");
  env.socket.drop();
  env.pass(1000);
  connect(env.socket);
  const again = env.socket.take("command");
  assert.deepEqual(again["command"], first["command"]);
  env.socket.reply(again, { offset: 9 });
  assert.equal((await done).offset, 9);
  assert.equal(env.socket.has("command"), false);
});

test("a command older than 10 s is given up and never sent again", async () => {
  const { env, client } = live();
  const done = client.command("ticket.callNext", { lines: [1] });
  const failed = assert.rejects(done, (e: HubError) => e.code === "timed_out");
  env.socket.take("command");
  env.chance = 0;
  env.socket.drop();
  env.pass(10000);
  await failed;
  connect(env.socket);
  assert.equal(env.socket.has("command"), false);
});

test("a command while away is sent on return, or reported as never sent", async () => {
  const { env, client } = live();
  env.chance = 0.999;
  env.socket.drop();
  const quick = client.command("ticket.recall", { ticket: "1" });
  env.pass(1000);
  connect(env.socket);
  env.socket.reply(env.socket.take("command"), { offset: 6 });
  assert.equal((await quick as CommandReply).offset, 6);
  env.socket.drop();
  const slow = client.command("ticket.recall", { ticket: "1" });
  const failed = assert.rejects(slow, (e: HubError) => e.code === "not_sent");
  env.pass(10000);
  await failed;
});

test("a link answers every request exactly once, also when it breaks first", () => {
  const env = new FakeEnv();
  const nothing = () => undefined;
  const link = new Link(env, { connected: nothing, heard: nothing, push: nothing, closed: nothing }, { token: undefined, name: "test/1", pingAtMost: Infinity });
  const codes: Array<string | undefined> = [];
  const note = (error: HubError | undefined) => codes.push(error && error.code);
  link.request("ping", {}, note);
  connect(env.socket);
  link.request("ping", {}, note);
  env.socket.reply(env.socket.take("ping"), {});
  link.request("ping", {}, note);
  env.socket.drop();
  link.request("ping", {}, note);
  env.pass(60000);
  assert.deepEqual(codes, ["link_lost", undefined, "link_lost", "link_lost"]);
});

test("a final close fails what is waiting", async () => {
  const { env, client } = live();
  const done = client.command("ticket.recall", { ticket: "1" });
  const failed = assert.rejects(done, (e: HubError) => e.code === "timed_out");
  env.socket.drop(4200);
  await failed;
  await settled();
});

test("the steady clock never runs back, and counts sleep", () => {
  let mono = 0;
  let wall = 1e12;
  const now = steadyClock(() => mono, () => wall);
  mono += 1000;
  wall += 1000;
  assert.equal(now(), 1000);
  mono += 1000;
  wall -= 3600000;
  assert.equal(now(), 2000, "a wall clock set back");
  wall += 600000;
  assert.equal(now(), 602000, "ten minutes of sleep");
  for (let i = 0; i < 1000; i++) {
    mono += 0.4;
    wall += i % 5 < 2 ? 1 : 0;
    now();
  }
  assert.equal(Math.round(now()), 602400, "reading it often adds nothing");
});
