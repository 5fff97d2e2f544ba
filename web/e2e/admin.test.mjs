// The administration against the real server: what is changed here is seen there.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { launch, openPage, state } from "./browser.mjs";
import { RealHub } from "./hub.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const EVIL = `<img src=x onerror="window.evil=1">`;
const PAGES = [
  "lines", "fields", "desks", "hours", "visitors", "place", "users", "screens", "board", "media", "emergency", "sites", "department", "replies", "keys", "webhooks", "waits", "audit",
];
const problems = [];
let hub;
let demo;
let browser;
let office;
let admin;
let board;

before(async () => {
  hub = await RealHub.start();
  demo = hub.demo;
  browser = await launch();
  office = await browser.newContext({ viewport: { width: 1380, height: 900 }, locale: "en-GB" });
  board = await openPage(await browser.newContext({ viewport: { width: 1280, height: 720 } }), demo.pages.board, problems);
  admin = await openPage(office, `${demo.url}/admin`, problems);
  await enter(admin, demo.users[0]);
});

after(async () => {
  await browser?.close();
  await hub?.stop();
});

async function enter(page, user) {
  await page.waitForSelector('body[data-view="sign-in"]');
  await page.fill("#email", user.email);
  await page.fill("#password", user.password);
  await page.click("#sign-in-form button");
  await page.waitForSelector('body[data-view="work"]');
}

/** Shows a page and waits until what it shows was loaded. */
async function open(name, page = admin) {
  await page.evaluate((hash) => { window.location.hash = hash; }, `#/${name}`);
  await page.waitForSelector(`#main[data-page="${name}"]`);
  await page.waitForFunction(() => !document.querySelector("#main > .none[role=status]") && document.getElementById("main").children.length > 2);
}

const press = (name, page = admin) => page.getByRole("button", { name, exact: true }).click();
const row = (text, page = admin) => page.locator("#main tbody tr", { hasText: text });
const inDialog = (page = admin) => page.locator("dialog[open]");
const closed = (page = admin) => page.waitForSelector("dialog", { state: "detached" });

async function field(label, value, page = admin) {
  const control = inDialog(page).getByLabel(label, { exact: true });
  await control.fill(value);
}

/** The secret of the open dialog, which is shown this one time. */
async function secret() {
  const value = await admin.inputValue("dialog[open] input.secret");
  await inDialog().getByRole("button", { name: "Done" }).click();
  await closed();
  return value;
}

test("a line that is made here is on the board at once, and moves there", async () => {
  await state(board, "live");
  await open("lines");
  await press("Add a line");
  await field("Name", "Visas");
  await inDialog().getByRole("button", { name: "Save" }).click();
  await closed();
  await row("Visas").waitFor();
  await board.waitForFunction(() => document.body.textContent.includes("Visas"));
  await press("Move Visas up");
  await admin.waitForFunction(() => document.querySelectorAll("#main tbody tr")[2].textContent.includes("Visas"));
  await board.waitForFunction(() => {
    const text = document.body.textContent;
    return text.indexOf("Visas") < text.indexOf("Payments");
  });
  assert.match(await admin.evaluate(() => document.activeElement.getAttribute("aria-label")), /Visas/, "the focus stays with the line");
});

test("who waits is not forgotten: the refusal says why", async () => {
  await press("Disable Passports");
  await admin.waitForFunction(() => /active tickets/.test(document.getElementById("notice").textContent));
});

test("two administrators: the slower one is told", async () => {
  await press("Edit Visas");
  const made = await hub.queue("POST", `/v1/lines/${await lineId("Visas")}`);
  assert.ok(made.status);
  await admin.evaluate(async () => {
    const { lines } = await (await fetch("/hub/v1/locations/1/lines")).json();
    const line = lines.find((one) => one.name === "Visas");
    await fetch(`/hub/v1/locations/1/lines/${line.id}`, {
      method: "PATCH", headers: { "X-Nowserving": "1", "Content-Type": "application/json" }, body: JSON.stringify({ color: "#123456" }),
    });
  });
  await field("Name", "Overwritten");
  await inDialog().getByRole("button", { name: "Save" }).click();
  await admin.waitForFunction(() => /somebody else/.test(document.querySelector("dialog .fault").textContent));
  await admin.keyboard.press("Escape");
  await closed();
});

