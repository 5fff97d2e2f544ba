// The visitor's page when the line is cut, and when the link is used for what it
// is not for, or does not work any more.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, state } from "./browser.mjs";
import { accessible, Staff } from "./staff.mjs";
import { bubbles, stage, text, token, until, VisitorRig } from "./visitor-page.mjs";

const rig = new VisitorRig();
let hub;
let staff;
let mine;
let page;

const same = async (on) => assert.ok(await on.evaluate(() => window.sameDocument === true), "the page was loaded again");

before(async () => {
  await rig.start();
  ({ hub, staff } = rig);
});

after(() => rig.stop());

test("offline: nothing typed is lost, nothing happens twice, and it is back without a reload", async () => {
  const other = await staff.walkIn(hub.demo.lines[2], { firstName: "Cut" });
  const away = await rig.another();
  page = await rig.open(other, away);
  mine = other;
  await page.click("#tab-messages");
  await away.setOffline(true);
  await page.waitForSelector('body:not([data-state="live"])', { timeout: 20000 });
  await page.fill("#text", "written offline");
  await page.click("#send");
  await page.fill("#text", "half a sentence");
  await staff.command("ticket.call", { ticket: mine.id, desk: hub.demo.desks[0] });
  await away.setOffline(false);
  await state(page, "live");
  await stage(page, "called");
  await bubbles(page, "written offline");
  await until(page, () => /Delivered|Read/.test(document.querySelector(".own .entry-state").textContent));
  assert.equal(await page.inputValue("#text"), "half a sentence");
  assert.equal((await staff.thread(mine.id)).filter((entry) => entry.text === "written offline").length, 1);
  await same(page);
});

test("kill -9 in the middle of a message: it arrives once", async () => {
  await page.click("#tab-messages");
  await hub.kill();
  await page.fill("#text", "written while it was down");
  await page.click("#send");
  await hub.up();
  await state(page, "live", 40000);
  await bubbles(page, "written while it was down");
  await until(page, () => [...document.querySelectorAll(".own .entry-state")].every((e) => /Delivered|Read/.test(e.textContent)));
  assert.equal((await staff.thread(mine.id)).filter((entry) => entry.text === "written while it was down").length, 1);
  await same(page);
});

test("a frozen server: the page says since when it is not current, and what it took arrives once", async () => {
  hub.pause();
  await page.fill("#text", "written to a frozen hub");
  await page.click("#send");
  await state(page, "stale", 17000);
  assert.match(await text(page, "strip"), /Last update \d\d:\d\d:\d\d/);
  assert.equal(await page.isDisabled("#on-my-way"), true);
  await accessible(page, "stale");
  hub.resume();
  await state(page, "live", 30000);
  assert.equal(await text(page, "strip"), "");
  await bubbles(page, "written to a frozen hub");
  await until(page, () => [...document.querySelectorAll(".own .entry-state")].every((e) => /Delivered|Read/.test(e.textContent)));
  assert.equal((await staff.thread(mine.id)).filter((entry) => entry.text === "written to a frozen hub").length, 1);
  await same(page);
});

test("leaving asks first, can be taken back before and not after", async () => {
  const leaver = await staff.walkIn(hub.demo.lines[2], { firstName: "Leaver" });
  const leaving = await rig.open(leaver);
  await leaving.click("#leave");
  assert.match(await text(leaving, "confirm-text"), /cannot be undone/);
  await accessible(leaving, "leaving");
  await leaving.keyboard.press("Escape");
  assert.equal(await leaving.isVisible("#confirm"), false);
  assert.equal(await leaving.evaluate(() => document.activeElement.id), "leave");
  await leaving.click("#leave");
  await leaving.click("#confirm-yes");
  await stage(leaving, "left");
  assert.equal(await leaving.isVisible("#actions"), false);
  await accessible(leaving, "left");
  await leaving.close();
});

test("a link opens one ticket and nothing else", async () => {
  const other = await staff.walkIn(hub.demo.lines[0], { firstName: "Other" });
  const visitor = await Staff.open(rig.browser, hub, token(mine.link));
  for (const channel of [`ticket:${other.id}`, `board:${hub.demo.location}`, `console:${hub.demo.location}`, "display:1", "ticket:999999"]) {
    const answer = await visitor.frame("subscribe", { channel });
    assert.match(answer.error?.code || "let in", /^(forbidden|not_found)$/, channel);
  }
  for (const [name, params] of [
    ["ticket.call", { ticket: mine.id, desk: 1 }], ["ticket.serve", { ticket: mine.id }], ["ticket.cancel", { ticket: other.id }],
    ["ticket.answer", { ticket: other.id, answer: "onMyWay" }], ["message.send", { ticket: other.id, text: "x" }], ["message.read", { ticket: other.id, upTo: 1 }],
    ["note.add", { ticket: mine.id, text: "x" }], ["ticket.erase", { ticket: mine.id }], ["ticket.create", { line: 1 }], ["ticket.edit", { ticket: mine.id, firstName: "x" }],
  ]) {
    const answer = await visitor.frame("command", { name, key: `${name}-${Math.random()}`, params });
    assert.match(answer.error?.code || "done", /^(forbidden|not_found)$/, name);
  }
  for (const path of ["/hub/v1/locations", `/hub/v1/tickets/${other.id}/transactions`, `/hub/v1/tickets/${mine.id}/transactions`, "/hub/v1/kiosk", "/hub/v1/texts", "/v1/tickets/search"]) {
    const { status } = await visitor.http("GET", path);
    assert.ok([401, 403, 404].includes(status), `${path} answered ${status}`);
  }
  await visitor.page.close();
});

test("after an erasure the link says so kindly, and shows nothing", async () => {
  await page.click("#tab-messages");
  await page.fill("#text", "half a sentence");
  assert.notEqual(await page.evaluate(() => sessionStorage.length), 0);
  const erased = await hub.queue("DELETE", `/v1/tickets/${mine.id}`).catch(() => undefined);
  if (!erased || erased.status >= 400) await staff.command("ticket.erase", { ticket: mine.id });
  await page.waitForSelector('body[data-page="gone"]', { timeout: 15000 });
  assert.match(await text(page, "gone-title"), /no longer works/);
  assert.equal(/written|Cut|half a sentence/.test(await page.content()), false);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await accessible(page, "gone");
  const again = await openPage(rig.phone, mine.link, rig.problems);
  await again.waitForSelector('body[data-page="gone"]');
  const wrong = await openPage(rig.phone, `${hub.url}/t/ns_vis_0000000000000000000000`, rig.problems);
  await wrong.waitForSelector('body[data-page="gone"]');
});

test("no token left the page, and no error happened", async () => {
  assert.deepEqual(rig.leaks, []);
  assert.deepEqual(rig.problems, []);
});
