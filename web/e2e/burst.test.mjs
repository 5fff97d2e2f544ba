// What a screen must bear: bursts, thousands of calls, a hub that freezes, and
// calls that come faster than they can be said.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { hero, launch, openPage, state } from "./browser.mjs";
import { FakeHub } from "./fake-server.mjs";

const CALLS = 10000;
const problems = [];
let browser;

before(async () => {
  browser = await launch(["--autoplay-policy=no-user-gesture-required", "--js-flags=--expose-gc"]);
});

after(() => browser?.close());

async function board(t, prepare = () => undefined) {
  const hub = new FakeHub();
  prepare(hub);
  const url = await hub.start();
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  t.after(async () => {
    await context.close();
    await hub.stop();
  });
  const page = await openPage(context, `${url}/board/1`, problems);
  await state(page, "live");
  return { hub, page };
}

/** The receipts that a hub gets, as they come. */
function receipts(hub) {
  const all = [];
  const send = hub.send.bind(hub);
  hub.send = (channel, push) => {
    if (push.push === "receipt") all.push({ ...push.data, at: Date.now() });
    send(channel, push);
  };
  return all;
}

test("two calls 200 ms apart: both painted at once, both spoken in each language, in order, none cut", async (t) => {
  const { hub, page } = await board(t, (hub) => (hub.speech = 0.15));
  const got = receipts(hub);
  await page.evaluate(() => {
    window.started = [];
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (at) {
      window.started.push({ at, until: at + this.buffer.duration });
      return start.call(this, at);
    };
  });
  const [first, second] = [hub.add(1), hub.add(2)];
  hub.call(first, 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  hub.call(second, 2);
  await page.waitForSelector(`.row[data-public-id="${second.publicId}"]`);
  assert.equal(await page.getAttribute("#hero", "data-public-id"), first.publicId);
  for (let i = 0; got.filter((r) => r.spoken).length < 2 && i < 300; i++) await page.waitForTimeout(100);
  assert.deepEqual(got.filter((r) => r.spoken).map((r) => r.offset), [first.offset, second.offset]);
  assert.deepEqual(got.filter((r) => !r.spoken).map((r) => r.offset), [first.offset, second.offset]);
  const painted = got.filter((r) => !r.spoken).map((r) => r.at);
  assert.ok(painted[1] - painted[0] < 1500, "the second is on the list while the first is announced");
  const started = await page.evaluate(() => window.started);
  // Letter, two digits, "to desk", number; twice, as there are two languages.
  assert.equal(started.length, 20);
  for (let i = 1; i < started.length; i++) assert.ok(started[i].at >= started[i - 1].until - 0.001, `clip ${i} begins before the one ahead has ended`);
  assert.deepEqual([...new Set(hub.clips.map((clip) => clip.split("/")[0]))], ["en", "es"]);
});

test("only the screen that its room hears makes a sound; it reports itself", async (t) => {
  const { hub, page } = await board(t, (hub) => (hub.speech = 0.1));
  const got = receipts(hub);
  for (let i = 0; hub.reports.length === 0 && i < 100; i++) await page.waitForTimeout(50);
  const report = hub.reports[0];
  assert.match(report.engine, /^Chrome \d+$/);
  assert.deepEqual([report.layout, report.sound, report.width, report.height], ["focus", "open", 1280, 720]);
  assert.ok(Math.abs(report.drift) < 1000, `${report.drift}`);
  hub.tellDisplay(1, "display.role", { speak: false });
  await page.waitForSelector('body[data-speaks="false"]');
  const call = hub.call(hub.add(1), 1);
  await hero(page, call.publicId);
  await page.waitForFunction(() => document.body.dataset.hero === "called", undefined, { timeout: 15000 });
  assert.deepEqual(got.map((r) => [r.painted, r.spoken]), [[true, false]]);
  assert.equal(hub.clips.length, 0);
});

/**
 * The longest task of the page's main thread while run runs: the processor time
 * it took, and how long it was. What other programs of the machine take is in the
 * second and not in the first.
 */
async function longestTask(page, run) {
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline"] });
  await run();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const thread = (event) => `${event.pid}/${event.tid}`;
  // The one that runs the board's script.
  const ours = traceEvents.find((e) => e.name === "FunctionCall" && /\/board-\w+\.js/.test(e.args?.data?.url ?? ""));
  const tasks = traceEvents.filter((e) => e.ph === "X" && thread(e) === thread(ours));
  assert.ok(tasks.some((e) => e.tdur > 0), "the trace tells processor time");
  const most = (time) => Math.max(...tasks.map((e) => (e[time] ?? 0) / 1000));
  return { processor: most("tdur"), wall: most("dur") };
}

test("1,000 pushes in a burst never block the page for more than 50 ms, on a machine half as fast as this", async (t) => {
  const { hub, page } = await board(t);
  await (await page.context().newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: 2 });
  // The best of three: the browser's own housekeeping falls into some of them.
  const rounds = [];
  for (let round = 0; round < 3 && !rounds.some((r) => r.processor <= 50); round++) {
    hub.tickets.clear();
    hub.forgetful = true;
    await page.reload();
    await state(page, "live");
    rounds.push(await longestTask(page, async () => {
      let at = Date.now();
      for (let i = 0; i < 500; i++) hub.call(hub.add(1 + (i % 3)), 1 + (i % 4), new Date(at++));
      const last = [...hub.tickets.values()].pop();
      await page.waitForSelector(`[data-public-id="${last.publicId}"]`, { timeout: 30000 });
    }));
  }
  const told = rounds.map((r) => `${r.processor.toFixed(0)} ms of processor time in ${r.wall.toFixed(0)} ms`).join(", ");
  t.diagnostic(`longest task: ${told}`);
  assert.ok(rounds.some((r) => r.processor <= 50), told);
});