const lineId = (name) => admin.evaluate(async (wanted) => {
  const { lines } = await (await fetch("/hub/v1/locations/1/lines")).json();
  return lines.find((one) => one.name === wanted).id;
}, name);

test("an invited user signs in with the link, and is out at once when deactivated", async () => {
  await open("users");
  await press("Invite a user");
  await field("First name", "Eve");
  await field("E-mail", "eve@example.com");
  await inDialog().getByRole("button", { name: "Create and invite" }).click();
  await admin.waitForSelector("dialog[open] input.secret");
  const link = await secret();
  const home = await browser.newContext();
  const console_ = await openPage(home, link, problems);
  await console_.waitForSelector('body[data-view="setup"]');
  assert.equal(console_.url().includes("invite"), false, "the secret is out of the address");
  await console_.fill("#setup-password", "correct horse battery");
  await console_.click("#setup-form button[type=submit]");
  await console_.waitForSelector('body[data-view="work"][data-state="live"]');
  const eves = await openPage(home, `${demo.url}/admin`, problems);
  await eves.waitForFunction(() => /administrators/.test(document.getElementById("sign-in-note").textContent));
  await eves.close();
  await open("users");
  await press("Deactivate Eve");
  await inDialog().getByRole("button", { name: "Deactivate" }).click();
  await console_.waitForSelector('body[data-view="sign-in"]');
  await home.close();
});

test("a key is shown once, works, and opens nothing once revoked", async () => {
  await open("keys");
  await press("New queue API key");
  await field("Name", "Reports");
  await inDialog().getByRole("button", { name: "Make the key" }).click();
  await admin.waitForSelector("dialog[open] input.secret");
  const key = await secret();
  const use = async () => (await fetch(`${demo.url}/v1/locations/1`, { headers: { "X-Qminder-REST-API-Key": key } })).status;
  assert.equal(await use(), 200);
  await row("Reports").waitFor();
  assert.equal((await admin.content()).includes(key), false);
  await press("Revoke Reports");
  await inDialog().getByRole("button", { name: "Revoke", exact: true }).click();
  await row("Reports").waitFor({ state: "detached" });
  assert.equal(await use(), 401);
});

