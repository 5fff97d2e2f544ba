// Input fields and the chat department's senders and times, as an administrator
// sets them: what is wrong is told at its control, and visitors are asked at once.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { launch, openPage } from "./browser.mjs";
import { RealHub } from "./hub.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const EVIL = `<img src=x onerror="window.evil=1">`;
const problems = [];
let hub;
let browser;
let office;
let admin;

before(async () => {
  hub = await RealHub.start();
  browser = await launch();
  office = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB" });
  admin = await enter(office);
});

after(async () => {
  await browser?.close();
  await hub?.stop();
});

async function enter(context) {
  const page = await openPage(context, `${hub.url}/admin`, problems);
  await page.waitForSelector('body[data-view="sign-in"]');
  await page.fill("#email", hub.demo.users[0].email);
  await page.fill("#password", hub.demo.users[0].password);
  await page.click("#sign-in-form button");
  await page.waitForSelector('body[data-view="work"]');
  return page;
}

/** Shows a page and waits until what it shows was loaded; shown again, it is loaded anew. */
async function open(name, page = admin) {
  await page.evaluate((hash) => { window.location.hash = hash; }, "#/desks");
  await page.waitForSelector('#main[data-page="desks"]');
  await page.evaluate((hash) => { window.location.hash = hash; }, `#/${name}`);
  await page.waitForSelector(`#main[data-page="${name}"]`);
  await page.waitForFunction(() => !document.querySelector("#main > .none[role=status]") && document.querySelector("#main form, #main tbody tr"));
}

const inDialog = (page = admin) => page.locator("dialog[open]");
const closed = (page = admin) => page.waitForSelector("dialog", { state: "detached" });
const press = (name, page = admin) => page.getByRole("button", { name, exact: true }).click();
const save = (page = admin) => inDialog(page).getByRole("button", { name: "Save" }).click();
const row = (text) => admin.locator("#main tbody tr", { hasText: text });
const card = (heading) => admin.locator("section.card", { has: admin.getByRole("heading", { name: heading, exact: true }) }).last();
const entry = (heading, n) => card(heading).getByRole("group", { name: `Entry ${n}`, exact: true });
const titles = () => admin.locator("#main tbody th").allTextContents();
const focused = () => admin.evaluate(() => document.activeElement.getAttribute("aria-label") || document.activeElement.closest("label")?.textContent || document.activeElement.textContent);

/** What is complained of: the text beside the control that has the focus. */
async function complaint(pattern) {
  await admin.waitForFunction((source) => {
    const one = document.activeElement;
    const text = (one.getAttribute("aria-describedby") || "").split(" ").map((id) => document.getElementById(id)?.textContent || "").join(" ");
    return one.getAttribute("aria-invalid") === "true" && new RegExp(source).test(text);
  }, pattern.source);
}

const check = async (name, page = admin) => {
  await page.evaluate(axe); // the source goes in by the protocol, which the page's policy does not stop
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(found.violations.map((v) => `${name}: ${v.id} ${v.nodes.map((n) => n.target).join(" ")}`), []);
};

test("a choice is made, with its errors at their controls, and visitors are asked it", async () => {
  await open("fields");
  assert.deepEqual(await titles(), ["First name", "Last name", "Phone number"]);
  await press("Add an input field");
  const dialog = inDialog();
  await dialog.getByLabel("Type", { exact: true }).selectOption("SELECT");
  assert.match(await focused(), /Text|Choice/, "the focus stays with the type");
  await save();
  await complaint(/missing/);
  await dialog.getByLabel("Title", { exact: true }).first().fill("Topic");
  await save();
  await dialog.getByText("1 to 200 choices").waitFor();
  await press("Add a choice");
  await save();
  await complaint(/missing/);
  assert.equal(await focused(), "Choice", "at the choice without a name");
  await entry("Choices", 1).getByLabel("Choice", { exact: true }).fill("Renewal");
  await entry("Choices", 1).getByText("In other languages").click();
  await entry("Choices", 1).getByLabel("Name in español").fill("Renovar");
  await press("Add a choice");
  await entry("Choices", 2).getByLabel("Choice", { exact: true }).fill("Renewal");
  await save();
  await complaint(/two choices have this name/);
  await entry("Choices", 2).getByLabel("Choice", { exact: true }).fill(EVIL);
  await dialog.getByLabel("Visitors must answer").check();
  await dialog.getByLabel("Passports").check();
  await press("Add a language");
  await entry("In other languages", 1).getByLabel("Language").selectOption("es");
  await entry("In other languages", 1).getByLabel("Title", { exact: true }).fill("Tema");
  await save();
  await closed();
  await row("Topic").getByText("Must be answered").waitFor();
  assert.match(await row("Topic").textContent(), /Choice.*Passports/);

  const phone = await browser.newContext({ viewport: { width: 390, height: 800 }, locale: "es" });
  const join = await openPage(phone, `${hub.url}/join/1`, problems);
  await join.getByText("Passports").first().click();
  await join.getByText("Tema").first().waitFor();
  assert.deepEqual((await join.locator("select option").allTextContents()).filter((text) => text === "Renovar" || text === EVIL), ["Renovar", EVIL]);
  assert.equal(await join.evaluate(() => window.evil), undefined);
  await phone.close();
});

