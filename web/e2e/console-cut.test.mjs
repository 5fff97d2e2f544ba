// The console when things go wrong: cut links, a frozen and a killed server, texts
// that want to be markup; and for everybody: axe, keyboard, five languages.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { launch, openPage, signIn, state } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { Visitor } from "./visitor.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const EVIL = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"'><svg onload=window.hacked=1>`;
const problems = [];
let hub;
let demo;
let browser;
let office;
let clerk;
let lobby;

before(async () => {
  hub = await RealHub.start();
  demo = hub.demo;
  browser = await launch();
  office = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US" });
  lobby = await browser.newContext();
  clerk = await openPage(office, demo.pages.console, problems);
  await signIn(clerk, demo.users[0]);
  await clerk.selectOption("#desk", String(demo.desks[0]));
  await clerk.evaluate(() => (window.sameDocument = true));
});

after(async () => {
  await browser?.close();
  await hub?.stop();
});

const open = async (page, id) => {
  await page.locator(`#waiting li[data-ticket="${id}"] .row-open`).click();
  await page.waitForSelector(`[data-details="${id}"]:not([hidden])`);
};
const countOf = (page, text) => page.$$eval("#entries .said", (all, t) => all.filter((e) => e.textContent.includes(t)).length, text);
const sent = (page, text) => page.waitForFunction((t) => [...document.querySelectorAll("#entries .said:not(.unsent)")].some((e) => e.textContent.includes(t)), text, { timeout: 20000 });
const same = (page) => page.evaluate(() => window.sameDocument === true);

async function axeFinds(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`);
}

test("offline: the buttons say why, what is typed stays, what is sent arrives once when the link is back", async () => {
  await open(clerk, demo.visitorTicket);
  await clerk.focus("#call-next");
  await office.setOffline(true);
  // Who comes back to the page has the link probed, as after a laptop's sleep.
  await clerk.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await clerk.waitForSelector('body:not([data-state="live"])', { timeout: 25000 });
  assert.equal(await clerk.isDisabled("#call-next"), true);
  assert.match(await clerk.textContent("#call-next-hint"), /connect/i);
  assert.match(await clerk.getAttribute("#waiting .row-call", "title"), /connect/i);
  await clerk.fill("#message", "Sent without a link");
  await clerk.press("#message", "Control+Enter");
  await clerk.fill("#message", "Half a sent");
  await clerk.waitForSelector("#entries .unsent");
  await office.setOffline(false);
  await state(clerk, "live", 30000);
  await sent(clerk, "Sent without a link");
  assert.equal(await countOf(clerk, "Sent without a link"), 1);
  assert.equal(await clerk.inputValue("#message"), "Half a sent");
  assert.ok(await same(clerk));
});

test("a draft is there after a reload, per ticket", async () => {
  await clerk.reload();
  await state(clerk, "live");
  await clerk.waitForSelector("#waiting li");
  await open(clerk, demo.visitorTicket);
  assert.equal(await clerk.inputValue("#message"), "Half a sent");
  const other = await clerk.locator("#waiting li").nth(1).getAttribute("data-ticket");
  await open(clerk, other);
  assert.equal(await clerk.inputValue("#message"), "");
  await open(clerk, demo.visitorTicket);
  assert.equal(await clerk.inputValue("#message"), "Half a sent");
  await clerk.fill("#message", "");
  await clerk.evaluate(() => (window.sameDocument = true));
});

test("kill -9 while a message is on its way: it is there, and once", async () => {
  await clerk.fill("#message", "Written as the server died");
  hub.pause();
  await clerk.press("#message", "Control+Enter");
  await clerk.waitForSelector("#entries .unsent");
  await hub.kill();
  await hub.up();
  await state(clerk, "live", 40000);
  await sent(clerk, "Written as the server died");
  assert.equal(await countOf(clerk, "Written as the server died"), 1);
  assert.ok(await same(clerk));
});

test("a frozen server: a click is neither lost nor done twice", async () => {
  const before = await clerk.$$eval("#waiting li", (rows) => rows.length);
  await clerk.fill("#add-first", "Frozen");
  hub.pause();
  await clerk.click("#add-button");
  hub.resume();
  await clerk.waitForFunction((n) => document.querySelectorAll("#waiting li").length === n + 1, before, { timeout: 15000 });
  await state(clerk, "live", 30000);
  assert.equal(await clerk.$$eval("#waiting li", (rows) => rows.filter((r) => r.textContent.includes("Frozen")).length), 1);
});

test("markup in every text of a person shows as text", async () => {
  const made = await hub.queue("POST", "/tickets", {
    lineId: demo.lines[1], firstName: "<img src=x onerror=hacked=1>", lastName: "<b>Berg</b>", email: "a@b.example", phoneNumber: "+37255500001",
  }, true);
  assert.equal(made.status, 201, JSON.stringify(made));
  const id = String(made.id);
  await clerk.locator(`#waiting li[data-ticket="${id}"]`).waitFor();
  await open(clerk, id);
  const panel = clerk.locator(`[data-details="${id}"]`);
  await panel.getByLabel("Add a label").fill("<img src=x onerror=hacked=1>");
  await clerk.keyboard.press("Enter");
  await panel.locator(".mark.label").waitFor();
  const link = await clerk.evaluate((t) => fetch(`/hub/v1/tickets/${t}/link`, { method: "POST", headers: { "X-Nowserving": "1" } }).then((r) => r.json()), id);
  const evil = await Visitor.open(lobby, demo.url, link.link.split("/t/")[1]);
  await evil.follow(id);
  await evil.say(EVIL);
  await clerk.locator("#entries .said.theirs", { hasText: "onerror" }).waitFor();
  await clerk.click("#mode-note");
  await clerk.fill("#message", EVIL);
  await clerk.click("#send");
  await clerk.locator("#entries .said.aside", { hasText: "onerror" }).waitFor();
  await clerk.click("#mode-message");
  const staff = await Visitor.open(lobby, demo.url, demo.staffToken);
  staff.ticket = id;
  await staff.command("ticket.external", { provider: "<b>crm</b>", title: EVIL, data: { [EVIL]: EVIL } });
  await staff.command("ticket.field", { title: EVIL.slice(0, 90), value: EVIL });
  await panel.locator("summary", { hasText: "Data from other systems" }).click();
  await panel.locator("dd", { hasText: "onerror" }).waitFor();
  await clerk.fill("#search", "onerror");
  await clerk.locator("#found li", { hasText: "onerror" }).first().waitFor();
  await clerk.keyboard.press("Escape");
  assert.equal(await clerk.evaluate(() => window.hacked), undefined);
  assert.equal(await clerk.locator("#work img, #work svg, #work script").count(), 0);
  await evil.page.close();
  await staff.page.close();
});