test("a webhook's delivery is listed", async () => {
  const got = [];
  const receiver = createServer((request, response) => {
    got.push(request.url);
    response.end();
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  try {
    await open("webhooks");
    await press("New queue webhook");
    await field("Name", "CRM");
    await field("Address that is told", `http://127.0.0.1:${receiver.address().port}/hook`);
    await inDialog().getByRole("button", { name: "Make the webhook" }).click();
    await admin.waitForSelector("dialog[open] input.secret");
    assert.match(await secret(), /\S{20}/);
    const made = await hub.queue("POST", "/tickets", { lineId: demo.lines[0], firstName: "Hooked" }, true);
    assert.equal(made.status, 201);
    await press("Deliveries CRM");
    const shown = () => inDialog().locator("tbody tr", { hasText: "ticket_created" }).getByText("Delivered");
    for (let i = 0; i < 50 && !(await shown().count()); i++) {
      await inDialog().getByRole("button", { name: "Refresh" }).click();
      await admin.waitForTimeout(100); // the next look
    }
    assert.ok(await shown().count());
    await admin.keyboard.press("Escape");
    await closed();
  } finally {
    receiver.close();
  }
  assert.ok(got.length >= 1);
});

test("the emergency card comes and goes on a paired board, with its tone", async () => {
  await open("emergency");
  await admin.getByLabel("Text", { exact: true }).first().fill("Please leave the building");
  await admin.getByText("Sound a warning tone as well").click();
  await admin.click("#emergency-switch");
  await inDialog().getByRole("button", { name: "Show on all screens" }).click();
  await board.waitForSelector('body[data-emergency="shown"]');
  assert.equal(await board.textContent("#emergency-text"), "Please leave the building");
  await board.waitForSelector('body[data-warned="true"]');
  await admin.click("#emergency-switch");
  await board.waitForSelector('body[data-emergency="none"]');
  await open("emergency");
  assert.equal(await admin.getByLabel("Text", { exact: true }).first().inputValue(), "Please leave the building", "it stays prepared");
});

test("a video is uploaded, and plays without sound beside the calls", async () => {
  const webm = Buffer.from(await admin.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const paint = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
    const chunks = [];
    recorder.ondataavailable = (event) => chunks.push(event.data);
    const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
    recorder.start();
    for (let i = 0; i < 25; i++) {
      paint.fillStyle = i % 2 ? "#0A4F96" : "#FFD84D";
      paint.fillRect(0, 0, 64, 64);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    recorder.stop();
    await stopped;
    return Array.from(new Uint8Array(await new Blob(chunks).arrayBuffer()));
  }));
  assert.ok(webm.length > 200 && webm.length < 100000, `${webm.length} bytes`);
  await open("board");
  await admin.getByLabel("Layout").selectOption("media");
  await press("Save");
  await admin.waitForSelector(".notice.shown");
  await open("media");
  await admin.setInputFiles("input[type=file]", { name: "clip.webm", mimeType: "video/webm", buffer: webm });
  await admin.waitForSelector(".medium video");
  await press("Show");
  await board.waitForSelector("#zone-video.shown", { timeout: 20000 });
  await board.waitForFunction(() => {
    const video = document.getElementById("zone-video");
    return video.muted && video.currentTime > 0 && video.videoWidth === 64;
  }, undefined, { timeout: 20000 });
  await admin.setInputFiles("input[type=file]", { name: "no.png", mimeType: "image/png", buffer: Buffer.from("<svg onload=alert(1)>") });
  await admin.waitForFunction(() => /screens show/.test(document.querySelector("#main .fault").textContent));
});

test("the screens page is live: presence, sizes with the warning, reload", async () => {
  await open("screens");
  await admin.waitForSelector('#main[data-link="live"]');
  const online = admin.locator("#main tbody tr", { hasText: "Online" });
  await online.first().waitFor();
  const name = (await online.first().locator("th bdi").first().textContent()).trim();
  await board.evaluate(() => { window.before = true; });
  await press(`Reload ${name}`);
  await board.waitForFunction(() => !window.before);
  await state(board, "live");
  await press(`Settings ${name}`);
  for (const [label, value] of [["Diagonal, inches", "43"], ["Farthest seat, metres", "8"], ["Pixels across", "1920"], ["Pixels down", "1080"]]) {
    await field(label, value);
  }
  assert.match(await admin.textContent("dialog .advice"), /EN 301 549/);
  assert.match(await admin.getAttribute("dialog .advice", "class"), /bad/);
  await field("Name", "Renamed TV");
  await inDialog().getByRole("button", { name: "Save" }).click();
  await closed();
  await row("Renamed TV").waitFor();
});

test("text that looks like markup is shown as text, on every page", async () => {
  await admin.evaluate(async (evil) => {
    const send = (method, path, body) => fetch(`/hub/v1/${path}`, {
      method, headers: { "X-Nowserving": "1", "Content-Type": "application/json" }, body: JSON.stringify(body),
    }).then(async (r) => { if (!r.ok) throw new Error(`${path}: ${await r.text()}`); return r.json(); });
    const short = evil.slice(0, 48);
    await send("POST", "locations/1/lines", { name: short, translations: { es: short } });
    await send("POST", "locations/1/desks", { name: short });
    await send("POST", "locations/1/input-fields", { type: "SELECT", title: short, options: [{ title: short, color: short }] });
    await send("POST", "users", { email: "evil@example.com", firstName: short, lastName: short, work: [{ location: 1, type: "CLERK" }] });
    await send("POST", "keys", { api: "queue", name: evil });
    await send("POST", "webhooks", { api: "queue", name: evil, url: "http://127.0.0.1:9/?x" });
    await send("POST", "locations/1/canned-replies", { title: evil, text: evil, categoryName: short, isPublished: true });
    await send("POST", "locations/1/sites", { name: short, origins: [], texts: { online: evil } });
    const settings = await (await fetch("/hub/v1/locations/1/settings")).json();
    await send("PUT", "locations/1/settings", { ...settings, name: short, address: evil });
    const hours = { always: false, week: [{}, {}, {}, {}, {}, {}, {}], exceptions: [{ date: "2027-01-01", reason: evil.slice(0, 30), closed: true }] };
    await send("PUT", "locations/1/hours", hours);
    const board = await (await fetch("/hub/v1/locations/1/board")).json();
    board.settings.cards = [{ language: "en", text: evil }];
    board.settings.where = evil;
    await send("PUT", "locations/1/board", board);
    const department = await (await fetch("/hub/v1/locations/1/department")).json();
    department.tags.push({ name: evil, color: "#112233", parentTags: [], isDeleted: false });
    department.senders.push({ protocol: "AppleBusinessChat", from: evil });
    department.texts = { ...department.texts, introduction: evil };
    await send("PUT", "locations/1/department", department);
  }, EVIL);
  await admin.reload();
  await admin.waitForSelector('body[data-view="work"]');
  for (const name of PAGES) {
    await open(name);
    assert.equal(await admin.evaluate(() => window.evil), undefined, name);
    assert.equal(await admin.locator("#main img[src=x], #nav img, header img").count(), 0, name);
  }
  await open("lines");
  await row("<img src=x").first().waitFor();
});

test("axe finds nothing on any page, nor in a dialog", async () => {
  // The source goes in by the protocol, which the page's policy does not stop.
  await admin.evaluate(axe);
  const check = async (name) => {
    const found = await admin.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }));
    assert.deepEqual(found.violations.map((v) => `${name}: ${v.id} ${v.nodes.map((n) => n.target).join(" ")}`), []);
  };
  for (const name of PAGES) {
    await open(name);
    await check(name);
  }
  await open("lines");
  await press("Add a line");
  await check("dialog");
  await admin.keyboard.press("Escape");
  await closed();
});