test("a field is edited, moved and removed; the slower administrator is told", async () => {
  await press("Edit Topic");
  await admin.evaluate(async () => {
    const { fields } = await (await fetch("/hub/v1/locations/1/input-fields")).json();
    const topic = fields.find((one) => one.title === "Topic");
    const response = await fetch(`/hub/v1/locations/1/input-fields/${topic.id}`, {
      method: "PUT", headers: { "X-Nowserving": "1", "Content-Type": "application/json" }, body: JSON.stringify({ ...topic, title: "Matter" }),
    });
    if (!response.ok) throw new Error(await response.text());
  });
  await save();
  await inDialog().getByText("somebody else").waitFor();
  await admin.keyboard.press("Escape");
  await closed();
  await open("fields");
  await press("Edit Matter");
  await entry("Choices", 2).getByRole("button", { name: "Remove" }).click();
  assert.equal(await focused(), "Remove", "the focus goes to the next one");
  await save();
  await closed();
  const kept = await admin.evaluate(async () => (await (await fetch("/hub/v1/locations/1/input-fields")).json()).fields[3]);
  assert.deepEqual(kept.options.map((one) => [one.title, one.translations]), [["Renewal", [{ language: "es", title: "Renovar" }]]]);
  assert.deepEqual([kept.inRemoteSignIn, kept.translations], [true, [{ language: "es", title: "Tema" }]]);
  await press("Move Matter up");
  await admin.waitForFunction(() => document.querySelectorAll("#main tbody th")[2].textContent === "Matter");
  assert.equal(await focused(), "Move Matter up", "the focus stays with the field");
  assert.equal(await admin.getByRole("button", { name: "Remove First name" }).count(), 0, "every location keeps its names");
  await press("Remove Matter");
  await inDialog().getByRole("button", { name: "Remove", exact: true }).click();
  await row("Matter").waitFor({ state: "detached" });
});

test("keyboard only: a number with bounds, refused where it is wrong", async () => {
  await open("fields");
  await admin.getByRole("button", { name: "Add an input field" }).focus();
  await admin.keyboard.press("Enter");
  await admin.waitForSelector("dialog[open]");
  await admin.keyboard.type("Number"); // chooses in the select that has the focus
  await admin.waitForFunction(() => document.querySelector('dialog [name="range.min"]'));
  const type = async (text) => {
    await admin.keyboard.press("Tab");
    await admin.keyboard.type(text);
  };
  for (const text of ["Pages", "How many pages?", "5", "many", "0"]) await type(text);
  await admin.keyboard.press("Enter");
  await complaint(/wrong type/);
  await admin.keyboard.press("ControlOrMeta+a");
  await admin.keyboard.type("4,5");
  await admin.keyboard.press("Enter");
  await complaint(/not below the smallest/);
  await admin.keyboard.press("ControlOrMeta+a");
  await admin.keyboard.type("90");
  await admin.keyboard.press("Enter");
  await closed();
  assert.equal(await focused(), "Add an input field");
  const made = await admin.evaluate(async () => (await (await fetch("/hub/v1/locations/1/input-fields")).json()).fields[3]);
  assert.deepEqual([made.title, made.visitorTitle, made.range, made.showInRemoteSignIn, made.visibleWaiting], ["Pages", "How many pages?", { min: 5, max: 90 }, true, true]);
});

