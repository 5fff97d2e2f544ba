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
  await eventually(() => card.locator(".called-answer").textContent(), "Says: on the way", "the card");
  await eventually(async () => /on your way/.test(await shop.textContent(".answered")), true, "the answer on the website");
  await visit.say("clerk", "See you at the desk.");
});

test("served: the board forgets, the website and the phone ask how it was, and one answer is enough", async () => {
  const { shop, clerk, phone } = visit.pages;
  const id = visit.publicId;
  await clerk.locator(`.called.mine[data-ticket="${visit.ticket}"]`).getByRole("button", { name: "Served", exact: true }).click();
  await visit.shows({ shop: `served ${id}`, phone: `served ${id}`, clerk: `served ${id}`, board: "2 waiting" });
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
  await visit.threads();
  await visit.notReloaded();
});
