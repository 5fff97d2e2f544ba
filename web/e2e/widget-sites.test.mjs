// The chat widget on sites of every kind: without storage, in a frame, by its class,
// with people who are signed in, and out of hours.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { launch, openPage } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { accessible } from "./staff.mjs";
import { beginAs, bubbles, openGuest, says } from "./widget-guest.mjs";
import { Agent, hostPage, Site, strictPolicy } from "./widget-site.mjs";

const problems = [];
let hub;
let site;
let browser;
let agent;
let key;

before(async () => {
  hub = await RealHub.start();
  site = await Site.start();
  browser = await launch();
  agent = new Agent(hub);
  key = hub.demo.widgetKey;
  site.page("/", hostPage(hub.url, key), { "Content-Security-Policy": strictPolicy(hub.url) });
});

after(async () => {
  await browser?.close();
  await site?.stop();
  await hub?.stop();
});

const visitor = (path = "/", noted = problems, prepare = undefined) => openGuest(browser, site.url + path, noted, prepare);
const begin = (page, text) => beginAs(page, key, text);

test("with storage blocked, and on a page that isolates itself, it works as well", async () => {
  site.page("/isolated", hostPage(hub.url, key), { "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin" });
  const context = await browser.newContext();
  await context.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
  });
  const page = await openPage(context, `${site.url}/isolated`, problems);
  assert.equal(await page.evaluate(() => window.crossOriginIsolated), true);
  await page.click(".launcher");
  await page.waitForSelector(".begin");
  await begin(page, "No memory");
  const picture = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg==", "base64");
  await page.setInputFiles(".composer input[type=file]", { name: "dot.png", mimeType: "image/png", buffer: picture });
  await page.waitForSelector(".send:not(:disabled)");
  await page.click(".send");
  await page.waitForSelector(".own .file, .own .picture");
  assert.deepEqual(await context.cookies(), []);
  await context.close();
});

test("in a frame of the site's own, the page around it keeps the conversation", async () => {
  const start = `<script nonce="abc123">window.glassixWidgetScriptLoaded = () => { window.loads = (window.loads || 0) + 1; };
    addEventListener("load", async () => { const client = new GlassixWidgetClient({ snippetId: "${key}", participantName: "Ida" });
      const frame = document.createElement("iframe"); frame.title = "Chat"; frame.src = await client.getIframeUri(); frame.width = 400; frame.height = 600; document.body.append(frame); });</script>`;
  site.page("/frame", hostPage(hub.url, key, { attributes: { "data-key": undefined }, body: "<h1>Shop</h1>" + start }).replace(" async></script>", "></script>"));
  const context = await browser.newContext();
  const page = await openPage(context, `${site.url}/frame`, problems);
  const frame = page.frameLocator("iframe");
  await frame.locator(".begin textarea").fill("From a frame");
  assert.equal(await frame.locator(".begin input[type=text]").inputValue(), "Ida");
  await frame.locator(".begin .strong").click();
  await frame.locator(".own .bubble").waitFor();
  await page.waitForFunction((name) => localStorage.getItem(name), `nowserving.${key}.session`);
  assert.equal((await page.getAttribute("iframe", "src")).includes("ns_vis_"), false);
  await page.reload();
  await page.frameLocator("iframe").locator(".own .bubble").waitFor();
  assert.equal(await page.evaluate(() => window.loads), 1);
  await context.close();
});

test("the conversation API's widget class: its names, its events, its layer", async () => {
  site.page("/class", hostPage(hub.url, key, { attributes: { "data-key": undefined } }).replace(" async", ""));
  const page = await openPage(await browser.newContext(), `${site.url}/class`, problems);
  const before = await page.evaluate((snippetId) => {
    window.dataLayer = [];
    window.heard = [];
    const on = (name) => (...values) => window.heard.push([name, ...values]);
    const events = Object.fromEntries(["attached", "initialized", "destroyed", "visiblity", "newTicket", "newMessage"].map((name) => [name, on(name)]));
    window.widgetClient = new GlassixWidgetClient({ snippetId, events, field1: "Passports", introductionMessageText: "Own words" });
    window.widgetClient.attach();
    return Object.keys(window.widgetClient);
  }, key);
  assert.deepEqual(before.sort(), ["attach", "destroy", "getIframeUri", "setWidgetVisiblity"]);
  await page.click(".launcher");
  await page.waitForSelector(".begin");
  assert.equal(await page.textContent(".intro"), "Own words");
  const ticket = await begin(page, "By the class");
  assert.equal((await agent.call("GET", `tickets/get/${ticket}`)).field1, "Passports");
  await agent.send(ticket, "Welcome");
  await says(page, "theirs", "Welcome");
  await page.evaluate(() => { window.widgetClient.setWidgetVisiblity(false); window.widgetClient.destroy(); });
  const heard = await page.evaluate(() => window.heard);
  assert.deepEqual(heard, [["attached"], ["initialized"], ["newTicket", Number(ticket)], ["newMessage"], ["visiblity", false], ["destroyed"]]);
  const layer = await page.evaluate(() => window.dataLayer.map((e) => e.event));
  for (const [name] of heard) assert.ok(layer.includes(name), name);
  assert.equal(await page.$("#nowserving-widget"), null);
  await page.context().close();
});

test("a signed identity finds its conversation on every device, and leaves none behind", async () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = (aud) => {
    const now = Math.floor(Date.now() / 1000);
    const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iss: hub.demo.departmentId, aud, sub: "", iat: now, exp: now + 20000, field1: "Gold" })}`;
    return `${text}.${createHmac("sha256", hub.demo.chatApiSecret).update(text).digest("base64url")}`;
  };
  const ida = signed(randomUUID());
  site.page("/ida", hostPage(hub.url, key, { attributes: { "data-identity": ida } }));
  site.page("/omar", hostPage(hub.url, key, { attributes: { "data-identity": signed(randomUUID()) } }));
  // A browser notes every 404, also "no conversation yet"; so that page is not watched.
  const desktop = await visitor("/ida", []);
  const ticket = await begin(desktop, "I am Ida");
  assert.equal((await agent.call("GET", `tickets/get/${ticket}`)).field1, "Gold");
  const phone = await openPage(await browser.newContext(), `${site.url}/ida`, problems);
  await phone.click(".launcher");
  await says(phone, "own", "I am Ida");
  await desktop.goto(`${site.url}/omar`); // somebody else signs in on this browser
  await desktop.waitForSelector(".begin");
  assert.deepEqual(await bubbles(desktop, "own"), []);
  await desktop.context().close();
  await phone.context().close();
});

test("closed: hours, and a message only with an address to answer to", async () => {
  const context = await browser.newContext();
  await context.route(`**/hub/v1/widget/${key}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), open: false, available: false, opens: "2026-11-23T07:00:00Z", lines: [] } });
  });
  await context.route("**/events", (route) => route.abort());
  const page = await openPage(context, `${site.url}/`, problems);
  await page.click(".launcher");
  await page.waitForSelector(".begin");
  assert.match(await page.textContent(".hours"), /Monday/);
  await page.fill(".begin textarea", "Call me back");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".begin .bad:not([hidden])");
  assert.equal(await page.evaluate(() => document.getElementById("nowserving-widget").shadowRoot.activeElement.type), "email");
  await accessible(page, "closed");
  await page.keyboard.type("ida@example.com");
  await page.keyboard.press("Enter");
  await says(page, "own", "Call me back");
  await context.close();
});

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
