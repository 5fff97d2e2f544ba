// The visitor's page against the real server: a whole visit, from waiting to the
// question how it was.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openPage, state } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { accessible, Staff, tabOrder, watchLeaks } from "./staff.mjs";

const XSS = "<img src=x onerror=hurt=1>";
const problems = [];
const links = [];
let hub;
let browser;
let staff;
let phone;
let leaks;
let mine;
let page;

const stage = (on, wanted) => on.waitForSelector(`body[data-stage="${wanted}"]`, { timeout: 15000 });
const text = (on, id) => on.textContent(`#${id}`);
const until = (on, check, arg, timeout = 15000) => on.waitForFunction(check, arg, { timeout, polling: 50 });
const bubbles = (on, words) => until(on, (w) => [...document.querySelectorAll(".entry-text")].filter((e) => e.textContent === w).length === 1, words);
const token = (link) => link.split("/t/")[1];

async function open(visit, context = phone) {
  links.push(token(visit.link));
  const opened = await openPage(context, visit.link, problems);
  opened.setDefaultTimeout(10000);
  await opened.waitForSelector('body[data-page="ticket"]', { timeout: 20000 });
  await state(opened, "live", 20000);
  return opened;
}

before(async () => {
  hub = await RealHub.start();
  browser = await launch();
  phone = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en-US" });
  leaks = watchLeaks(phone, () => links);
  staff = await Staff.open(browser, hub);
  await staff.walkIn(hub.demo.lines[1], { firstName: "Zebulon", lastName: "Otherperson" });
  mine = await staff.walkIn(hub.demo.lines[1], { firstName: XSS, lastName: "Berg" });
  page = await open(mine);
});

after(async () => {
  await browser?.close();
  await hub?.stop();
});

test("the number, the place and as of when; nothing about anybody else", async () => {
  assert.equal(await text(page, "number"), mine.publicId);
  assert.equal(await text(page, "location"), "City Hall");
  assert.match(await text(page, "place"), /^\d+$/);
  assert.match(await text(page, "as-of"), /^As of \d\d:\d\d:\d\d$/);
  const content = await page.content();
  assert.equal(content.includes("Zebulon") || content.includes("Otherperson"), false);
});

test("the place changes by itself when somebody in front is called", async () => {
  const before = Number(await text(page, "place"));
  const front = await staff.command("ticket.callNext", { lines: [hub.demo.lines[1]], desk: hub.demo.desks[3] });
  await until(page, (n) => Number(document.getElementById("place").textContent) === n - 1, before);
  await staff.command("ticket.serve", { ticket: front.ticket.id });
});

test("a message arrives on the other side once, and shows how far it has come", async () => {
  await page.click("#tab-messages");
  await page.fill("#text", `Hello ${XSS}`);
  await page.click("#send");
  await bubbles(page, `Hello ${XSS}`);
  await until(page, () => /Delivered/.test(document.querySelector(".own .entry-state").textContent));
  const thread = await staff.thread(mine.id);
  assert.equal(thread.filter((entry) => entry.text === `Hello ${XSS}`).length, 1);
  const clerk = hub.demo.users[0].id;
  await staff.command("conversation.owner", { ticket: mine.id, user: clerk });
  await staff.frame("signal", { channel: `ticket:${mine.id}`, name: "typing" });
});

test("an answer is counted until it is seen; links in it are safe", async () => {
  await page.click("#tab-ticket");
  await staff.command("message.send", { ticket: mine.id, text: `See https://help.example/a ${XSS}` });
  await until(page, () => document.getElementById("badge").textContent === "1");
  await accessible(page, "unread");
  await page.click("#tab-messages");
  await bubbles(page, `See https://help.example/a ${XSS}`);
  await until(page, () => document.getElementById("badge").hidden);
  const link = await page.getAttribute(".theirs a", "rel");
  assert.match(link, /noreferrer/);
  assert.equal(await page.getAttribute(".theirs a", "href"), "https://help.example/a");
  await accessible(page, "messages");
});

