// A whole visit, from a website's chat to the lobby to served, with four pages
// open at once, each right at every step.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openPage, signIn } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { eventually, Visit } from "./visit.mjs";

const LATENCY_ROUNDS = 15;
let hub;
let browser;
let visit;

before(async () => {
  hub = await RealHub.start();
  browser = await launch();
  visit = await Visit.open(hub, browser);
});

after(async () => {
  await browser?.close();
  await visit?.close();
  await hub?.stop();
});

test("a message from the website is unread on the console; a clerk takes it and answers", async () => {
  const { clerk, shop } = visit.pages;
  await visit.shows({ board: "3 waiting" });
  const chat = await visit.begin("Can I collect my passport today?");
  await eventually(() => chat.locator(".badge").textContent(), "1", "unread");
  await eventually(() => clerk.title(), "(1) City Hall", "the console's title");
  await chat.locator(".row-open").click();
  await clerk.click("#talk-take");
  await clerk.click("#chats-mine");
  const mine = clerk.locator(`#chats-list li[data-chat="${visit.ticket}"]`);
  await mine.waitFor();
  await clerk.bringToFront();
  await eventually(() => mine.locator(".badge").isHidden(), true, "read");
  await visit.openPhone();
  await visit.mark();
  await visit.threads();
  await visit.say("clerk", "Yes, come in and take a number.");
  await visit.say("phone", "On the phone now.");
  await visit.shows({ shop: "chat", phone: "chat", clerk: "chat", board: "3 waiting" });
});

test("the visitor joins a line: all four pages have the number, and the place as others are called", async () => {
  const { shop, clerk } = visit.pages;
  await shop.click(".lines-thread summary");
  await shop.click(".lines-thread .line:first-of-type");
  const row = clerk.locator(`#waiting li[data-ticket="${visit.ticket}"]`);
  visit.publicId = await row.locator(".row-number").textContent();
  const id = visit.publicId;
  await visit.shows({ shop: `waiting ${id} 2`, phone: `waiting ${id} 2`, clerk: `waiting ${id}`, board: "4 waiting" });
  await visit.say("shop", "I have a number now.");
  await clerk.click("#call-next"); // Ida, who was there before
  await visit.shows({ shop: `waiting ${id} 1`, phone: `waiting ${id} 1`, clerk: `waiting ${id}`, board: "3 waiting" });
});

test("the call is on the board, the website and the phone, with number and desk; \"On my way\" is on the card", async () => {
  const { phone, clerk, shop } = visit.pages;
  const id = visit.publicId;
  await clerk.locator(`#waiting li[data-ticket="${visit.ticket}"] .row-call`).click();
  await visit.shows({ board: `2 waiting, ${id} Desk 1`, shop: `called ${id} Desk 1`, phone: `called ${id} Desk 1`, clerk: `called ${id} Desk 1` });
  await phone.click("#tab-ticket");
  await phone.click("#on-my-way");
  const card = clerk.locator(`.called.mine[data-ticket="${visit.ticket}"]`);
  await card.waitFor();
  await eventually(() => card.locator(".called-answer").textContent(), "Says: on the way", "the card");
  await eventually(async () => /on your way/.test(await shop.textContent(".answered")), true, "the answer on the website");
  await visit.say("clerk", "See you at the desk.");
});

test("each message is on the other pages at once", async (t) => {
  const { shop, clerk, phone } = visit.pages;
  await phone.click("#tab-messages");
  const watch = (page) => page.evaluate(() => {
    const root = document.getElementById("nowserving-widget")?.shadowRoot ?? document.body;
    window.seen = {};
    new MutationObserver(() => root.querySelectorAll(".bubble, .said-text").forEach((e) => { window.seen[e.textContent] = window.seen[e.textContent] || Date.now(); }))
      .observe(root, { subtree: true, childList: true, characterData: true });
  });
  await Promise.all([shop, clerk, phone].map(watch));
  const seen = (page, text) => page.waitForFunction((w) => window.seen[w], text, { polling: 10 }).then((h) => h.jsonValue());
  const press = (page, [field, form], text) => page.evaluate(([f, s, w]) => {
    const root = document.getElementById("nowserving-widget")?.shadowRoot ?? document;
    root.querySelector(f).value = w;
    root.querySelector(f).dispatchEvent(new Event("input", { bubbles: true }));
    const at = Date.now();
    root.querySelector(s).requestSubmit();
    return at;
  }, [field, form, text]);
  const times = { "website to clerk": [], "website to phone": [], "clerk to website": [], "clerk to phone": [] };
  for (let i = 0; i < LATENCY_ROUNDS; i++) {
    const there = await press(shop, [".composer textarea", ".composer"], `there ${i}`);
    times["website to clerk"].push((await seen(clerk, `there ${i}`)) - there);
    times["website to phone"].push((await seen(phone, `there ${i}`)) - there);
    const back = await press(clerk, ["#message", "#composer"], `back ${i}`);
    times["clerk to website"].push((await seen(shop, `back ${i}`)) - back);
    times["clerk to phone"].push((await seen(phone, `back ${i}`)) - back);
    visit.said.push(`visitor: there ${i}`, `staff: back ${i}`);
  }
  await visit.threads();
  for (const [way, all] of Object.entries(times)) {
    const median = all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
    t.diagnostic(`${way}: median ${median} ms, worst ${all[all.length - 1]} ms`);
    // What is promised is 100 ms; how fast this machine is now is no verdict.
    assert.ok(median > 0, `${way}: nothing was measured`);
  }
});

