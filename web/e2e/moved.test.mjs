// A conversation that is moved to another department takes its visitor along: on
// the visitor's page and in the widget, without a reload, with what was said.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bubbles, token, until, VisitorRig } from "./visitor-page.mjs";
import { Staff } from "./staff.mjs";
import { bubbles as said, says, WidgetRig, write } from "./widget-guest.mjs";

const rig = new WidgetRig();
const phone = new VisitorRig();
let hub;
let staff;

before(async () => {
  await rig.start();
  ({ hub } = rig);
  Object.assign(phone, { hub, browser: rig.browser });
  phone.phone = await phone.another();
  staff = await Staff.open(rig.browser, hub);
});

after(() => rig.stop());

const move = async (ticket) => String((await rig.agent.call("PUT", `tickets/setdepartment/${ticket}`, { departmentId: hub.demo.departmentId2 })).ticketId);

test("the widget goes along: the history is there, both sides are heard, a reload stays there", async () => {
  const page = await rig.visitor();
  const ticket = await rig.begin(page, "Where is my parcel?");
  await rig.agent.send(ticket, "One moment.");
  await says(page, "theirs", "One moment.");
  await page.evaluate(() => { window.sameDocument = true; });
  await page.fill(".composer textarea", "half a sen");
  const moved = await move(ticket);
  await until(page, ([name, id]) => JSON.parse(localStorage.getItem(name)).ticket === id, [`nowserving.${rig.key}.session`, moved]);
  await staff.command("message.send", { ticket: moved, text: "The harbour has it." });
  await says(page, "theirs", "The harbour has it.");
  assert.deepEqual(await said(page, "own"), ["Where is my parcel?"]);
  assert.deepEqual(await said(page, "theirs"), ["One moment.", "The harbour has it."]);
  assert.equal(await page.inputValue(".composer textarea"), "half a sen");
  await write(page, "Thank you");
  await until(page, () => document.querySelector("#nowserving-widget").shadowRoot.querySelectorAll(".own .bubble").length === 2);
  await staff.thread(moved).then((thread) => assert.ok(thread.some((entry) => entry.text === "Thank you")));
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/widget.png` });
  await page.reload();
  await says(page, "theirs", "The harbour has it.");
  await page.context().close();
});

test("a widget that was away meanwhile finds its way, though its link was used on another page", async () => {
  const page = await rig.visitor();
  const ticket = await rig.begin(page, "Anybody there?");
  const { token: own } = JSON.parse(await page.evaluate((name) => localStorage.getItem(name), `nowserving.${rig.key}.session`));
  await page.context().setOffline(true);
  const moved = await move(ticket);
  const visit = await fetch(`${hub.url}/hub/v1/visit`, { headers: { Authorization: `Bearer ${own}` } }).then((r) => r.json());
  assert.equal(visit.ticket.id, moved);
  await page.context().setOffline(false);
  await staff.command("message.send", { ticket: moved, text: "Here we are." });
  await says(page, "theirs", "Here we are.");
  await page.context().close();
});

test("the visitor's page goes along, with what was typed", async () => {
  const begun = await fetch(`${hub.url}/hub/v1/widget/${rig.key}/tickets`, {
    method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": "visitor-page-0123456789" }, body: JSON.stringify({ text: "Is it open?" }),
  }).then((r) => r.json());
  const page = await phone.open({ link: `${hub.url}/t/${begun.token}` });
  assert.equal(token(page.url()), begun.token);
  await page.click("#tab-messages");
  await page.fill("#text", "half a sen");
  await bubbles(page, "Is it open?");
  const moved = await move(begun.ticket);
  await until(page, (where) => document.getElementById("location").textContent === where, "Harbour Office");
  await staff.command("message.send", { ticket: moved, text: "It is open." });
  await bubbles(page, "It is open.");
  await bubbles(page, "Is it open?");
  assert.equal(await page.inputValue("#text"), "half a sen");
  await page.fill("#text", "I am coming");
  await page.click("#send");
  await until(page, () => /Delivered/.test([...document.querySelectorAll(".own .entry-state")].pop().textContent));
  assert.ok((await staff.thread(moved)).some((entry) => entry.text === "I am coming"));
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/visitor.png` });
  await page.reload();
  await bubbles(page, "I am coming");
  assert.deepEqual(phone.problems, []);
});
