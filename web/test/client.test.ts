import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, HubError, Position, Push } from "../src/client/index";
import { FakeEnv, FakeSocket, settled } from "./fake";

const TIME = "2026-11-21T10:42:05.120Z";

interface Rig {
  env: FakeEnv;
  client: Client;
  snapshots: Array<{ snapshot: any; position: Position }>;
  pushes: Push[];
}

function rig(options: object = {}): Rig {
  const env = new FakeEnv();
  const client = new Client(env, { name: "test/1", token: () => "secret", ...options });
  const made: Rig = { env, client, snapshots: [], pushes: [] };
  client.subscribe("board:1", {
    snapshot: (snapshot, position) => made.snapshots.push({ snapshot, position }),
    push: (push) => made.pushes.push(push),
  });
  client.start();
  return made;
}

function connect(socket: FakeSocket, ping = 5): void {
  socket.accept();
  socket.reply(socket.take("connect"), { session: "s-1", audience: "display", ping, time: TIME });
}

function snapshot(socket: FakeSocket, offset: number, epoch = "e1"): void {
  socket.reply(socket.take("subscribe"), { channel: "board:1", epoch, offset, recovered: false, snapshot: { at: offset } });
}

function push(offset: number, prev: number): Push {
  return { push: "ticket.called", channel: "board:1", offset, prev, time: TIME, data: {} };
}

function live(options: object = {}): Rig {
  const made = rig(options);
  connect(made.env.socket);
  snapshot(made.env.socket, 10);
  return made;
}

test("connects with the token, subscribes, and is live after the snapshot", () => {
  const { env, client, snapshots } = rig();
  assert.equal(client.status.value.state, "connecting");
  env.socket.accept();
  const frame = env.socket.take("connect");
  assert.deepEqual(frame, { id: 1, connect: { token: "secret", name: "test/1" } });
  assert.equal(env.socket.has("subscribe"), false, "nothing before the connect reply");
  env.socket.reply(frame, { session: "s-1", audience: "display", ping: 5, time: TIME });
  assert.deepEqual(env.socket.received[0]!["subscribe"], { channel: "board:1" });
  assert.equal(client.status.value.state, "connecting", "connected is not yet current");
  snapshot(env.socket, 10);
  assert.deepEqual(snapshots, [{ snapshot: { at: 10 }, position: { epoch: "e1", offset: 10 } }]);
  assert.equal(client.status.value.state, "live");
});

test("nothing is written to a socket that is closing", () => {
  const { env, client } = live();
  const before = env.socket.received.length;
  env.socket.readyState = 2;
  void client.command("ticket.recall", { ticket: "17" }).catch(() => undefined);
  assert.equal(env.socket.received.length, before);
  env.socket.readyState = 1;
  void client.command("ticket.recall", { ticket: "17" }).catch(() => undefined);
  assert.equal(env.socket.received.length, before + 1);
});

test("the hub's clock comes from the connect reply and runs on", () => {
  const { env, client } = live();
  env.pass(2500);
  assert.equal(client.serverTime(), Date.parse(TIME) + 2500);
});

test("resumes with since; missed pushes are applied before it is live again", () => {
  const { env, client, pushes, snapshots } = live();
  env.socket.say(push(12, 10));
  env.socket.drop();
  assert.equal(client.status.value.state, "connecting");
  env.pass(30000);
  connect(env.socket);
  const frame = env.socket.take("subscribe");
  assert.deepEqual(frame["subscribe"], { channel: "board:1", since: { epoch: "e1", offset: 12 } });
  env.socket.reply(frame, { channel: "board:1", epoch: "e1", offset: 15, recovered: true });
  assert.notEqual(client.status.value.state, "live", "still catching up");
  env.socket.say(push(14, 12));
  assert.notEqual(client.status.value.state, "live");
  env.socket.say(push(15, 14));
  assert.equal(client.status.value.state, "live");
  assert.deepEqual(pushes.map((p) => p.offset), [12, 14, 15]);
  assert.equal(snapshots.length, 1);
});

test("a resume that is answered with a snapshot starts from it", () => {
  const { env, snapshots, pushes } = live();
  env.socket.drop();
  env.pass(30000);
  connect(env.socket);
  snapshot(env.socket, 40);
  env.socket.say(push(41, 40));
  assert.deepEqual(snapshots[1]!.position, { epoch: "e1", offset: 40 });
  assert.deepEqual(pushes.map((p) => p.offset), [41]);
});

