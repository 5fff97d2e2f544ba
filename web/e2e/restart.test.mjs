// The real server is killed, frozen and called by hand while the pages watch.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hero, launch, openPage, signIn, state } from "./browser.mjs";
import { RealHub } from "./hub.mjs";

const problems = [];
let hub;
let browser;
let board;
let clerk;

/** A mark that a reload would wipe out. */
const mark = (page) => page.evaluate(() => { window.sameDocument = true; });
const marked = (page) => page.evaluate(() => window.sameDocument === true);

async function walkIn(firstName, line) {
  const made = await hub.queue("POST", "/tickets", { lineId: line, firstName }, true);
  assert.equal(made.status, 201);
  return made;
}

before(async () => {
  hub = await RealHub.start();
  browser = await launch();
  const demo = hub.demo;
  board = await openPage(await browser.newContext({ viewport: { width: 1280, height: 720 } }), demo.pages.board, problems);
  clerk = await openPage(await browser.newContext({ viewport: { width: 1440, height: 900 } }), demo.pages.console, problems);
  await state(board, "live", 20000);
  await signIn(clerk, demo.users[0]);
  await mark(board);
  await mark(clerk);
});

after(async () => {
  await browser?.close();
  await hub?.stop();
});

test("a call by the queue API is on the board and on the console", async () => {
  const made = await walkIn("Curl", hub.demo.lines[0]);
  const called = await hub.queue("POST", `/v1/tickets/${made.id}/call?desk=3`);
  assert.equal(called.status, "CALLED");
  await hero(board, made.publicId);
  assert.match(await board.textContent("#hero"), /Desk 3/);
  await clerk.waitForSelector(`.called[data-ticket="${made.id}"]`);
});

test("kill -9: the board says so, comes back without a reload, and nothing is lost", async () => {
  const before = await walkIn("Before", hub.demo.lines[1]);
  await hub.kill();
  await board.waitForSelector('body:not([data-state="live"])', { timeout: 20000 });
  await hub.up();
  await state(board, "live", 40000);
  await clerk.waitForSelector('body[data-state="live"]', { timeout: 40000 });
  assert.ok((await marked(board)) && (await marked(clerk)), "a page was loaded again");
  await clerk.waitForSelector(`[data-ticket="${before.id}"]`);
  const called = await hub.queue("POST", `/v1/tickets/${before.id}/call?desk=2`);
  assert.equal(called.publicId, before.publicId);
  await hero(board, before.publicId);
});

test("a frozen server is noticed within 15 seconds, and forgiven afterwards", async () => {
  hub.pause();
  const began = Date.now();
  await state(board, "stale", 16500);
  console.log(`# stale after ${Date.now() - began} ms of silence`);
  hub.resume();
  await state(board, "live", 30000);
  assert.ok(await marked(board));
});

test("SIGTERM: the pages come back to the next process by themselves", async () => {
  await hub.kill("SIGTERM");
  await hub.up();
  await state(board, "live", 40000);
  await clerk.waitForSelector('body[data-state="live"]', { timeout: 40000 });
  assert.ok((await marked(board)) && (await marked(clerk)));
});

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
