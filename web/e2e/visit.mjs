// One visit on four pages at once: the website with the widget, the console, the
// board in the lobby, and the visitor's page of the same ticket on a phone.
import assert from "node:assert/strict";
import { openPage, signIn, state } from "./browser.mjs";
import { hostPage, Site, strictPolicy } from "./widget-site.mjs";
import { Staff } from "./staff.mjs";

const LIMIT = 20000;
/** A hub that was killed is up again, and its pages are back, within this. */
export const RETURN = 45000;

/** What a page shows of the thread, oldest first; what is not sent yet says so. */
const THREAD = {
  shop: () => [...document.getElementById("nowserving-widget").shadowRoot.querySelectorAll(".item")].map((e) =>
    `${e.classList.contains("own") ? "visitor" : "staff"}: ${e.querySelector(".bubble")?.textContent}${e.classList.contains("unsent") ? " (unsent)" : ""}`),
  clerk: () => [...document.querySelectorAll("#entries .said:not(.aside)")].map((e) =>
    `${e.classList.contains("theirs") ? "visitor" : "staff"}: ${e.querySelector(".said-text").textContent}${e.classList.contains("unsent") ? " (unsent)" : ""}`),
  phone: () => [...document.querySelectorAll("#thread .entry:not(.notice)")].map((e) =>
    `${e.classList.contains("own") ? "visitor" : "staff"}: ${e.querySelector(".entry-text").textContent}${e.dataset.outgoing ? " (unsent)" : ""}`),
};

/** How the visit stands on a page, in a few words that are the same on all. */
const PLACE = {
  shop: () => {
    const card = document.getElementById("nowserving-widget").shadowRoot.querySelector(".place");
    if (card.hidden) return "chat";
    const part = (name) => card.querySelector(name)?.textContent.trim() ?? "";
    const stage = card.className.replace("place place-", "").replace("new", "waiting");
    const place = part(".spot-place").replace(/ · .*/, "");
    return [stage, part(".number"), /next/i.test(place) ? "1" : place.replace(/\D/g, ""), part(".desk")].filter(Boolean).join(" ");
  },
  phone: () => {
    const part = (id) => (document.getElementById(id).checkVisibility() || document.body.dataset.view === "messages" ? document.getElementById(id).textContent : "");
    const stage = document.body.dataset.stage;
    const place = stage === "waiting" ? part("place") : "";
    return [stage, part("number"), place, part("desk")].filter(Boolean).join(" ");
  },
  clerk: (ticket) => {
    const row = document.querySelector(`#waiting li[data-ticket="${ticket}"] .row-number`);
    const card = document.querySelector(`.called.mine[data-ticket="${ticket}"]`);
    const ended = document.querySelector(`#ended li[data-ticket="${ticket}"] .row-number`);
    if (card) return `called ${card.querySelector(".called-number").textContent} ${card.querySelector(".called-to").textContent}`;
    if (row) return `waiting ${row.textContent}`;
    return ended ? `served ${ended.textContent}` : "chat";
  },
  board: (_, publicId) => {
    const waiting = /\d+/.exec(document.getElementById("waiting").textContent)?.[0] ?? "0";
    const shown = [...document.querySelectorAll("#hero[data-public-id], #rows [data-public-id]")].find((e) => publicId && e.getAttribute("data-public-id") === publicId);
    const desk = shown && /Desk \d/.exec(shown.textContent)?.[0];
    return shown ? `${waiting} waiting, ${publicId} ${desk}` : `${waiting} waiting`;
  },
};

