// What only a fake hub can do on demand: fall silent, vanish, deny, revoke.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { hero, launch, openPage, state } from "./browser.mjs";
import { FakeHub } from "./fake-server.mjs";

const problems = [];
let browser;
let hub;
let url;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

// A hub for each: a call that is still fresh would be announced again.
beforeEach(async () => {
  hub = new FakeHub();
  url = await hub.start();
});

afterEach(() => hub.stop());

async function liveBoard(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const page = await openPage(context, `${url}/board/1`, problems);
  await state(page, "live");
  return { context, page };
}

test("silence on an open socket shows the strip within 15 s, and the call missed meanwhile is found", async () => {
  const { context, page } = await liveBoard();
  hub.silent = true;
  const from = Date.now();
  await state(page, "stale", 16000);
  const took = Date.now() - from;
  assert.ok(took >= 8000 && took <= 15200, `${took} ms`);
  assert.match(await page.textContent("#strip"), /^Updating\. Last update \d\d:\d\d:\d\d$/);
  const t = hub.call(hub.add(1), 2);
  hub.silent = false;
  await hero(page, t.publicId, 20000);
  await state(page, "live");
  await context.close();
});

test("the hub dies and comes back on the same port: no reload, and what it called since is there", async () => {
  const { context, page } = await liveBoard();
  await page.evaluate(() => (window.notReloaded = true));
  const port = hub.port;
  await hub.stop();
  await page.waitForSelector('body[data-link="away"]');
  const t = hub.call(hub.add(1), 3);
  await hub.start(port);
  await hero(page, t.publicId, 15000);
  await page.waitForSelector('body[data-state="live"][data-link="up"]');
  assert.equal(await page.evaluate(() => window.notReloaded), true);
  await context.close();
});

test("two calls 200 ms apart: both on the board at once, both chimed and receipted as heard", async () => {
  const { context, page } = await liveBoard();
  const first = hub.add(1);
  const second = hub.add(2);
  const receipts = [];
  const send = hub.send.bind(hub);
  hub.send = (channel, push) => {
    if (push.push === "receipt") receipts.push(push.data);
    send(channel, push);
  };
  hub.call(first, 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  hub.call(second, 2);
  await page.waitForSelector(`.row[data-public-id="${second.publicId}"]`);
  assert.equal(await page.getAttribute("#hero", "data-public-id"), first.publicId, "the first is not cut off");
  await hero(page, second.publicId, 12000);
  await page.waitForFunction(() => document.body.dataset.hero === "called", undefined, { timeout: 15000 });
  const heard = receipts.filter((r) => r.spoken).map((r) => r.offset);
  assert.deepEqual(heard, [first.offset, second.offset]);
  assert.equal(receipts.filter((r) => r.painted && !r.spoken).length, 2);
  hub.send = send;
  await context.close();
});

test("movement ends within 5 s, and there is none where it is not wanted", async () => {
  for (const reducedMotion of ["no-preference", "reduce"]) {
    const { context, page } = await liveBoard({ reducedMotion });
    const t = hub.call(hub.add(1), 1);
    await hero(page, t.publicId);
    const lengths = await page.evaluate(() => document.getAnimations().map((a) => a.effect.getComputedTiming().endTime));
    assert.equal(lengths.length, reducedMotion === "reduce" ? 0 : 1);
    assert.ok(lengths.every((ms) => ms <= 5000));
    await context.close();
  }
});

test("a reboot while the hub is away shows the last board, as old", async () => {
  const { context, page } = await liveBoard();
  const t = hub.call(hub.add(1), 4);
  await page.waitForSelector(`[data-public-id="${t.publicId}"]`);
  await page.waitForFunction((id) => (localStorage["nowserving.board.1"] ?? "").includes(id), t.publicId, { timeout: 25000 });
  hub.refuse = true;
  for (const s of hub.sockets) s.socket.destroy();
  await page.reload();
  await state(page, "offline");
  await page.waitForSelector(`[data-public-id="${t.publicId}"]`);
  assert.match(await page.textContent("#strip"), /offline since .*\d\d:\d\d:\d\d/);
  assert.equal(await page.getAttribute("body", "data-clock"), "unsure");
  hub.refuse = false;
  await state(page, "live", 15000);
  await context.close();
});

test("a revoked screen forgets its token and asks to be paired", async () => {
  const { context, page } = await liveBoard();
  hub.autoPair = false;
  for (const s of hub.sockets) s.socket.close(4200);
  await page.waitForSelector('body[data-pairing]:not([data-pairing=""])');
  assert.equal(await page.evaluate(() => localStorage["nowserving.display"]), undefined);
  const code = await page.getAttribute("body", "data-pairing");
  hub.claim(hub.pairings.get(code), "Paired again");
  await page.waitForSelector('body[data-state="live"]:not([data-pairing])');
  hub.autoPair = true;
  await context.close();
});

test("the screen's token is in no address, no page source, no error report and no text of the page", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  const told = [];
  page.on("request", (request) => told.push(request.url()));
  page.on("websocket", (socket) => told.push(socket.url()));
  page.on("console", (message) => told.push(message.text()));
  await page.goto(`${url}/board/1`);
  await state(page, "live");
  await page.reload();
  await state(page, "live");
  const called = hub.call(hub.add(1), 2);
  await hero(page, called.publicId);
  const token = await page.evaluate(() => localStorage["nowserving.display"]);
  assert.match(token, /^display-\d+$/);
  assert.ok(told.some((address) => /^ws:/.test(address)) && told.some((address) => /\/board\/1$/.test(address)));
  const source = await fetch(`${url}/board/1`).then((reply) => reply.text());
  told.push(source, await page.content(), page.url());
  assert.deepEqual(told.filter((text) => text.includes(token)), []);
  await context.close();
});

test("locked sound is said, and a key unlocks it", async () => {
  const strict = await launch(["--autoplay-policy=document-user-activation-required"]);
  const page = await openPage(await strict.newContext(), `${url}/board/1`, problems);
  await state(page, "live");
  await page.waitForSelector('body[data-sound="locked"]');
  assert.equal(await page.textContent("#sound"), "Press OK for sound");
  await page.keyboard.press("Enter");
  await page.waitForSelector('body[data-sound="open"]');
  await strict.close();
});

test("an engine that cannot read the script says so instead of staying black", async () => {
  const context = await browser.newContext();
  await context.route("**/assets/board-*.js", (route) => route.fulfill({ contentType: "text/javascript", body: "let a = ?;" }));
  const page = await openPage(context, `${url}/board/1`, []);
  await page.waitForFunction(() => /too old \(engine \d+\)/.test(document.getElementById("guard").textContent));
  await context.close();
});

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