test("keyboard only: skip link, menu, a dialog that gives the focus back", async () => {
  await open("desks");
  await admin.reload();
  await admin.waitForSelector('body[data-view="work"]');
  await row("1").first().waitFor();
  await admin.keyboard.press("Tab");
  assert.equal(await admin.evaluate(() => document.activeElement.id), "skip");
  await admin.keyboard.press("Enter");
  await admin.keyboard.press("Tab");
  assert.equal(await admin.evaluate(() => document.activeElement.textContent), "Add a desk");
  await admin.keyboard.press("Enter");
  await admin.waitForSelector("dialog[open]");
  await admin.keyboard.type("Side door");
  await admin.keyboard.press("Enter");
  await closed();
  await row("Side door").waitFor();
  assert.equal(await admin.evaluate(() => document.activeElement.textContent), "Add a desk");
});

test("Arabic: right to left, and nothing wider than the screen of a phone", async () => {
  const context = await browser.newContext({ locale: "ar", viewport: { width: 320, height: 640 } });
  const page = await openPage(context, `${demo.url}/admin`, problems);
  await enter(page, demo.users[1]);
  assert.equal(await page.getAttribute("html", "dir"), "rtl");
  for (const name of PAGES) {
    await open(name, page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
  }
  await context.close();
});

test("the audit log has it all; signing out leaves nothing on the page", async () => {
  await open("audit");
  await row("Settings changed").first().waitFor();
  await row("Credential revoked").first().waitFor();
  await admin.click("#sign-out");
  await admin.waitForSelector('body[data-view="sign-in"]');
  assert.equal((await admin.content()).includes("Settings changed"), false);
});

test("no script error and no policy violation happened on the way", () => {
  // What the hub refuses, and the address of the made-up webhook, are told by the browser as well.
  assert.deepEqual(problems.filter((text) => !/status of 4\d\d/.test(text)), []);
});
