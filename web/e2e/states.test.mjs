// Every state of the board has its picture in test-results/board, and in every
// one the text is readable, nothing is cut off, and axe finds nothing.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { hero, launch, openPage, state } from "./browser.mjs";
import { FakeHub } from "./fake-server.mjs";
import { overflows, texts } from "./measure.mjs";

const folder = fileURLToPath(new URL("../test-results/board/", import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LIVE = 7;
const OFFLINE = 4.5;
const SMALLEST = 2.6;
const problems = [];
let browser;

before(async () => {
  mkdirSync(folder, { recursive: true });
  browser = await launch();
});

after(() => browser?.close());

/** A hub with a past: four calls that ended, two that are open, some that wait. */
function branch(hub) {
  const ago = (m) => new Date(hub.now().getTime() - m * 60000);
  for (let i = 0; i < 6; i++) {
    const t = hub.call(hub.add(1 + (i % 3)), 1 + (i % 4), ago(20 - i * 2));
    if (i < 4) hub.end(t, "SERVED", "ticket.served");
  }
  for (const line of [1, 1, 2, 3, 1, 2, 1]) hub.add(line, { firstName: "Ida", lastName: "Berg" });
  return [...hub.tickets.values()].filter((t) => t.status === "NEW");
}

async function scene(options, run) {
  const hub = new FakeHub();
  hub.location = { ...hub.location, ...options.location };
  hub.settings = { ...hub.settings, ...options.settings };
  hub.autoPair = options.autoPair ?? true;
  const waiting = options.empty ? [] : branch(hub);
  const url = await hub.start();
  const context = await (options.browser ?? browser).newContext({ viewport: options.viewport ?? { width: 1280, height: 720 }, bypassCSP: true });
  if (options.broken) {
    await context.route("**/assets/board-*.js", (route) => route.fulfill({ contentType: "text/javascript", body: "let a = ?;" }));
  }
  const page = await openPage(context, `${url}/board/1`, options.broken ? [] : problems);
  try {
    await run({ hub, page, waiting, context });
  } finally {
    await context.close();
    await hub.stop();
  }
}

/** Lets page time go by in steps that leave the hub room to answer. */
async function pass(page, hub, ms) {
  for (let gone = 0; gone < ms; gone += 1000) {
    await page.clock.runFor(1000);
    hub.ahead += 1000;
    await new Promise((resolve) => setTimeout(resolve, 12));
  }
}

/** The picture, and everything that holds in every state. */
async function check(page, name, least = LIVE) {
  await page.screenshot({ path: `${folder}${name}.png` });
  const all = await texts(page);
  assert.ok(all.length > 0, `${name}: no text`);
  const lowest = all.reduce((a, b) => (a.contrast < b.contrast ? a : b));
  assert.ok(lowest.contrast >= least, `${name}: "${lowest.text}" (${lowest.where}) has ${lowest.contrast.toFixed(2)}:1`);
  for (const one of all) {
    // A name and a note are beside a number that says it all.
    assert.ok(one.vh >= SMALLEST - 0.05 || /row-(name|note)/.test(one.where), `${name}: "${one.text}" is ${one.vh.toFixed(2)} vh`);
    assert.ok(!one.cut, `${name}: "${one.text}" reaches out of the screen`);
  }
  assert.deepEqual(await overflows(page), [], name);
  // The list ends above what is below it, whatever is there.
  const list = await page.evaluate(() => {
    const bottom = (one) => one.getBoundingClientRect().bottom;
    const used = [...document.querySelectorAll(".row.used")].filter((row) => row.offsetParent && row.clientHeight);
    const below = [document.querySelector(".bottom"), document.getElementById("join-code"), document.getElementById("strip")].filter((one) => one.getClientRects().length);
    return used.length ? Math.max(...used.map(bottom)) - Math.min(...below.map((one) => one.getBoundingClientRect().top)) : 0;
  });
  assert.ok(list <= 1, `${name}: the list reaches ${list} px too far down`);
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(found.violations.map((v) => `${name}: ${v.id} ${v.nodes.map((n) => n.target).join(" ")}`), []);
}

const media = [{ id: "0".repeat(32), type: "image/png", seconds: 600 }];
const UPRIGHT = { width: 720, height: 1280 };

// The layouts differ in what is where, the themes in colours: every one of both is
// looked at, and every pair of them with LOOKS=all.
const looks = (theme) => (theme === "dark" || process.env.LOOKS === "all" ? ["focus", "board", "media", "portrait", "desk"] : ["board"]);
for (const theme of ["dark", "light", "contrast"]) {
  for (const layout of looks(theme)) {
    const settings = { theme, ...(layout === "media" && { layout, media }), ...(/focus|board/.test(layout) && { layout }) };
    if (layout === "portrait") settings.joinUrl = "https://queue.example.org/join/1";
    const viewport = layout === "portrait" ? UPRIGHT : undefined;
    test(`${layout}, ${theme}: idle, call, recall, stale, offline`, () => scene({ settings, viewport }, async ({ hub, page, waiting }) => {
      if (layout === "desk") {
        await state(page, "live");
        Object.assign(hub.displays[0], { desk: 3 });
      }
      await page.clock.install();
      await page.reload();
      await page.waitForSelector(`body[data-state="live"][data-layout="${layout}"][data-theme="${theme}"]`);
      if (layout === "media") {
        for (let i = 0; i < 20 && !(await page.$("#zone-image.shown")); i++) await pass(page, hub, 1000);
        assert.ok(await page.$('body[data-zone="full"] #zone-image.shown'));
      }
      await check(page, `${layout}-${theme}-idle`);
      hub.call(waiting[0], 3);
      await hero(page, waiting[0].publicId);
      await page.clock.runFor(450);
      await check(page, `${layout}-${theme}-call`);
      if (theme === "dark") {
        hub.command({ name: "ticket.recall", params: { ticket: waiting[0].id } });
        await pass(page, hub, 10000);
        await page.waitForFunction(() => /Second call/.test(document.getElementById("hero-label").textContent));
        await check(page, `${layout}-${theme}-recall`);
      }
      hub.silent = true;
      await pass(page, hub, 16000);
      await check(page, `${layout}-${theme}-stale`);
      await pass(page, hub, 52000);
      await state(page, "offline");
      await check(page, `${layout}-${theme}-offline`, OFFLINE);
    }));
  }
}

test("many calls: all are listed, how many more is said", () => scene({}, async ({ hub, page, waiting }) => {
  await state(page, "live");
  waiting.slice(0, 6).forEach((t, i) => hub.call(t, 1 + (i % 4)));
  await page.waitForSelector(`.row[data-public-id="${waiting[5].publicId}"]`);
  assert.match(await page.textContent("#hero-more"), /and \d more/);
  await check(page, "many-calls");
}));

test("nobody yet: the way to a ticket, with a code for phones", () =>
  scene({ empty: true, settings: { joinUrl: "https://queue.example.org/join/1" } }, async ({ page }) => {
    await state(page, "live");
    assert.match(await page.textContent("#hero-label"), /Please take a ticket/);
    assert.ok((await page.getAttribute("#join-code path", "d")).length > 100);
    await check(page, "idle-empty-join");
  }));

test("closed: hours of today and of the next day, and where to go", () => {
  const closed = { closed: true };
  const hours = { week: [{ spans: [{ opens: 540, closes: 720 }, { opens: 780, closes: 1020 }] }, {}, {}, {}, {}, closed, closed], exceptions: [] };
  // Closed today, whatever day the test runs on.
  const now = new Date();
  for (const ahead of [-1, 0]) {
    const date = new Intl.DateTimeFormat("en-CA", { timeZone: "Europe/Tallinn" }).format(new Date(now.getTime() + ahead * 86400000));
    hours.exceptions.push({ date, closed: true });
  }
  return scene({ empty: true, location: { hours }, settings: { where: "Night service: Harbour Office, 2 Quay" } }, async ({ page }) => {
    await page.waitForSelector('body[data-hero="closed"]');
    const text = await page.textContent("#hero-label");
    assert.match(text, /Closed/);
    assert.match(text, /Today: Closed/);
    assert.match(text, /day: (09:00|open all day)/);
    assert.match(text, /Harbour Office/);
    await check(page, "closed");
  });
});

for (const language of ["es", "de", "fr", "ar"]) {
  test(`language ${language}: a call, and offline`, () => scene({ location: { languages: [language, "en"] } }, async ({ hub, page, waiting }) => {
    await page.clock.install();
    await page.reload();
    await state(page, "live");
    hub.call(waiting[0], 3);
    await hero(page, waiting[0].publicId);
    await page.clock.runFor(450);
    assert.equal(await page.getAttribute("html", "lang"), language);
    assert.equal(await page.getAttribute("html", "dir"), language === "ar" ? "rtl" : "ltr");
    if (language === "ar") {
      const order = await page.evaluate(() => {
        const left = (id) => document.getElementById(id).getBoundingClientRect().left;
        const arrow = getComputedStyle(document.querySelector("#hero-to .arrow")).transform;
        return { list: document.querySelector(".calls").getBoundingClientRect().left < left("hero"), arrow, tag: document.getElementById("hero-number").tagName };
      });
      assert.deepEqual(order, { list: true, arrow: "matrix(-1, 0, 0, 1, 0, 0)", tag: "BDI" });
    }
    await check(page, `language-${language}-call`);
    hub.silent = true;
    await pass(page, hub, 64000);
    await state(page, "offline");
    await check(page, `language-${language}-offline`, OFFLINE);
  }));
}

test("media and rail: the media freeze during a call, the rail is never covered", () =>
  scene({ settings: { layout: "media", media } }, async ({ hub, page, waiting }) => {
    await page.waitForSelector("#zone-image.shown");
    await check(page, "media-idle");
    hub.call(waiting[0], 2);
    await page.waitForSelector('body[data-hero="calling"]');
    await page.waitForSelector(`.row.hot[data-public-id="${waiting[0].publicId}"]`);
    const cover = await page.evaluate(() => {
      const call = document.getElementById("hero").getBoundingClientRect();
      const rail = document.getElementById("rows").getBoundingClientRect();
      return { share: call.width / innerWidth, apart: call.right <= rail.left };
    });
    assert.ok(cover.share >= 0.55 && cover.apart, JSON.stringify(cover));
    await page.waitForTimeout(1000);
    await check(page, "media-call");
  }));

test("media that cannot be loaded leave the last call where it was", () =>
  scene({ settings: { layout: "media", media } }, async ({ page, context }) => {
    await context.route("**/media/**", (route) => route.abort());
    await page.reload();
    await page.waitForSelector('body[data-state="live"][data-layout="media"][data-zone="empty"]');
    await page.waitForSelector("#hero-number", { state: "visible" });
    await page.waitForTimeout(1500); // past the time in which the next one is tried
    assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById("hero")).visibility), "visible");
    await check(page, "media-missing");
  }));