/** Waits until read answers what is wanted; fails with the difference. */
export async function eventually(read, wanted, about, limit = LIMIT) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await read().catch((error) => error.message);
    try {
      return assert.deepEqual(found, wanted, about);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export class Visit {
  problems = [];
  contexts = {};
  pages = {};
  sockets = {};
  /** What was said by now, in the order that the hub gave it. */
  said = [];

  /** The website, the console with its clerk at the first desk, and the board; cuttable, their links can be cut. */
  static async open(hub, browser, cuttable = false) {
    const visit = new Visit();
    visit.hub = hub;
    visit.site = await Site.start();
    visit.staff = await Staff.open(browser, hub);
    visit.site.page("/", hostPage(hub.url, hub.demo.widgetKey), { "Content-Security-Policy": strictPolicy(hub.url) });
    const page = async (name, width, height, url) => {
      visit.contexts[name] = await browser.newContext({ viewport: { width, height }, locale: "en-US", reducedMotion: "reduce" });
      if (cuttable) await visit.holdSockets(name);
      visit.pages[name] = await openPage(visit.contexts[name], url, visit.problems);
      visit.pages[name].setDefaultTimeout(LIMIT);
    };
    visit.add = page;
    await page("clerk", 1440, 900, hub.demo.pages.console);
    await signIn(visit.pages.clerk, hub.demo.users[0]);
    await visit.pages.clerk.selectOption("#desk", String(hub.demo.desks[0]));
    await page("board", 1280, 720, `${hub.url}/board/${hub.demo.location}`);
    await state(visit.pages.board, "live", LIMIT);
    await page("shop", 1000, 760, `${visit.site.url}/`);
    return visit;
  }

  /** The visitor writes on the website; answers when the console has it. */
  async begin(text) {
    const { shop, clerk } = this.pages;
    await shop.click(".launcher");
    await shop.fill(".begin textarea", text);
    await shop.fill(".begin input[type=text]", "Mia");
    await shop.keyboard.press("Enter");
    await shop.waitForSelector(".own .bubble");
    this.session = JSON.parse(await shop.evaluate((name) => localStorage.getItem(name), `nowserving.${this.hub.demo.widgetKey}.session`));
    this.ticket = this.session.ticket;
    this.said.push(`visitor: ${text}`);
    await clerk.click("#chats-unassigned");
    return clerk.locator(`#chats-list li[data-chat="${this.ticket}"]`);
  }

  /** The visitor's page of the same ticket, by the link that staff hand out. */
  async openPhone() {
    const link = await this.staff.link(this.ticket);
    this.phoneToken = link.split("/t/")[1];
    await this.add("phone", 390, 844, link);
    await state(this.pages.phone, "live", LIMIT);
    await this.pages.phone.click("#tab-messages");
  }

  /** A mark that a reload would wipe out, on all pages. */
  mark() {
    return Promise.all(Object.values(this.pages).map((page) => page.evaluate(() => { window.sameDocument = true; })));
  }

  async notReloaded() {
    for (const [name, page] of Object.entries(this.pages)) assert.equal(await page.evaluate(() => window.sameDocument), true, `${name} was loaded again`);
  }

  /** Types and sends on a page, as a person does. */
  async write(name, text) {
    const page = this.pages[name];
    if (name === "phone") await page.click("#tab-messages");
    const [field, key] = { shop: [".composer textarea", "Enter"], clerk: ["#message", "Control+Enter"], phone: ["#text", ""] }[name];
    await page.fill(field, text);
    await (key ? page.press(field, key) : page.click("#send"));
    return `${name === "clerk" ? "staff" : "visitor"}: ${text}`;
  }

  /** Says something, and sees it once on every page. */
  async say(name, text) {
    this.said.push(await this.write(name, text));
    await this.threads();
  }

  thread(name) {
    return this.pages[name].evaluate(THREAD[name]);
  }

  /** The thread as the hub keeps it. */
  async kept() {
    return (await this.staff.thread(this.ticket)).filter((t) => t.type === "Message")
      .map((t) => `${t.fromParticipant.type === "Client" ? "visitor" : "staff"}: ${t.text}`);
  }

  /** Every page shows exactly what was said, each entry once, in one order. */
  async threads(limit) {
    for (const name of Object.keys(THREAD)) {
      if (this.pages[name]) await eventually(() => this.thread(name), this.said, `the thread on ${name}`, limit);
    }
    assert.deepEqual(await this.kept(), this.said, "the thread that is kept");
  }

  /**
   * After a cut the order is the hub's: what was written meanwhile arrived once,
   * behind what was there, and all pages show it alike.
   */
  async arrived(written, limit) {
    const wanted = [...this.said, ...[...written].sort()];
    const sorted = async () => {
      const kept = await this.kept();
      return [...kept.slice(0, this.said.length), ...kept.slice(this.said.length).sort()];
    };
    await eventually(sorted, wanted, "what the hub has of it", limit);
    this.said = await this.kept();
    await this.threads(limit);
  }

  /** How the visit stands on the pages; given by name. */
  async shows(wanted, limit) {
    for (const [name, words] of Object.entries(wanted)) {
      await eventually(() => this.pages[name].evaluate(`(${PLACE[name]})(${JSON.stringify(this.ticket ?? "")}, ${JSON.stringify(this.publicId ?? "")})`), words, name, limit);
    }
  }

  /** Puts a hand on a page's sockets: a browser that goes offline leaves those open that it has. */
  holdSockets(name) {
    const held = (this.sockets[name] = { away: false, open: new Set() });
    return this.contexts[name].routeWebSocket(/\/ws$/, (socket) => {
      if (held.away) return void socket.close();
      socket.connectToServer();
      held.open.add(socket);
    });
  }

  async cut(name) {
    await this.contexts[name].setOffline(true);
    const held = this.sockets[name];
    held.away = true;
    for (const socket of held.open) await socket.close();
    held.open.clear();
  }

  async back(name) {
    this.sockets[name].away = false;
    await this.contexts[name].setOffline(false);
  }

  async close() {
    await this.site?.stop();
  }
}