test("axe finds nothing: signed in, with a card, a conversation and dialogs, light and dark", async () => {
  await clerk.click("#call-next");
  await clerk.waitForSelector(".called.mine");
  await clerk.locator("#people summary").click();
  for (const scheme of ["light", "dark"]) {
    await clerk.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    assert.deepEqual(await axeFinds(clerk), [], scheme);
  }
  await clerk.evaluate(() => document.activeElement.blur());
  await clerk.keyboard.press("?");
  await clerk.waitForSelector("#shortcuts-dialog[open]");
  assert.deepEqual(await axeFinds(clerk), [], "shortcuts");
  await clerk.keyboard.press("Escape");
  await clerk.emulateMedia({ colorScheme: "light" });
});

test("the focus goes through the page in the order it is read, and each list is one stop", async () => {
  await clerk.evaluate(() => document.activeElement.blur());
  await clerk.focus("#search");
  const order = [];
  for (let i = 0; i < 60 && order[order.length - 1] !== "message"; i++) {
    await clerk.keyboard.press("Tab");
    order.push(await clerk.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.tagName));
  }
  const at = (id) => order.indexOf(id);
  const wanted = ["sign-out", "desk", "row-open", "add-first", "add-button", "call-next", "called-head", "talk-state", "thread", "message"];
  wanted.forEach((id, i) => assert.ok(at(id) >= 0 && (i === 0 || at(id) > at(wanted[i - 1])), `${id} in ${order.join(" ")}`));
  await clerk.evaluate(() => document.activeElement.blur());
  await clerk.keyboard.press("q");
  const first = await clerk.evaluate(() => document.activeElement.parentElement.dataset.ticket);
  await clerk.keyboard.press("ArrowDown");
  const second = await clerk.evaluate(() => document.activeElement.parentElement.dataset.ticket);
  assert.ok(first && second && first !== second);
});

test("at 320 pixels nothing is wider than the page, and every part can be reached", async () => {
  await clerk.setViewportSize({ width: 320, height: 640 });
  for (const pane of ["queue", "serve", "talk"]) {
    await clerk.click(`[data-pane-button="${pane}"]`);
    const [wide, out] = await clerk.evaluate(() => [document.documentElement.scrollWidth, [...document.querySelectorAll("main button, main input, main select")]
      .filter((e) => e.offsetParent && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.id || e.textContent)]);
    assert.ok(wide <= 320, `${pane}: ${wide}`);
    assert.deepEqual(out, [], pane);
  }
  await clerk.setViewportSize({ width: 1440, height: 900 });
});

test("five languages, one of them from right to left: all words are there, and the page is mirrored", async () => {
  for (const language of ["es", "de", "fr", "ar"]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: language });
    const page = await openPage(context, demo.pages.console, problems);
    assert.equal(await page.getAttribute("html", "lang"), language);
    await signIn(page, demo.users[1]);
    assert.equal(await page.getAttribute("html", "dir"), language === "ar" ? "rtl" : "ltr");
    await page.locator("#waiting li .row-open").first().click();
    const text = await page.innerText("#work");
    assert.equal(/Call next|Waiting|Conversations|\b(status|talk|chats|contact)\.\w/.test(text), false, language);
    if (language === "ar") {
      assert.deepEqual(await axeFinds(page), [], language);
      const [desk, talk] = await page.evaluate(() => ["desk", "chat-tabs"].map((id) => document.getElementById(id).getBoundingClientRect().left));
      assert.ok(desk > talk, "the page is mirrored");
    }
    await context.close();
  }
});

test("the password changes; signing out takes drafts and people along", async () => {
  await clerk.locator(".menu summary").click();
  await clerk.click("#change-password");
  await clerk.fill("#password-new", "a new password 1");
  await clerk.fill("#password-again", "another password");
  await clerk.click("#password-form .primary");
  await clerk.waitForFunction(() => /not the same/.test(document.getElementById("password-note").textContent));
  await clerk.fill("#password-again", "a new password 1");
  await clerk.click("#password-form .primary");
  await clerk.waitForFunction(() => /is changed/.test(document.getElementById("password-note").textContent));
  await clerk.keyboard.press("Escape");
  await clerk.fill("#message", "Secret draft");
  await clerk.click("#sign-out");
  await clerk.waitForSelector('body[data-view="sign-in"]');
  const left = await clerk.evaluate(() => document.body.innerHTML + JSON.stringify(localStorage));
  assert.equal(/.{0,60}(Secret draft|Ida Berg|Frozen|Written as).{0,20}/.exec(left)?.[0], undefined);
  await signIn(clerk, { ...demo.users[0], password: "a new password 1" });
});

test("no script error and no policy violation happened on the way", () => {
  assert.deepEqual(problems, []);
});
