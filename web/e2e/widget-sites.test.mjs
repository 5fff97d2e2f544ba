// The chat widget on sites of every kind: without storage, in a frame, by its class,
// with people who are signed in, and out of hours.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { openPage } from "./browser.mjs";
import { accessible, Staff } from "./staff.mjs";
import { bubbles, says, WidgetRig } from "./widget-guest.mjs";
import { hostPage } from "./widget-site.mjs";

const rig = new WidgetRig();
let hub;
let site;
let agent;
let key;

before(async () => {
  await rig.start();
  ({ hub, site, agent, key } = rig);
});

after(() => rig.stop());

test("with storage blocked, and on a page that isolates itself, it works as well", async () => {
  site.page("/isolated", hostPage(hub.url, key), { "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin" });
  const context = await rig.browser.newContext();
  await context.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
  });
  const page = await openPage(context, `${site.url}/isolated`, rig.problems);
  assert.equal(await page.evaluate(() => window.crossOriginIsolated), true);
  await page.click(".launcher");
  await page.waitForSelector(".begin");
  await rig.begin(page, "No memory");
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
  const context = await rig.browser.newContext();
  const page = await openPage(context, `${site.url}/frame`, rig.problems);
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
  const page = await openPage(await rig.browser.newContext(), `${site.url}/class`, rig.problems);
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
  const ticket = await rig.begin(page, "By the class");
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
  const desktop = await rig.visitor("/ida", []);
  const ticket = await rig.begin(desktop, "I am Ida");
  assert.equal((await agent.call("GET", `tickets/get/${ticket}`)).field1, "Gold");
  const phone = await openPage(await rig.browser.newContext(), `${site.url}/ida`, rig.problems);
  await phone.click(".launcher");
  await says(phone, "own", "I am Ida");
  await desktop.goto(`${site.url}/omar`); // somebody else signs in on this browser
  await desktop.waitForSelector(".begin");
  assert.deepEqual(await bubbles(desktop, "own"), []);
  await desktop.context().close();
  await phone.context().close();
});

test("erased: neither the conversation nor who wrote it stays in the browser, in any tab", async () => {
  // The hub answers for what it has no more, and a browser notes that: these pages are not watched.
  const page = await rig.visitor("/", []);
  await page.fill(".begin input[type=text]", "Ida Berg");
  await page.fill(".begin input[type=email]", "ida@example.com");
  const ticket = await rig.begin(page, "Forget me");
  const other = await openPage(page.context(), `${site.url}/?tab=2`, []);
  await says(other, "own", "Forget me"); // open there too, with the name in its form
  const closed = await openPage(page.context(), `${site.url}/?tab=3`, []);
  await closed.click(".head .tool:last-child");
  await page.fill(".composer textarea", "half a sentence");
  const kept = (on) => on.evaluate(() => Object.keys(localStorage).map((name) => name.split(".").slice(2).join(".")).filter((name) => !["open", "heard", "rung"].includes(name)).sort());
  await page.waitForFunction((name) => localStorage.getItem(name), `nowserving.${key}.draft`);
  assert.deepEqual(await kept(page), ["draft", "email", "name", "session"]);
  await (await Staff.open(rig.browser, hub)).command("ticket.erase", { ticket });
  for (const one of [page, other]) await one.waitForSelector(".begin");
  await closed.waitForFunction((name) => !localStorage.getItem(name), `nowserving.${key}.session`);
  for (const one of [page, other]) assert.deepEqual(await one.$$eval(".begin input, .begin textarea, .composer textarea", (all) => all.map((field) => field.value)), ["", "", "", ""]);
  await other.goto("about:blank"); // on leaving, a page writes down what is typed in it
  await closed.goto("about:blank");
  assert.deepEqual(await kept(page), []);
  await page.reload();
  await page.click(".launcher"); // closed in the third tab, it is closed here as well
  await page.waitForSelector(".begin");
  assert.equal(await page.inputValue(".begin input[type=text]"), "");
  await page.context().close();
});

test("closed: hours, and a message only with an address to answer to", async () => {
  const context = await rig.browser.newContext();
  await context.route(`**/hub/v1/widget/${key}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), open: false, available: false, opens: "2026-11-23T07:00:00Z", lines: [] } });
  });
  await context.route("**/events", (route) => route.abort());
  const page = await openPage(context, `${site.url}/`, rig.problems);
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
  assert.deepEqual(rig.problems, []);
});
