// The kiosk against the real server: two taps to a number, one number however the
// line is cut, nothing left for the next person.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openPage, state } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { accessible, Staff, tabOrder, tickets, visitors } from "./staff.mjs";

const XSS = "<img src=x onerror=hurt=1>";
const problems = [];
let hub;
let browser;
let admin;
let lobby;
let kiosk;

const screen = (on, wanted, timeout = 15000) => on.waitForSelector(`body[data-screen="${wanted}"]`, { timeout });
const text = (on, id) => on.textContent(`#${id}`);
const until = (on, check, arg, timeout = 15000) => on.waitForFunction(check, arg, { timeout, polling: 50 });
const line = (n) => `.line-card[data-line="${n}"]`;

const waiting = async () => (await hub.queue("GET", `/v1/tickets/search?location=${hub.demo.location}&status=NEW&limit=200`)).data.length;

before(async () => {
  hub = await RealHub.start();
  browser = await launch();
  admin = await Staff.open(browser, hub, hub.demo.queueApiKey);
  lobby = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US" });
});

after(async () => {
  await browser?.close();
  await hub?.stop();
});

async function openKiosk(context = lobby) {
  const page = await openPage(context, `${hub.url}/kiosk`, problems);
  page.setDefaultTimeout(10000);
  await page.evaluate(() => { window.sameDocument = true; window.print = () => { window.printed = (window.printed || 0) + 1; }; });
  await screen(page, "language");
  await state(page, "live");
  return page;
}

test("a kiosk pairs itself on a demo hub, and keeps its token apart from a screen's", async () => {
  kiosk = await openKiosk();
  assert.deepEqual(await kiosk.evaluate(() => Object.keys(localStorage)), ["nowserving.kiosk"]);
  assert.deepEqual(await kiosk.$$eval("#languages button", (buttons) => buttons.map((b) => b.textContent)), ["English", "Español"]);
  await accessible(kiosk, "home");
});

test("a kiosk that nobody has claimed shows a code to be claimed by", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  // Location 2 is not the demo's: nobody claims it by itself.
  const page = await openPage(context, `${hub.url}/kiosk/2`, problems);
  await screen(page, "pairing");
  await until(page, () => /^[A-Z0-9]{6}$/.test(document.getElementById("pair-code").textContent));
  await accessible(page, "pairing");
  await context.close();
});

test("two taps to a number, printed after it is shown", async () => {
  const before = await waiting();
  await kiosk.click("#languages button >> nth=0");
  await screen(kiosk, "line");
  await accessible(kiosk, "lines");
  const small = await kiosk.$$eval("button", (buttons) => buttons.filter((b) => b.offsetParent && (b.offsetHeight < 64 || b.offsetWidth < 64)).map((b) => b.id));
  assert.deepEqual(small, [], "targets of 64 px");
  assert.deepEqual(await tabOrder(kiosk), [...hub.demo.lines.map((id) => `line-card${id}`), "back"]);
  await kiosk.click(line(hub.demo.lines[0]));
  await screen(kiosk, "ticket");
  assert.match(await text(kiosk, "number"), /^A-\d+$/);
  await until(kiosk, () => window.printed === 1);
  assert.match(await kiosk.getAttribute("#qr", "data-text"), new RegExp(`^${hub.url}/t/ns_vis_`));
  await accessible(kiosk, "ticket");
  await kiosk.click("#print");
  await until(kiosk, () => window.printed === 2);
  assert.equal(await text(kiosk, "paper-copy"), "COPY");
  assert.equal(await waiting(), before + 1);
  await kiosk.click("#done");
  await screen(kiosk, "language");
  assert.equal(await text(kiosk, "number"), "");
  assert.equal(await kiosk.getAttribute("#qr", "data-text"), "");
});

test("a print that fails loses nothing", async () => {
  await kiosk.evaluate(() => { window.print = () => { throw new Error("no paper"); }; });
  await kiosk.click("#languages button >> nth=0");
  await kiosk.click(line(hub.demo.lines[0]));
  await screen(kiosk, "ticket");
  await until(kiosk, () => /no paper number/.test(document.getElementById("print-note").textContent));
  assert.match(await text(kiosk, "number"), /^A-\d+$/);
  await kiosk.click("#done");
});

test("on paper there is the slip and nothing else", async () => {
  await kiosk.click("#languages button >> nth=0");
  await kiosk.click(line(hub.demo.lines[1]));
  await screen(kiosk, "ticket");
  await kiosk.emulateMedia({ media: "print" });
  const shown = await kiosk.$$eval("#paper, #done, #clock, #back, #qr, #paper-place", (all) => all.filter((e) => e.getClientRects().length > 0).map((e) => e.id));
  assert.deepEqual(shown, ["paper", "paper-place", "qr"]);
  await kiosk.emulateMedia({ media: "screen" });
  await kiosk.click("#done");
});