test("a gap is not applied; it subscribes again with since", () => {
  const { env, client, pushes } = live();
  env.socket.say(push(13, 12));
  assert.equal(pushes.length, 0);
  assert.equal(client.status.value.state, "connecting");
  const frame = env.socket.take("subscribe");
  assert.deepEqual(frame["subscribe"].since, { epoch: "e1", offset: 10 });
  env.socket.say(push(14, 13));
  assert.equal(pushes.length, 0, "what comes before the answer comes again after it");
  env.socket.reply(frame, { channel: "board:1", epoch: "e1", offset: 14, recovered: true });
  env.socket.say(push(12, 10));
  env.socket.say(push(13, 12));
  env.socket.say(push(14, 13));
  assert.deepEqual(pushes.map((p) => p.offset), [12, 13, 14]);
  assert.equal(client.status.value.state, "live");
});

test("a gap that resuming does not close leads to a snapshot, not to a busy loop", () => {
  const { env } = live();
  env.socket.say(push(13, 12));
  const first = env.socket.take("subscribe");
  env.socket.reply(first, { channel: "board:1", epoch: "e1", offset: 13, recovered: true });
  env.socket.say(push(13, 12));
  assert.equal(env.socket.has("subscribe"), false, "it waits");
  env.pass(2000);
  assert.deepEqual(env.socket.take("subscribe")["subscribe"], { channel: "board:1" });
});

test("another epoch: the snapshot's position replaces the old one", () => {
  const { env, snapshots } = live();
  env.socket.drop();
  env.pass(30000);
  connect(env.socket);
  snapshot(env.socket, 3, "e2");
  assert.deepEqual(snapshots[1]!.position, { epoch: "e2", offset: 3 });
  env.socket.drop();
  env.pass(30000);
  connect(env.socket);
  assert.deepEqual(env.socket.take("subscribe")["subscribe"].since, { epoch: "e2", offset: 3 });
});

test("recovered in another epoch is not believed", () => {
  const { env } = live();
  env.socket.drop();
  env.pass(30000);
  connect(env.socket);
  env.socket.reply(env.socket.take("subscribe"), { channel: "board:1", epoch: "e2", offset: 10, recovered: true });
  assert.deepEqual(env.socket.take("subscribe")["subscribe"], { channel: "board:1" });
});

test("duplicates are dropped", () => {
  const { env, pushes } = live();
  env.socket.say(push(11, 10));
  env.socket.say(push(11, 10));
  env.socket.say(push(10, 9));
  env.socket.say(push(12, 11));
  assert.deepEqual(pushes.map((p) => p.offset), [11, 12]);
});

test("ephemeral pushes are handed on and do not move the cursor", () => {
  const { env, pushes } = live();
  env.socket.say({ push: "receipt", channel: "board:1", time: TIME, data: { offset: 99 } });
  env.socket.say(push(11, 10));
  assert.deepEqual(pushes.map((p) => p.push), ["receipt", "ticket.called"]);
  env.socket.drop();
  env.pass(30000);
  connect(env.socket);
  assert.equal(env.socket.take("subscribe")["subscribe"].since.offset, 11);
});

test("a push that cannot be applied costs the position and brings a snapshot", () => {
  const env = new FakeEnv();
  const client = new Client(env, { name: "test/1" });
  client.subscribe("board:1", {
    snapshot: () => undefined,
    push: () => {
      throw new Error("no");
    },
  });
  client.start();
  connect(env.socket);
  snapshot(env.socket, 10);
  env.socket.say(push(11, 10));
  assert.deepEqual(env.socket.take("subscribe")["subscribe"], { channel: "board:1" });
  assert.deepEqual(env.reports, ["a push could not be applied"]);
});

test("a refused channel is left and does not keep the rest from being live", () => {
  const { env, client } = live();
  let refusal: Error | undefined;
  client.subscribe("display:9", { snapshot: () => undefined, push: () => undefined, refused: (e) => (refusal = e) });
  env.socket.fail(env.socket.take("subscribe"), "forbidden");
  assert.equal((refusal as HubError).code, "forbidden");
  env.socket.say(push(11, 10));
  assert.equal(client.status.value.state, "live");
});

test("a busy hub is asked again later, not sooner than it says", () => {
  const { env } = rig();
  connect(env.socket);
  env.socket.fail(env.socket.take("subscribe"), "unavailable", { retryAfter: 3 });
  env.pass(2999);
  assert.equal(env.socket.has("subscribe"), false);
  env.pass(2000);
  assert.equal(env.socket.has("subscribe"), true);
});

test("pings by the hub's interval, and at least as often as the page wants", () => {
  const { env } = live();
  env.pass(4999);
  assert.equal(env.socket.has("ping"), false);
  env.pass(1);
  env.socket.reply(env.socket.take("ping"), {});
  const often = rig({ pingAtMost: 2000 });
  connect(often.env.socket, 25);
  often.env.pass(2000);
  assert.equal(often.env.socket.has("ping"), true);
});

