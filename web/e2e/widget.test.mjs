// The chat widget as a visitor of somebody else's site has it: another origin, a
// strict policy, blocked storage, a frame, two tabs, a hub that dies.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { launch, openPage } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { accessible, Staff } from "./staff.mjs";
import { Agent, hostPage, Site, strictPolicy } from "./widget-site.mjs";

const LATENCY_ROUNDS = 15;
const NASTY = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>"'\`\${1}javascript:alert(1)`;
const problems = [];
let hub;
let site;
let browser;
let agent;
let staff;
let key;

before(async () => {
  hub = await RealHub.start();
  site = await Site.start();
  browser = await launch();
  agent = new Agent(hub);
  staff = await Staff.open(browser, hub);
  key = hub.demo.widgetKey;
  site.page("/", hostPage(hub.url, key), { "Content-Security-Policy": strictPolicy(hub.url) });
});

after(async () => {
  await browser?.close();
  await site?.stop();
  await hub?.stop();
});

const kept = (page, name) => page.evaluate((n) => localStorage.getItem(n), `nowserving.${key}.${name}`);
const ticketOf = async (page) => JSON.parse(await kept(page, "session")).ticket;
const bubbles = (page, who) => page.$$eval(`#nowserving-widget .${who} .bubble`, (all) => all.map((b) => b.textContent));
const says = (page, who, text) => page.waitForFunction(
  ([w, t]) => [...document.getElementById("nowserving-widget").shadowRoot.querySelectorAll(`.${w} .bubble`)].some((b) => b.textContent === t), [who, text], { polling: 20 });

/** A visitor with the panel open, before the first message. */
async function visitor(path = "/", noted = problems, prepare = () => undefined) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, reducedMotion: "reduce" });
  await prepare(context);
  const page = await openPage(context, site.url + path, noted);
  await page.click(".launcher");
  await page.waitForSelector(".begin");
  return page;
}

async function begin(page, text) {
  await page.fill(".begin textarea", text);
  await page.keyboard.press("Enter");
  await says(page, "own", text);
  return ticketOf(page).catch(() => undefined);
}

async function write(page, text) {
  await page.fill(".composer textarea", text);
  await page.keyboard.press("Enter");
}

test("under a strict policy with a nonce: a message goes there and one comes back, read on both sides", async () => {
  const page = await visitor();
  assert.deepEqual(await page.context().cookies(), [], "no cookies");
  const ticket = await begin(page, "Is my passport ready?");
  assert.deepEqual(await agent.heard(ticket), ["Is my passport ready?"]);
  await agent.send(ticket, "Yes, it is.");
  await says(page, "theirs", "Yes, it is.");
  await page.waitForFunction(() => document.querySelector("#nowserving-widget").shadowRoot.querySelector(".state-delivered"), undefined, { polling: 50 });
  const thread = await staff.thread(ticket);
  await staff.command("message.read", { ticket, upTo: thread[thread.length - 1].seq });
  assert.equal(await page.evaluate((name) => name in window, "__nowserving"), false);
  await page.context().close();
});