test("the lines are live, and a closed one says why", async () => {
  await kiosk.click("#languages button >> nth=0");
  const count = () => kiosk.textContent(`${line(hub.demo.lines[2])} .line-state`);
  const before = Number(/(\d+)/.exec(await count())?.[1] || 0);
  await admin.command("ticket.create", { line: hub.demo.lines[2], firstName: "Live" });
  await until(kiosk, ([at, n]) => new RegExp(`Waiting: ${n}\\b`).test(document.querySelector(`${at} .line-state`).textContent), [line(hub.demo.lines[2]), before + 1]);
  const made = await hub.queue("POST", `/v1/locations/${hub.demo.location}/lines`, { name: XSS, color: "BLUE" }, true);
  assert.ok(made.id > 0, JSON.stringify(made));
  await kiosk.waitForSelector(`${line(made.id)}:not(:disabled)`);
  assert.equal(await kiosk.textContent(`${line(made.id)} .line-name`), XSS);
  assert.equal((await hub.queue("POST", `/v1/lines/${made.id}/disable`)).status, 200);
  await until(kiosk, (at) => document.querySelector(at).disabled, line(made.id));
  assert.match(await kiosk.textContent(`${line(made.id)} .line-state`), /closed/);
  await accessible(kiosk, "a closed line");
  await kiosk.click("#back");
});

test("what was typed is gone after the time-out, with a warning first", async () => {
  await visitors(admin, { kioskFields: ["firstName", "phoneNumber"], kioskTimeout: 12 });
  await kiosk.reload();
  await kiosk.evaluate(() => { window.sameDocument = true; window.print = () => undefined; });
  await screen(kiosk, "language");
  await state(kiosk, "live");
  await kiosk.click("#languages button >> nth=0");
  await kiosk.click(line(hub.demo.lines[0]));
  await screen(kiosk, "details");
  await accessible(kiosk, "details");
  await kiosk.fill("#field-firstName", "Secret Person");
  await kiosk.waitForSelector("#there[open]", { timeout: 15000 });
  assert.match(await text(kiosk, "there-count"), /^\d+$/);
  await accessible(kiosk, "still there?");
  await kiosk.click("#there-yes");
  await until(kiosk, () => !document.getElementById("there").open);
  assert.equal(await kiosk.inputValue("#field-firstName"), "Secret Person", "whoever is there loses nothing");
  await kiosk.waitForSelector("#there[open]", { timeout: 15000 });
  await screen(kiosk, "language", 15000);
  assert.equal(await kiosk.inputValue("#field-firstName"), "");
  assert.equal((await kiosk.content()).includes("Secret Person"), false);
});

test("offline it says so, and a number that was asked for comes once", async () => {
  await kiosk.click("#languages button >> nth=0");
  await kiosk.click(line(hub.demo.lines[0]));
  await kiosk.fill("#field-firstName", XSS);
  // The request reaches the hub; the answer does not come back.
  let lost = 0;
  await kiosk.route("**/hub/v1/kiosk/tickets", async (route) => {
    if (lost++ > 0) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  await kiosk.click("#submit");
  await screen(kiosk, "ticket", 20000);
  assert.equal(lost, 2);
  await kiosk.unroute("**/hub/v1/kiosk/tickets");
  assert.equal((await tickets(hub, XSS)).length, 1, "one number");
  await kiosk.click("#done");
});

test("kill -9 while a number is asked for: it comes once, without a reload", async () => {
  await kiosk.click("#languages button >> nth=0");
  await kiosk.click(line(hub.demo.lines[1]));
  await kiosk.fill("#field-firstName", "Killed");
  await hub.kill();
  await kiosk.click("#submit");
  await until(kiosk, () => /one number/.test(document.getElementById("issuing-text").textContent));
  await accessible(kiosk, "asking again");
  await hub.up();
  await screen(kiosk, "ticket", 40000);
  assert.equal((await tickets(hub, "Killed")).length, 1);
  assert.ok(await kiosk.evaluate(() => window.sameDocument));
  await kiosk.click("#done");
});

test("a frozen server: the kiosk says since when, and goes on", async () => {
  await state(kiosk, "live", 30000);
  hub.pause();
  await state(kiosk, "stale", 17000);
  assert.match(await text(kiosk, "strip"), /since \d\d:\d\d:\d\d/);
  await accessible(kiosk, "stale");
  hub.resume();
  await state(kiosk, "live", 30000);
  assert.ok(await kiosk.evaluate(() => window.sameDocument));
  await kiosk.context().close();
});

test("no error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