test("a file goes up, is checked, and comes back", async () => {
  await page.setInputFiles("#file", { name: "<b>note</b>.txt", mimeType: "text/plain", buffer: Buffer.from("hello") });
  await until(page, () => document.querySelector(".chip-state")?.textContent === "ready");
  await page.fill("#text", "with a file");
  await page.click("#send");
  await page.waitForSelector(".own .file", { timeout: 10000 });
  await page.waitForSelector(".own .file-open", { timeout: 20000 });
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(".own .file-open")]);
  assert.equal((await (await download.createReadStream()).toArray()).join(""), "hello");
  await page.setInputFiles("#file", { name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) });
  assert.match(await text(page, "composer-note"), /empty/);
});

test("five languages, right to left, 320 px, large text, dark: all readable", async () => {
  await page.click("#tab-ticket");
  for (const language of ["de", "es", "fr", "ar"]) {
    await page.selectOption("#language", language);
    await until(page, (l) => document.documentElement.lang === l, language);
    assert.equal(await page.getAttribute("html", "dir"), language === "ar" ? "rtl" : "ltr");
    await accessible(page, language);
  }
  await page.setViewportSize({ width: 320, height: 568 });
  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page, "ar, dark, 320 px");
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  await page.selectOption("#language", "de");
  await accessible(page, "de, dark, 320 px, large text");
  await page.click("#tab-messages");
  await accessible(page, "messages, dark, 320 px, large text");
  assert.ok(await page.isVisible("#send"));
  await page.click("#tab-ticket");
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
  await page.selectOption("#language", "en");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "light" });
});

test("Tab goes through the page as it reads", async () => {
  assert.deepEqual(await tabOrder(page), ["need-time", "leave", "sound-button", "language", "tab-ticket", "tab-messages"]);
});

test("five minutes more: the place is kept, and the clerk knows", async () => {
  await page.click("#need-time");
  await until(page, () => /Your place is kept/.test(document.getElementById("answered").textContent));
  assert.equal(await page.isDisabled("#need-time"), true);
  await page.click("#on-my-way"); // "I am ready now"
  await until(page, () => document.getElementById("answered").textContent === "");
});

test("a call: where to go, ring and title, also while nobody looks; a recall rings again", async () => {
  await page.click("#tab-messages");
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
    window.titles = new Set();
    new MutationObserver(() => window.titles.add(document.title)).observe(document.querySelector("title"), { childList: true });
  });
  await staff.command("ticket.call", { ticket: mine.id, desk: hub.demo.desks[2] });
  await stage(page, "called");
  assert.equal(await page.getAttribute("body", "data-view"), "ticket", "a call is not hidden behind the messages");
  assert.match(await text(page, "desk"), /Desk 3/);
  assert.match(await text(page, "announce"), new RegExp(`${mine.publicId}, Desk 3`));
  await page.waitForSelector('body[data-ringing="yes"]');
  await until(page, () => [...window.titles].some((t) => /your turn/.test(t)) && [...window.titles].some((t) => /Desk 3/.test(t)));
  await page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await accessible(page, "called");
  await page.click("#silence");
  await page.waitForSelector('body[data-ringing="no"]');
  await staff.command("ticket.recall", { ticket: mine.id });
  await page.waitForSelector('body[data-ringing="yes"]');
  assert.match(await text(page, "stage"), /again/);
});

test("on my way: it stops ringing, and the clerk knows", async () => {
  await page.click("#on-my-way");
  await until(page, () => /on your way/.test(document.getElementById("answered").textContent));
  await page.waitForSelector('body[data-ringing="no"]');
  assert.equal(await page.isHidden("#leave"), true);
});

test("when it is over it asks once how it was", async () => {
  await staff.command("ticket.serve", { ticket: mine.id });
  await stage(page, "served");
  await page.waitForSelector("#survey:not([hidden])");
  await accessible(page, "survey");
  await page.click('#survey button[type="submit"]');
  assert.match(await text(page, "survey-note"), /stars/);
  await page.click(".star:nth-of-type(4)");
  await page.fill("#survey textarea", XSS);
  await page.click('#survey button[type="submit"]');
  await page.waitForSelector(".survey-thanks");
  await page.reload();
  await stage(page, "served");
  assert.equal(await page.isHidden("#survey"), true);
  await page.close();
});

test("no token left the page, no foreign code ran, no error happened", async () => {
  assert.deepEqual(leaks, []);
  assert.deepEqual(problems, []);
});