test("senders and times by channel: wrong ones at their rows, right ones are kept", async () => {
  await open("department");
  const demo = await admin.locator("section.card", { hasText: "Senders" }).last().getByRole("group").count();
  await press("Add a sender");
  const sender = entry("Senders", demo + 1);
  await sender.getByLabel("Channel").selectOption("SMS");
  await sender.getByLabel("Number or address").fill("12");
  await press("Add a channel");
  const idle = entry("Other times by channel", 1);
  await idle.getByLabel("Channel").selectOption("WhatsApp");
  await idle.getByLabel(/^Minutes/).fill("-5");
  await press("Save");
  await complaint(/5 to 20 digits/);
  await sender.getByLabel("Number or address").fill("+372 555 0100");
  await sender.getByLabel("Also without a conversation").check();
  await press("Save");
  await complaint(/from 0 to/);
  assert.match(await focused(), /Minutes/);
  await idle.getByLabel(/^Minutes/).fill("90");
  await press("Add a channel");
  const twin = entry("Other times by channel", 2);
  assert.notEqual(await twin.getByLabel("Channel").inputValue(), "WhatsApp", "the next that is free is proposed");
  await twin.getByLabel("Channel").selectOption("WhatsApp");
  await press("Save");
  await complaint(/WhatsApp is there twice/);
  await twin.getByLabel("Channel").selectOption("Mail");
  await press("Save");
  await admin.waitForSelector(".notice.shown");
  const kept = await admin.evaluate(async () => (await fetch("/hub/v1/locations/1/department")).json());
  assert.deepEqual(kept.senders.slice(demo), [{ protocol: "SMS", from: "3725550100", free: true }]);
  assert.equal(kept.idle.WhatsApp, "1h30m0s");
  assert.equal(kept.idle.Mail, "0s", "empty is never, whatever holds for the others");
  await open("department");
  assert.deepEqual(await idle.getByLabel("Channel").inputValue(), "Mail");
  await idle.getByRole("button", { name: "Remove" }).click();
  await press("Save");
  await admin.waitForFunction(async () => !("Mail" in (await (await fetch("/hub/v1/locations/1/department")).json()).idle));
});

test("axe finds nothing, in the light and in the dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await admin.emulateMedia({ colorScheme });
    await open("department");
    await check(`department, ${colorScheme}`);
    await open("fields");
    await check(`fields, ${colorScheme}`);
    for (const type of ["TEXT", "SELECT", "NUMERIC", "ATTACHMENT", "EMAIL"]) {
      await press("Add an input field");
      await inDialog().getByLabel("Type", { exact: true }).selectOption(type);
      if (type === "SELECT") {
        await press("Add a choice");
        await press("Add a language");
        await save();
      }
      await check(`${type}, ${colorScheme}`);
      await admin.keyboard.press("Escape");
      await closed();
    }
  }
});

test("Arabic on a phone: nothing is wider than the screen", async () => {
  const context = await browser.newContext({ locale: "ar", viewport: { width: 320, height: 640 }, colorScheme: "dark" });
  const page = await enter(context);
  assert.equal(await page.getAttribute("html", "dir"), "rtl");
  const fits = async (name) => {
    const wide = await page.evaluate(() => {
      const box = document.querySelector("dialog[open]") || document.documentElement;
      return Math.max(box.scrollWidth - box.clientWidth, document.documentElement.scrollWidth - window.innerWidth);
    });
    assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
  };
  await open("fields", page);
  await fits("fields");
  await page.locator("#main button.primary").click();
  await inDialog(page).locator('select[name="type"]').selectOption("SELECT");
  for (const add of await inDialog(page).locator(".more .actions button").all()) await add.click();
  await inDialog(page).locator("summary").click();
  await fits("the form");
  await page.keyboard.press("Escape");
  await closed(page);
  await open("department", page);
  for (const add of await page.locator(".rows ~ .actions button").all()) await add.click();
  await fits("department");
  await context.close();
});

test("no script error and no policy violation happened on the way", () => {
  // What the hub refuses is told by the browser as well.
  assert.deepEqual(problems.filter((text) => !/status of 4\d\d/.test(text)), []);
});