test("cards in quiet times, one language each", () =>
  scene({ settings: { cards: [{ language: "en", text: "Please have your papers ready" }, { language: "ar", text: "يرجى تجهيز أوراقك" }] } }, async ({ hub, page }) => {
    for (let i = 0; i < 3; i++) {
      hub.ahead = i * 10000;
      await page.reload();
      await page.waitForSelector('body[data-state="live"][data-hero="card"]');
      await check(page, `card-${i}`);
    }
  }));

test("portrait", () => scene({ viewport: UPRIGHT, settings: { joinUrl: "https://queue.example.org/join/1" } }, async ({ hub, page, waiting }) => {
  await state(page, "live");
  assert.equal(await page.getAttribute("body", "data-layout"), "portrait");
  hub.call(waiting[0], 3);
  await hero(page, waiting[0].publicId);
  await page.waitForTimeout(450);
  await check(page, "portrait-call");
}));

test("desk sign: its own desk's number, and Next, please", () => scene({}, async ({ hub, page, waiting }) => {
  await state(page, "live");
  Object.assign(hub.displays[0], { desk: 4 });
  await page.reload();
  await page.waitForSelector('body[data-layout="desk"]');
  await page.waitForFunction(() => /Next, please.*Siguiente, por favor/.test(document.getElementById("hero-label").textContent), undefined, { timeout: 10000 });
  await check(page, "desk-next");
  hub.call(waiting[0], 3);
  hub.call(waiting[1], 4);
  await hero(page, waiting[1].publicId);
  await page.waitForTimeout(450);
  const vh = await page.evaluate(() => parseFloat(getComputedStyle(document.getElementById("hero-number-box")).fontSize) / innerHeight);
  assert.ok(vh >= 0.4, `${vh}`);
  assert.equal(await page.textContent("#location"), "Desk 4");
  await check(page, "desk-call");
}));