test(`the heap is flat over ${CALLS} calls, and so is the page`, async (t) => {
  const { hub, page } = await board(t);
  let at = Date.now() - 3600000;
  const session = await page.context().newCDPSession(page);
  const measure = async () => {
    await session.send("HeapProfiler.collectGarbage");
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    return { heap: usedSize, nodes: await page.evaluate(() => document.querySelectorAll("*").length) };
  };
  const calls = async (n) => {
    for (let i = 0; i < n; i++) {
      // Each in a millisecond of its own, so that the last one is the newest.
      const called = hub.call(hub.add(1 + (i % 3)), 1 + (i % 4), new Date(at++));
      hub.end(called, "SERVED", "ticket.served");
      hub.tickets.delete(called.id);
      if (i % 500 === 499) {
        hub.history = [];
        await page.waitForFunction((id) => document.querySelector(`[data-public-id="${id}"]`), called.publicId, { timeout: 20000 });
      }
    }
  };
  await calls(1000);
  const before = await measure();
  await calls(CALLS);
  const later = await measure();
  t.diagnostic(`heap ${before.heap} then ${later.heap} bytes, ${later.nodes} elements`);
  assert.ok(later.heap <= before.heap * 1.05, `${before.heap} became ${later.heap}`);
  assert.equal(later.nodes, before.nodes);
});

test("a hub that is frozen (SIGSTOP) is noticed within 15 s, and what it did is found when it thaws", async () => {
  const port = 20000 + (process.pid % 20000);
  const hub = spawn(process.execPath, [fileURLToPath(new URL("fake-server.mjs", import.meta.url)), String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await new Promise((resolve) => hub.stdout.once("data", resolve));
    const page = await openPage(await browser.newContext({ viewport: { width: 1280, height: 720 } }), `http://127.0.0.1:${port}/board/1`, problems);
    await state(page, "live");
    hub.kill("SIGSTOP");
    const from = Date.now();
    await state(page, "stale", 16000);
    const took = Date.now() - from;
    hub.kill("SIGCONT");
    assert.ok(took > 5000 && took <= 15000, `${took} ms`);
    await page.waitForSelector('body[data-state="live"][data-link="up"]', { timeout: 20000 });
  } finally {
    hub.kill("SIGCONT");
    hub.kill("SIGKILL");
  }
});

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