test("each message reaches the other side at once", async (t) => {
  const page = await visitor();
  const ticket = await begin(page, "Quick?");
  await staff.frame("ping", {});
  await staff.page.evaluate(({ token, ticket }) => new Promise((ready) => {
    window.seen = {};
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`, "nowserving.v1");
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, connect: { token, name: "test/1.0" } }));
    socket.onmessage = (event) => {
      const frame = JSON.parse(event.data);
      if (frame.id === 1) socket.send(JSON.stringify({ id: 2, subscribe: { channel: `ticket:${ticket}` } }));
      if (frame.id === 2) ready();
      if (frame.push === "ticket.message") window.seen[frame.data.transaction.text] = Date.now();
    };
  }), { token: staff.token, ticket });
  await page.evaluate(() => {
    window.seen = {};
    const root = document.getElementById("nowserving-widget").shadowRoot;
    new MutationObserver(() => root.querySelectorAll(".theirs .bubble").forEach((b) => { window.seen[b.textContent] = window.seen[b.textContent] || Date.now(); }))
      .observe(root, { subtree: true, childList: true });
  });
  const there = [];
  const back = [];
  for (let i = 0; i < LATENCY_ROUNDS; i++) {
    const began = await page.evaluate((text) => {
      const root = document.getElementById("nowserving-widget").shadowRoot;
      const input = root.querySelector(".composer textarea");
      input.value = text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      root.querySelector(".composer").requestSubmit();
      return Date.now();
    }, `there ${i}`);
    await staff.page.waitForFunction((text) => window.seen[text], `there ${i}`, { polling: 10 });
    there.push((await staff.page.evaluate((text) => window.seen[text], `there ${i}`)) - began);
    const sent = Date.now();
    await agent.send(ticket, `back ${i}`);
    await page.waitForFunction((text) => window.seen[text], `back ${i}`, { polling: 10 });
    back.push((await page.evaluate((text) => window.seen[text], `back ${i}`)) - sent);
  }
  const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
  t.diagnostic(`median from Enter to staff ${median(there)} ms, from staff's request to the visitor's page ${median(back)} ms`);
  await staff.page.goto(`${hub.url}/healthz`); // leaves the socket
  await page.context().close();
});

test("the visitor joins a line, is called to a desk in the same thread, answers, is served and asked", async () => {
  const page = await visitor();
  await accessible(page, "before a conversation");
  await page.click(".line");
  await page.waitForSelector(".place-new");
  const ticket = await ticketOf(page);
  assert.match(await page.textContent(".spot-place"), /in line/);
  assert.match(await page.textContent(".spot-facts small"), /as of/);
  await write(page, "I am outside.");
  await says(page, "own", "I am outside.");
  await accessible(page, "in a line");
  const called = await hub.queue("POST", `/v1/tickets/${ticket}/call?desk=3`);
  await page.waitForSelector(".place-called");
  assert.equal((await page.textContent(".turn-where")).replace(/\s+/g, " "), `${called.publicId}Desk 3`);
  await page.click('[data-do="time"]');
  await page.waitForSelector(".answered");
  assert.match(await page.textContent(".answered"), /keep your place until/);
  await page.click('[data-do="way"]');
  await page.waitForFunction(() => /on your way/.test(document.getElementById("nowserving-widget").shadowRoot.querySelector(".answered")?.textContent), undefined, { polling: 50 });
  await accessible(page, "called");
  await hub.queue("POST", `/v1/tickets/${ticket}/markserved`);
  await page.waitForSelector(".place-served");
  await page.waitForSelector(".survey:not([hidden])");
  await page.click(".stars label:nth-of-type(4)");
  await page.fill(".survey textarea", NASTY);
  await page.click(".survey .strong");
  await page.waitForSelector(".thanks");
  await accessible(page, "after the survey");
  await page.context().close();
});

test("what people wrote anywhere is shown as text, and runs nowhere", async () => {
  const before = (await staff.http("GET", "/hub/v1/locations/1/sites")).body.sites.find((s) => s.key === key);
  const texts = { online: NASTY, busy: NASTY };
  assert.equal((await staff.http("PATCH", `/hub/v1/sites/${key}`, { title: NASTY.slice(0, 60), texts })).status, 200);
  const page = await visitor();
  assert.equal(await page.textContent(".intro"), NASTY);
  await page.fill(".begin input[type=text]", NASTY.slice(0, 90));
  const ticket = await begin(page, NASTY);
  await agent.send(ticket, {
    text: NASTY, quickReplies: [{ title: NASTY }], enableFreeTextInput: true,
    templates: [{ title: NASTY, subtitle: NASTY, buttons: [{ title: NASTY, type: "postback", data: "x" }] }],
  });
  await says(page, "theirs", NASTY);
  assert.equal(await page.textContent(".replies .reply"), NASTY);
  assert.equal(await page.textContent(".card strong"), NASTY);
  await page.click(".replies .reply");
  await page.waitForFunction(() => document.getElementById("nowserving-widget").shadowRoot.querySelectorAll(".own .bubble").length === 2, undefined, { polling: 50 });
  await page.setInputFiles(".composer input[type=file]", { name: `<img src=x onerror=pwned=1>.txt`, mimeType: "text/plain", buffer: Buffer.from("text") });
  await page.waitForSelector(".send:not(:disabled)");
  await page.click(".send");
  await page.waitForSelector(".own .file");
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.deepEqual(await page.$$eval("#nowserving-widget .log img, #nowserving-widget script", (all) => all.length), 0);
  await staff.http("PATCH", `/hub/v1/sites/${key}`, { title: before.title, texts: before.texts });
  await page.context().close();
});

test("by keyboard alone, 320 px wide, right to left", async () => {
  site.page("/ar", hostPage(hub.url, key, { lang: "ar", dir: "rtl" }));
  const context = await browser.newContext({ viewport: { width: 320, height: 568 }, colorScheme: "dark", reducedMotion: "reduce" });
  const page = await openPage(context, `${site.url}/ar`, problems);
  await page.waitForSelector(".launcher");
  const focus = () => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.className ?? document.activeElement?.tagName);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await focus(), "launcher");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".begin");
  assert.equal(await page.getAttribute("#nowserving-widget .panel", "aria-modal"), "true");
  await page.waitForFunction(() => document.getElementById("nowserving-widget").shadowRoot.activeElement?.tagName === "TEXTAREA", undefined, { polling: 50 });
  await accessible(page, "320 px, dark, Arabic");
  const small = await page.$$eval("#nowserving-widget .panel button, #nowserving-widget .panel input, #nowserving-widget .panel textarea", (all) =>
    all.map((e) => [e.className || e.tagName, e.getBoundingClientRect()]).filter(([, r]) => r.width && (r.height < 43.5 || r.width < 43.5)).map(([name]) => name));
  assert.deepEqual(small, [], "targets of 44 px");
  for (let i = 0; i < 15; i++) {
    await page.keyboard.press("Tab");
    assert.notEqual(await focus(), "A", "covering the page, the panel keeps the keyboard");
  }
  await page.focus("#nowserving-widget .begin textarea");
  await page.keyboard.type("مرحبا");
  await page.keyboard.press("Enter");
  await says(page, "own", "مرحبا");
  await accessible(page, "320 px, thread, Arabic");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#nowserving-widget .panel", { state: "hidden" });
  assert.equal(await focus(), "launcher", "the focus returns to where it came from");
  await context.close();
});

test("two tabs are one conversation: written in one, read in the other, counted once", async () => {
  const first = await visitor();
  const second = await openPage(first.context(), `${site.url}/`, problems);
  await second.waitForSelector(".launcher");
  const ticket = await begin(first, "From the first tab");
  await says(second, "own", "From the first tab"); // open there too: it follows
  await write(second, "From the second tab");
  await says(first, "own", "From the second tab");
  await second.click(".head .tool:last-child");
  await first.click(".head .tool:last-child");
  await agent.send(ticket, "One");
  await agent.send(ticket, "Two");
  for (const page of [first, second]) await page.waitForFunction(() => document.getElementById("nowserving-widget").shadowRoot.querySelector(".badge").textContent === "2", undefined, { polling: 50 });
  await first.bringToFront();
  await first.click(".launcher");
  await second.waitForFunction(() => document.getElementById("nowserving-widget").shadowRoot.querySelector(".badge").hidden, undefined, { polling: 50 });
  assert.deepEqual(await bubbles(first, "own"), ["From the first tab", "From the second tab"]);
  assert.deepEqual(await agent.heard(ticket), ["From the first tab", "From the second tab"]);
  await first.context().close();
});

test("unsent words survive closing, another page and a lost network; what is sent while away arrives once", async () => {
  const sockets = [];
  let away = false;
  const page = await visitor("/", problems, (context) => context.routeWebSocket(/\/ws$/, (socket) => {
    if (away) return void socket.close();
    sockets.push(socket);
    socket.connectToServer();
  }));
  const ticket = await begin(page, "Before");
  await page.fill(".composer textarea", "half a sentence");
  await page.keyboard.press("Escape");
  await page.click(".launcher");
  assert.equal(await page.inputValue(".composer textarea"), "half a sentence");
  await page.goto(`${site.url}/?page=2`);
  await page.waitForSelector(".composer textarea");
  assert.equal(await page.inputValue(".composer textarea"), "half a sentence");
  await page.evaluate(() => { window.sameDocument = true; });
  await page.context().setOffline(true);
  away = true;
  for (const socket of sockets) await socket.close(); // a browser takes its time to notice by itself
  await page.waitForSelector("#nowserving-widget .strip:not([hidden])", { timeout: 20000 });
  await page.keyboard.press("Enter").then(() => page.focus(".composer textarea")).then(() => page.keyboard.press("Enter"));
  await page.waitForSelector(".state-waiting");
  away = false;
  await page.context().setOffline(false);
  await page.waitForFunction(() => !document.getElementById("nowserving-widget").shadowRoot.querySelector(".unsent"), undefined, { timeout: 20000, polling: 50 });
  assert.deepEqual(await agent.heard(ticket), ["Before", "half a sentence"]);
  assert.deepEqual(await bubbles(page, "own"), ["Before", "half a sentence"]);
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  await page.context().close();
});

test("typing is told both ways, from keys only, and lapses by itself", async () => {
  const page = await visitor();
  const ticket = await begin(page, "Hello");
  await page.fill(".composer textarea", "");
  await staff.frame("signal", { channel: `ticket:${ticket}`, name: "typing" });
  await page.waitForSelector(".typing:not([hidden])");
  const shown = Date.now();
  await page.waitForSelector(".typing", { state: "hidden", timeout: 9000 });
  assert.ok(Date.now() - shown >= 4000, "holds for its lease");
  await staff.frame("signal", { channel: `ticket:${ticket}`, name: "typing" });
  await page.waitForSelector(".typing:not([hidden])");
  await agent.send(ticket, "Here I am");
  await page.waitForSelector(".typing", { state: "hidden", timeout: 3000 });
  await page.context().close();
});

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

test("kill -9 of the hub: nothing is lost, nothing doubled, and no page is loaded again", async () => {
  const page = await visitor();
  const ticket = await begin(page, "One");
  await page.evaluate(() => { window.sameDocument = true; });
  await write(page, "Two");
  await says(page, "own", "Two");
  await hub.kill();
  await page.waitForSelector("#nowserving-widget .strip:not([hidden])", { timeout: 20000 });
  await write(page, "Three");
  await write(page, "Four");
  await hub.up();
  await page.waitForFunction(() => {
    const root = document.getElementById("nowserving-widget").shadowRoot;
    return root.querySelector(".strip").hidden && !root.querySelector(".unsent");
  }, undefined, { timeout: 40000, polling: 100 });
  agent.token = undefined;
  assert.deepEqual(await agent.heard(ticket), ["One", "Two", "Three", "Four"]);
  assert.deepEqual(await bubbles(page, "own"), ["One", "Two", "Three", "Four"]);
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  await page.context().close();
});

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