test("names, where the location shows them", () => scene({ settings: { names: "initial" } }, async ({ hub, page, waiting }) => {
  await state(page, "live");
  hub.call(Object.assign(waiting[0], { name: "Ida B." }), 3);
  await hero(page, waiting[0].publicId);
  await page.waitForTimeout(450);
  assert.equal(await page.textContent("#hero-name"), "Ida B.");
  await check(page, "name");
}));

test("long desk names and numbers shrink and are not cut", () => scene({}, async ({ hub, page, waiting }) => {
  hub.desks[2].name = "Residence permits and registration";
  await page.reload();
  await state(page, "live");
  hub.call(Object.assign(waiting[0], { publicId: "AB-12345" }), 3);
  await hero(page, "AB-12345");
  await page.waitForTimeout(450);
  await check(page, "long");
  await page.setViewportSize({ width: 1024, height: 768 });
  await page.waitForTimeout(1500);
  await check(page, "long-4-3");
}));

test("emergency: over everything, each language in turn", () =>
  scene({ settings: { emergency: [{ language: "en", text: "Please leave the building now" }, { language: "ar", text: "يرجى مغادرة المبنى الآن" }] } }, async ({ hub, page }) => {
    for (const [i, dir] of [[0, "ltr"], [1, "rtl"], [2, "ltr"]]) {
      hub.ahead = i * 10000 - (Date.now() % 20000);
      await page.reload();
      await page.waitForSelector('body[data-emergency="shown"]');
      assert.equal(await page.getAttribute("#emergency", "dir"), dir);
      await check(page, `emergency-${i}`);
    }
    hub.change({}, { emergency: [] });
    await page.waitForSelector('body[data-emergency="none"]');
  }));

