// The board and the console together, as a clerk and a lobby see them. Speaks
// only PROTOCOL.md, so it runs against any hub with demo data.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, openPage, signIn, state } from "./browser.mjs";
import { FakeHub } from "./fake-server.mjs";

const CALLS = 20;
const problems = [];
let hub;
let demo;
let browser;
let lobby;
let office;
let board;
let clerk;

before(async () => {
  if (process.env.NOWSERVING_URL) {
    demo = JSON.parse(readFileSync(process.env.DEMO_JSON, "utf8"));
    demo.url = process.env.NOWSERVING_URL;
  } else {
    hub = new FakeHub();
    demo = hub.demo(await hub.start());
  }
  browser = await launch();
  lobby = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  office = await browser.newContext({ viewport: { width: 1440, height: 900 } });
});

after(async () => {
  await browser?.close();
  await hub?.stop();
});

/** Notes when each number first became visible on the board. */
function watchNumbers(page) {
  return page.evaluate(() => {
    window.firstSeen = {};
    const look = () => {
      for (const element of document.querySelectorAll("[data-public-id]")) {
        const id = element.getAttribute("data-public-id");
        if (id && !window.firstSeen[id]) window.firstSeen[id] = Date.now();
      }
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-public-id"] });
  });
}

const seenAt = async (page, id, timeout = 5000) => {
  const handle = await page.waitForFunction((wanted) => window.firstSeen[wanted], id, { timeout, polling: 50 });
  return handle.jsonValue();
};

/** Presses Call next; answers the number called and when it was pressed. */
async function callNext(page) {
  const before = await page.$$eval(".called", (cards) => cards.map((card) => card.dataset.ticket));
  const pressed = await page.evaluate(() => {
    const at = Date.now();
    document.getElementById("call-next").click();
    return at;
  });
  const card = await page.waitForFunction(
    (known) => [...document.querySelectorAll(".called")].find((c) => !known.includes(c.dataset.ticket))?.querySelector(".called-number").textContent,
    before,
    { polling: 20, timeout: 5000 },
  );
  return { publicId: await card.jsonValue(), pressed };
}

async function addWalkIn(page, name) {
  const count = await page.$$eval("#waiting li", (rows) => rows.length);
  await page.fill("#add-first", name);
  await page.click("#add-button");
  await page.waitForFunction((n) => document.querySelectorAll("#waiting li").length > n, count, { timeout: 5000 });
}

test("a new screen on a demo hub pairs itself and is live", async () => {
  board = await openPage(lobby, `${demo.url}/board/${demo.location}`, problems);
  await state(board, "live");
  assert.notEqual(await board.textContent("#location"), "");
  assert.match(await board.textContent("#clock"), /^\d\d:\d\d$/);
  assert.equal(await board.getAttribute("body", "data-pairing"), null);
});

test("a wrong password is told in words; the right one signs in", async () => {
  clerk = await openPage(office, `${demo.url}/console`, problems);
  await clerk.waitForSelector('body[data-view="sign-in"]');
  await clerk.fill("#email", demo.users[0].email);
  await clerk.fill("#password", "certainly wrong");
  await clerk.click("#sign-in-form button");
  await clerk.waitForFunction(() => /wrong/.test(document.getElementById("sign-in-note").textContent));
  await signIn(clerk, demo.users[0]);
});

test("without a desk Call next is disabled and says why", async () => {
  await clerk.selectOption("#desk", "");
  assert.equal(await clerk.isDisabled("#call-next"), true);
  assert.match(await clerk.textContent("#call-next-hint"), /desk/);
  await clerk.selectOption("#desk", String(demo.desks[0].id ?? demo.desks[0]));
  assert.equal(await clerk.isDisabled("#call-next"), false);
});

test("a called ticket is on the board at once, with its desk, and a receipt comes back", async () => {
  await watchNumbers(board);
  await addWalkIn(clerk, "Zebulon");
  const { publicId, pressed } = await callNext(clerk);
  assert.ok((await seenAt(board, publicId)) - pressed < 1000);
  await board.waitForSelector(`#hero[data-public-id="${publicId}"]`);
  assert.match(await board.textContent("#hero-desk"), /\S/);
  await clerk.waitForFunction(
    () => /Shown on [1-9]\d*\//.test(document.querySelector(".called.mine .called-shown").textContent), undefined, { timeout: 8000 });
  assert.equal((await board.content()).includes("Zebulon"), false, "no name reaches a board that shows none");
});

test(`latency from click to board over ${CALLS} calls`, async (t) => {
  const times = [];
  for (let i = 0; i < CALLS; i++) {
    await addWalkIn(clerk, `Visitor ${i}`);
    const { publicId, pressed } = await callNext(clerk);
    times.push((await seenAt(board, publicId)) - pressed);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  t.diagnostic(`click to board: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, worst ${times[times.length - 1]} ms`);
  assert.ok(at(0.95) < 1000);
});

test("a recall is marked as such", async () => {
  const card = clerk.locator(".called.mine").first();
  const publicId = await card.locator(".called-number").textContent();
  await card.getByRole("button", { name: "Recall" }).click();
  await board.waitForFunction(
    (id) => document.getElementById("hero").dataset.publicId === id && /second call/i.test(document.getElementById("hero-label").textContent),
    publicId, { timeout: 60000 });
});

test("No-show can be undone", async () => {
  const card = clerk.locator(".called.mine").first();
  const id = await card.getAttribute("data-ticket");
  await card.getByRole("button", { name: "No-show" }).click();
  await clerk.waitForSelector(`.called[data-ticket="${id}"]`, { state: "detached" });
  await clerk.click("#undo");
  await clerk.waitForSelector(`#waiting li[data-ticket="${id}"]`);
});

test("two clerks press Call on the same ticket: one gets it, the other is told", async () => {
  const second = await browser.newContext();
  const other = await openPage(second, `${demo.url}/console`, problems);
  await signIn(other, demo.users[1] ?? demo.users[0]);
  await other.selectOption("#desk", String(demo.desks[1].id ?? demo.desks[1]));
  const id = await other.locator("#waiting li").first().getAttribute("data-ticket");
  const press = (page) => page.evaluate((ticket) => document.querySelector(`#waiting li[data-ticket="${ticket}"] .row-call`).click(), id);
  await Promise.all([press(clerk), press(other)]);
  const notices = async () => [await clerk.getAttribute("#notice", "class"), await other.getAttribute("#notice", "class")];
  await clerk.waitForSelector(`.called[data-ticket="${id}"]`);
  await other.waitForSelector(`.called[data-ticket="${id}"]`);
  await Promise.race([clerk.waitForSelector("#notice.bad"), other.waitForSelector("#notice.bad")]);
  assert.equal((await notices()).filter((name) => /bad/.test(name)).length, 1);
  await second.close();
});

test("keyboard: F2 calls next, and every button can be reached and has a name", async () => {
  await addWalkIn(clerk, "Keyboard");
  const before = await clerk.$$eval("#waiting li", (rows) => rows.length);
  await clerk.keyboard.press("F2");
  await clerk.waitForFunction((n) => document.querySelectorAll("#waiting li").length < n, before);
  const nameless = await clerk.$$eval("button, input, select", (all) =>
    all.filter((e) => e.offsetParent && !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).length);
  assert.equal(nameless, 0);
});

test("a cut network: the board says so, and is current again by itself", async () => {
  await board.evaluate(() => (window.notReloaded = true));
  await lobby.setOffline(true);
  await board.waitForSelector('body[data-state="stale"], body[data-link="away"]', { timeout: 20000 });
  await addWalkIn(clerk, "Away");
  const { publicId } = await callNext(clerk);
  await lobby.setOffline(false);
  await board.waitForSelector('body[data-state="live"][data-link="up"]', { timeout: 15000 });
  await seenAt(board, publicId);
  assert.equal(await board.evaluate(() => window.notReloaded), true);
});

test("the board's page does not grow", async () => {
  const size = () => board.evaluate(() => document.querySelectorAll("*").length);
  const before = await size();
  await addWalkIn(clerk, "One more");
  await callNext(clerk);
  assert.equal(await size(), before);
});

test("signing out leaves nobody's name on the page", async () => {
  await clerk.click("#sign-out");
  await clerk.waitForSelector('body[data-view="sign-in"]');
  assert.equal((await clerk.content()).includes("Visitor"), false);
});

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
