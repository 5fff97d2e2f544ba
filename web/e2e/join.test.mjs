// The remote sign-in page against the real server: a phone's form, one number
// however the line is cut, kind words when it has to wait.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openPage } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { accessible, Staff, tabOrder, tickets, visitors } from "./staff.mjs";

const LANGUAGES = ["en", "es", "de", "fr", "ar"];
const XSS = "<img src=x onerror=hurt=1>";
const problems = [];
let hub;
let browser;
let admin;

const text = (on, id) => on.textContent(`#${id}`);
const until = (on, check, arg, timeout = 15000) => on.waitForFunction(check, arg, { timeout, polling: 50 });
const line = (n) => `.line-card[data-line="${n}"]`;

before(async () => {
  hub = await RealHub.start();
  browser = await launch();
  admin = await Staff.open(browser, hub, hub.demo.queueApiKey);
});

after(async () => {
  await browser?.close();
  await hub?.stop();
});

async function openForm(options = {}) {
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en-US", ...options });
  const page = await openPage(phone, `${hub.url}/join/${hub.demo.location}`, problems);
  page.setDefaultTimeout(10000);
  await page.waitForSelector('body[data-view="form"]');
  await page.evaluate(() => { window.sameDocument = true; });
  return page;
}

test("from afar: the same form on a phone, in five languages, and then the own page", async () => {
  const page = await openForm({ viewport: { width: 320, height: 640 }, locale: "fr-FR", colorScheme: "dark" });
  assert.equal(await page.getAttribute("html", "lang"), "fr");
  for (const language of LANGUAGES) {
    await page.selectOption("#language", language);
    await until(page, (l) => document.documentElement.lang === l, language);
    await accessible(page, `join ${language}`);
  }
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  await accessible(page, "join, large text");
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
  await page.selectOption("#language", "en");
  assert.deepEqual(await tabOrder(page), ["language", ...hub.demo.lines.map((id) => `line-card${id}`), "field-firstName", "field-phoneNumber", "submit"]);
  await page.click("#submit");
  assert.match(await text(page, "lines-note"), /line first/);
  await page.click(line(hub.demo.lines[1]));
  await page.click("#submit");
  assert.match(await text(page, "field-firstName-note"), /fill this in/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "field-firstName");
  await page.fill("#field-firstName", XSS);
  let lost = 0;
  await page.route("**/hub/v1/join/*/tickets", async (route) => {
    if (lost++ > 0) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  await page.click("#submit");
  await page.waitForURL("**/t/ns_vis_*", { timeout: 20000 });
  await page.waitForSelector('body[data-page="ticket"][data-stage="waiting"]');
  const made = await tickets(hub, XSS);
  assert.equal(made.length, 1);
  assert.equal(made[0].source, "MICROSITE");
  await page.goBack();
  await page.waitForSelector("#earlier:not([hidden])");
  assert.match(await text(page, "earlier-text"), /B-\d+/);
  await page.context().close();
});

test("too many from one place: it says when it tries again, and then does", async () => {
  const page = await openForm();
  let asked = 0;
  await page.route("**/hub/v1/join/*/tickets", (route) => asked++ > 0 ? route.continue() : route.fulfill({
    status: 429, contentType: "application/json", body: JSON.stringify({ error: { code: "rate_limited", message: "slow down", retryAfter: 2 } }),
  }));
  await page.click(line(hub.demo.lines[2]));
  await page.fill("#field-firstName", "Later");
  await page.click("#submit");
  await until(page, () => /again in \d s/.test(document.getElementById("note").textContent));
  await accessible(page, "rate limited");
  await page.waitForURL("**/t/ns_vis_*", { timeout: 20000 });
  assert.equal((await tickets(hub, "Later")).length, 1);
  await page.context().close();
});

test("kill -9 and a page loaded again in the middle: one number, and what was typed is kept", async () => {
  const page = await openForm();
  await page.click(line(hub.demo.lines[0]));
  await page.fill("#field-firstName", "Killed");
  await hub.kill();
  await page.click("#submit");
  await until(page, () => /one number/.test(document.getElementById("note").textContent));
  await accessible(page, "asking again");
  assert.equal(await page.inputValue("#field-firstName"), "Killed");
  assert.ok(await page.evaluate(() => window.sameDocument));
  // The answer is lost, and so is the page that waited for it.
  let arrived;
  const reached = new Promise((resolve) => { arrived = resolve; });
  await page.route("**/hub/v1/join/*/tickets", async (route) => {
    await route.fetch().then(arrived, () => undefined);
    await route.abort("connectionreset").catch(() => undefined); // the page may have gone meanwhile
  });
  await hub.up();
  await reached;
  await page.reload(); // no answer may come first: it would lead the page elsewhere meanwhile
  await page.unroute("**/hub/v1/join/*/tickets");
  await page.waitForURL("**/t/ns_vis_*", { timeout: 20000 });
  assert.equal((await tickets(hub, "Killed")).length, 1);
  await page.context().close();
});

test("where no numbers are given from afar it says so", async () => {
  await visitors(admin, { remote: false });
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en-US" });
  const page = await openPage(phone, `${hub.url}/join/${hub.demo.location}`, []);
  await page.waitForSelector('body[data-view="closed"]');
  assert.match(await text(page, "closed-title"), /No numbers/);
  await accessible(page, "not here");
  await page.context().close();
});

test("no error and no policy violation happened on the way", () => {
  assert.deepEqual(problems.filter((problem) => !/429/.test(problem)), []);
});