test("pairing: a code, and a QR code that leads to the console", () => scene({ autoPair: false, empty: true }, async ({ page }) => {
  await page.waitForSelector('body[data-pairing]:not([data-pairing=""])');
  assert.match(await page.getAttribute("#pair-qr", "data-text"), /^http:.*\/console#pair=[A-Z0-9]{6}$/);
  await check(page, "pairing");
}));

test("reconnecting shows a dot and nothing else; earlier calls are marked", () => scene({}, async ({ hub, page, waiting }) => {
  await state(page, "live");
  hub.refuse = true;
  for (const s of hub.sockets) s.socket.destroy();
  await page.waitForSelector('body[data-link="away"][data-state="live"]');
  await check(page, "reconnecting");
  hub.call(waiting[0], 1, new Date(Date.now() - 40000));
  hub.forgetful = true;
  hub.refuse = false;
  await page.waitForFunction((id) => [...document.querySelectorAll(".row-note, #hero")].some((e) => /earlier/.test(e.textContent) || e.dataset.publicId === id), waiting[0].publicId, { timeout: 20000 });
  await check(page, "back-online");
}));

test("sound locked", async () => {
  const strict = await launch(["--autoplay-policy=document-user-activation-required"]);
  await scene({ empty: true, browser: strict }, async ({ page }) => {
    await page.waitForSelector('body[data-sound="locked"][data-state="live"]');
    await check(page, "sound-locked");
  });
  await strict.close();
});

test("too old an engine", () => scene({ empty: true, broken: true }, async ({ page }) => {
  await page.waitForSelector(".guard.shown");
  assert.match(await page.textContent("#guard"), /engine \d+.*\/board\/1\/plain/);
  await check(page, "too-old");
}));

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
