// The chat widget as a visitor of somebody else's site has it: another origin, a
// strict policy, blocked storage, a frame, two tabs, a hub that dies.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage } from "./browser.mjs";
import { accessible, Staff } from "./staff.mjs";
import { bubbles, says, WidgetRig, write } from "./widget-guest.mjs";
import { hostPage } from "./widget-site.mjs";

const LATENCY_ROUNDS = 15;
const NASTY = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>"'\`\${1}javascript:alert(1)`;
const rig = new WidgetRig();
let hub;
let site;
let agent;
let key;
let staff;

before(async () => {
  await rig.start();
  ({ hub, site, agent, key } = rig);
  staff = await Staff.open(rig.browser, hub);
});

after(() => rig.stop());

test("under a strict policy with a nonce: a message goes there and one comes back, read on both sides", async () => {
  const page = await rig.visitor();
  assert.deepEqual(await page.context().cookies(), [], "no cookies");
  const ticket = await rig.begin(page, "Is my passport ready?");
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
  const page = await rig.visitor();
  const ticket = await rig.begin(page, "Quick?");
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
  const page = await rig.visitor();
  await accessible(page, "before a conversation");
  await page.click(".line");
  await page.waitForSelector(".place-new");
  const ticket = await rig.ticketOf(page);
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
  const page = await rig.visitor();
  assert.equal(await page.textContent(".intro"), NASTY);
  await page.fill(".begin input[type=text]", NASTY.slice(0, 90));
  const ticket = await rig.begin(page, NASTY);
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
  const context = await rig.browser.newContext({ viewport: { width: 320, height: 568 }, colorScheme: "dark", reducedMotion: "reduce" });
  const page = await openPage(context, `${site.url}/ar`, rig.problems);
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
  const first = await rig.visitor();
  const second = await openPage(first.context(), `${site.url}/`, rig.problems);
  await second.waitForSelector(".launcher");
  const ticket = await rig.begin(first, "From the first tab");
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
  const page = await rig.visitor("/", rig.problems, (context) => context.routeWebSocket(/\/ws$/, (socket) => {
    if (away) return void socket.close();
    sockets.push(socket);
    socket.connectToServer();
  }));
  const ticket = await rig.begin(page, "Before");
  await page.fill(".composer textarea", "half a sentence");
  await page.keyboard.press("Escape");
  await page.click(".launcher");
  assert.equal(await page.inputValue(".composer textarea"), "half a sentence");
  await page.goto(`${site.url}/?page=2`);
  await page.waitForSelector(".composer textarea");
  assert.equal(await page.inputValue(".composer textarea"), "half a sentence");
  await says(page, "own", "Before"); // the new page is connected: what never was current has no "since"
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
  const page = await rig.visitor();
  const ticket = await rig.begin(page, "Hello");
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

test("kill -9 of the hub: nothing is lost, nothing doubled, and no page is loaded again", async () => {
  const page = await rig.visitor();
  const ticket = await rig.begin(page, "One");
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
  assert.deepEqual(rig.problems, []);
});
