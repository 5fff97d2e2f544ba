// The visitor's page against the real server: a whole visit, from waiting to the
// question how it was.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, tabOrder } from "./staff.mjs";
import { bubbles, stage, text, until, VisitorRig } from "./visitor-page.mjs";
import { Agent } from "./widget-site.mjs";

const XSS = "<img src=x onerror=hurt=1>";
const rig = new VisitorRig();
let hub;
let staff;
let mine;
let page;

before(async () => {
  await rig.start();
  ({ hub, staff } = rig);
  await staff.walkIn(hub.demo.lines[1], { firstName: "Zebulon", lastName: "Otherperson" });
  mine = await staff.walkIn(hub.demo.lines[1], { firstName: XSS, lastName: "Berg" });
  page = await rig.open(mine);
});

after(() => rig.stop());

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

test("answers and cards that are offered: a press says it, once, and people's text stays text", async () => {
  const agent = new Agent(hub);
  const card = { title: XSS, subtitle: `More ${XSS}`, coverImageUrl: "https://elsewhere.example/spy.png", buttons: [
    { title: `Yes ${XSS}`, type: "postback", data: "y" }, { title: "Read", type: "web_url", uri: "https://help.example/b" }] };
  const offer = { text: "Which one?", quickReplies: [{ title: `First ${XSS}` }, { title: "Second" }], templates: [card], enableFreeTextInput: false };
  const speak = async (language) => {
    await page.click("#tab-ticket");
    await page.selectOption("#language", language);
    await page.click("#tab-messages");
  };
  await page.click("#tab-messages");
  await page.fill("#text", "half a sentence");
  await agent.send(mine.id, offer);
  await page.waitForSelector(".replies .reply");
  assert.deepEqual(await page.$$eval(".replies .reply", (all) => all.map((b) => b.textContent)), [`First ${XSS}`, "Second"]);
  assert.deepEqual(await page.$$eval(".card .reply", (all) => all.map((b) => b.textContent)), [`Yes ${XSS}`, "Read"]);
  assert.equal(await page.textContent(".card-title"), XSS);
  assert.equal(await page.getAttribute(".card a", "href"), "https://help.example/b");
  assert.match(await page.getAttribute(".card a", "rel"), /noreferrer/);
  assert.deepEqual([await page.isDisabled("#text"), await page.isDisabled("#send"), await page.getAttribute("#text", "placeholder")], [true, true, "Please choose an answer"]);
  await accessible(page, "an offer");
  await page.setViewportSize({ width: 320, height: 568 });
  await page.emulateMedia({ colorScheme: "dark" });
  await speak("ar");
  await accessible(page, "an offer, ar, dark, 320 px");
  await speak("en");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.focus(".replies .reply");
  await page.keyboard.press("Enter");
  await bubbles(page, `First ${XSS}`);
  await until(page, () => !document.querySelector(".replies") && !document.getElementById("text").disabled);
  assert.equal(await page.evaluate(() => document.activeElement.id), "scroll", "who pressed it stays in the conversation");
  assert.equal(await page.inputValue("#text"), "half a sentence");
  assert.equal(await page.isDisabled(".card button.reply"), true, "answered is answered");
  await until(page, () => !document.querySelector(".own[data-outgoing]:not([data-outgoing=''])"));
  assert.equal((await staff.thread(mine.id)).filter((entry) => entry.text === `First ${XSS}`).length, 1);
  await agent.send(mine.id, { text: "Or in your own words", templates: [card], enableFreeTextInput: true });
  await page.waitForSelector(".card button.reply:not(:disabled)");
  assert.equal(await page.isDisabled("#text"), false);
  await page.click(".card button.reply:not(:disabled)");
  await bubbles(page, `Yes ${XSS}`);
  await page.waitForFunction(() => document.querySelectorAll(".card button.reply:disabled").length === 2);
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  assert.equal(await page.$("#thread img"), null, "no picture from elsewhere");
  await page.fill("#text", "");
});

test("five languages, right to left, 320 px, large text, dark: all readable", async () => {
  await page.click("#tab-ticket");
  for (const language of ["de", "es", "fr", "ar"]) {
    await page.selectOption("#language", language);
    await until(page, (l) => document.documentElement.lang === l, language);
    assert.equal(await page.getAttribute("html", "dir"), language === "ar" ? "rtl" : "ltr");
    assert.equal(await page.$eval("#text", (input) => getComputedStyle(input).direction), language === "ar" ? "rtl" : "ltr");
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
  assert.deepEqual(rig.leaks, []);
  assert.deepEqual(rig.problems, []);
});