test("a dead link is given up after three silent intervals, without waiting for its close", () => {
  const { env } = live();
  const dead = env.socket;
  env.pass(14999);
  assert.equal(dead.closedByClient, false);
  env.pass(1);
  assert.equal(dead.closedByClient, true);
  env.pass(500);
  assert.equal(env.sockets.length, 2);
});

test("a link that answers after a silence is asked what it lost", () => {
  const { env, client } = live();
  env.pass(14500);
  assert.equal(client.status.value.state, "stale");
  env.socket.say({ push: "receipt", channel: "board:1", time: TIME, data: {} });
  const frame = env.socket.take("subscribe");
  assert.deepEqual(frame["subscribe"].since, { epoch: "e1", offset: 10 });
  assert.equal(client.status.value.state, "stale");
  env.socket.reply(frame, { channel: "board:1", epoch: "e1", offset: 10, recovered: true });
  assert.equal(client.status.value.state, "live");
  assert.equal(env.socket.has("subscribe"), false);
});

test("a link that answers is kept", () => {
  const { env, client } = live();
  for (let i = 0; i < 20; i++) {
    env.pass(5000);
    env.socket.reply(env.socket.take("ping"), {});
  }
  assert.equal(env.sockets.length, 1);
  assert.equal(client.status.value.state, "live");
});

test("no connect reply within the timeout: another try", () => {
  const { env } = rig();
  env.socket.accept();
  env.pass(8000);
  assert.equal(env.sockets[0]!.closedByClient, true);
  env.pass(500);
  assert.equal(env.sockets.length, 2);
});

test("silence turns stale within 15 s and offline at 60 s, and says since when", () => {
  const { env, client } = live();
  env.pass(3000);
  env.socket.say(push(11, 10));
  const last = Date.parse(TIME) + 3000;
  env.pass(13000);
  assert.equal(client.status.value.state, "live");
  env.pass(2000);
  assert.deepEqual(client.status.value, { state: "stale", since: last });
  env.pass(46000);
  assert.deepEqual(client.status.value, { state: "offline", since: last });
  connect(env.socket);
  assert.equal(client.status.value.state, "offline", "connected is not current");
  env.socket.reply(env.socket.take("subscribe"), { channel: "board:1", epoch: "e1", offset: 11, recovered: true });
  assert.equal(client.status.value.state, "live");
});

test("answered pings do not hide that a subscription is not caught up", () => {
  const { env, client } = rig();
  connect(env.socket);
  env.socket.fail(env.socket.take("subscribe"), "unavailable", { retryAfter: 600 });
  for (let i = 0; i < 3; i++) {
    env.pass(5000);
    env.socket.reply(env.socket.take("ping"), {});
  }
  assert.equal(client.status.value.state, "offline");
});

test("wake while waiting reconnects at once; wake while connected probes", () => {
  const { env, client } = live();
  env.chance = 0.999;
  client.wake();
  assert.equal(env.sockets.length, 1);
  assert.equal(env.socket.has("ping"), true);
  env.pass(2999);
  assert.equal(env.socket.closedByClient, false);
  env.pass(1);
  assert.equal(env.socket.closedByClient, true, "no sign of life after a probe");
  client.wake();
  assert.equal(env.sockets.length, 2, "no back-off on return");
  env.pass(499);
  assert.equal(env.sockets.length, 2, "and the waiting return is gone");
});

test("a probe that is answered leaves the link alone", () => {
  const { env, client } = live();
  env.pass(1000);
  client.wake();
  env.pass(10);
  env.socket.reply(env.socket.take("ping"), {});
  env.pass(3990);
  assert.equal(env.sockets.length, 1);
});

test("stop ends every timer", () => {
  const { env, client } = live();
  client.stop();
  assert.equal(env.pendingTimers, 0);
  assert.equal(env.socket.closedByClient, true);
});

test("unsubscribe tells the hub, and later pushes go nowhere", async () => {
  const { env, client } = live();
  const seen: Push[] = [];
  const leave = client.subscribe("ticket:7", { snapshot: () => undefined, push: (p) => seen.push(p) });
  env.socket.reply(env.socket.take("subscribe"), { channel: "ticket:7", epoch: "e1", offset: 1, recovered: false, snapshot: {} });
  leave();
  assert.deepEqual(env.socket.take("unsubscribe")["unsubscribe"], { channel: "ticket:7" });
  env.socket.say({ ...push(12, 1), channel: "ticket:7" });
  assert.equal(seen.length, 0);
  await settled();
});