test("served: the website and the phone ask how it was, and one answer is enough", async () => {
  const { shop, clerk, phone } = visit.pages;
  const id = visit.publicId;
  await clerk.click("summary:has-text('Ended')");
  await clerk.locator(`.called.mine[data-ticket="${visit.ticket}"]`).getByRole("button", { name: "Served", exact: true }).click();
  await visit.shows({ shop: `served ${id}`, phone: `served ${id}`, clerk: `served ${id}`, board: `2 waiting, ${id} Desk 1` });
  await phone.click("#tab-ticket");
  await phone.waitForSelector("#survey:not([hidden])");
  await shop.click(".stars label:nth-of-type(5)");
  await shop.fill(".survey textarea", "Quick and kind");
  await shop.click(".survey .strong");
  await shop.waitForSelector(".thanks");
  const answers = (await visit.staff.thread(visit.ticket)).filter((t) => t.type === "SurveyAnswered");
  assert.equal(answers.length, 1);
  const again = await fetch(`${hub.url}/hub/v1/visit/survey`, {
    method: "POST", headers: { Authorization: `Bearer ${visit.phoneToken}`, "Content-Type": "application/json" }, body: JSON.stringify({ rating: 1 }),
  });
  assert.equal(again.status, 409, "a second opinion on one visit");
  await phone.waitForSelector("#survey", { state: "hidden" });
  // What was answered is for staff; the conversation itself is as it was.
  await eventually(() => visit.thread("clerk"), [...visit.said, "visitor: 5/5\nQuick and kind"], "the answer on the console");
  for (const name of ["shop", "phone"]) assert.deepEqual(await visit.thread(name), visit.said, name);
  await visit.notReloaded();
});

test("two consoles press Call next together: two people are called, each to one desk", async () => {
  const { clerk, board } = visit.pages;
  const office = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US" });
  const second = await openPage(office, hub.demo.pages.console, visit.problems);
  await signIn(second, hub.demo.users[1]);
  await second.selectOption("#desk", String(hub.demo.desks[1]));
  const called = (page) => page.$$eval(".called.mine", (all) => all.map((e) => e.dataset.ticket));
  for (let round = 0; round < 3; round++) {
    const made = [await visit.staff.walkIn(hub.demo.lines[1]), await visit.staff.walkIn(hub.demo.lines[1])];
    for (const page of [clerk, second]) await page.waitForSelector(`#waiting li[data-ticket="${made[1].id}"]`);
    const first = await clerk.$$eval("#waiting li", (rows) => rows.slice(0, 2).map((row) => row.dataset.ticket));
    await Promise.all([clerk, second].map((page) => page.waitForSelector('#call-next:not([disabled]):not([aria-busy="true"])')));
    await Promise.all([clerk, second].map((page) => page.evaluate(() => document.getElementById("call-next").click())));
    // Each has one of the two who were first, and not the same one.
    await eventually(async () => [...await called(clerk), ...await called(second)].sort(), [...first].sort(), `round ${round}`);
    assert.equal((await called(clerk)).length, 1);
    for (const id of first) {
      const { publicId } = await clerk.evaluate((ticket) => ({ publicId: document.querySelector(`.called[data-ticket="${ticket}"] .called-number`).textContent }), id);
      await board.waitForSelector(`[data-public-id="${publicId}"]`);
    }
  }
  await office.close();
});

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(visit.problems, []);
});
