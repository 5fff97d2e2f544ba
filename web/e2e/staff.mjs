// What the browser tests of visitors' pages need from the other side: a clerk who
// acts over the socket, links to tickets, and looks at a page with axe.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** A socket in a page of its own: this Node has none. */
export class Staff {
  static async open(browser, hub, token = hub.demo.staffToken) {
    const staff = new Staff();
    staff.hub = hub;
    staff.token = token;
    staff.page = await (await browser.newContext()).newPage();
    return staff;
  }

  /** One frame on a connection of its own; answers the reply or error. */
  async frame(verb, body) {
    if (!this.page.url().startsWith(this.hub.url)) await this.page.goto(`${this.hub.url}/healthz`);
    return this.page.evaluate(({ token, verb, body }) => new Promise((resolve, reject) => {
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`, "nowserving.v1");
      socket.onopen = () => socket.send(JSON.stringify({ id: 1, connect: { token, name: "test/1.0" } }));
      socket.onerror = () => reject(new Error("no socket"));
      // A refused credential is told by the close code alone.
      socket.onclose = (event) => resolve({ error: { code: `closed ${event.code}` } });
      socket.onmessage = (event) => {
        const answer = JSON.parse(event.data);
        if (answer.id === 1 && answer.error) resolve(answer);
        if (answer.id === 1) socket.send(JSON.stringify({ id: 2, [verb]: body }));
        if (answer.id === 2) {
          socket.onclose = null;
          socket.close();
          resolve(answer);
        }
      };
    }), { token: this.token, verb, body });
  }

  /** A command that has to succeed. */
  async command(name, params) {
    const answer = await this.frame("command", { name, key: `${name}-${Date.now()}-${Math.random()}`, params });
    assert.equal(answer.error, undefined, `${name}: ${JSON.stringify(answer.error)}`);
    return answer.reply;
  }

  async http(method, path, body) {
    const headers = { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" };
    const response = await fetch(this.hub.url + path, { method, headers, body: body && JSON.stringify(body) });
    return { status: response.status, body: await response.json().catch(() => undefined) };
  }

  /** A new ticket, and the link to its visitor's page. */
  async walkIn(line, fields = {}) {
    const { ticket } = await this.command("ticket.create", { line, ...fields });
    return { id: ticket.id, publicId: ticket.publicId, link: await this.link(ticket.id) };
  }

  async link(ticket) {
    const { status, body } = await this.http("POST", `/hub/v1/tickets/${ticket}/link`);
    assert.equal(status, 201, JSON.stringify(body));
    return body.link;
  }

  /** The newest entries of a ticket's thread, as staff see them. */
  async thread(ticket) {
    const { status, body } = await this.http("GET", `/hub/v1/tickets/${ticket}/transactions`);
    assert.equal(status, 200, JSON.stringify(body));
    return body.transactions;
  }
}

/** Nothing wrong by WCAG 2.2 AA, and nothing wider than the page. */
export async function accessible(page, about) {
  // Colours in motion are neither the one nor the other.
  await page.evaluate(() => Promise.all(document.getAnimations()
    .filter((a) => a.effect.getComputedTiming().iterations !== Infinity).map((a) => a.finished.catch(() => undefined))));
  await page.evaluate(axe);
  const found = await page.evaluate((only) => window.axe.run(document, { runOnly: only }), RULES);
  assert.deepEqual(found.violations.map((v) => `${about}: ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`), []);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${about} is ${over} px too wide`);
}

/** Where Tab leads, by id, until it comes round. */
export async function tabOrder(page, most = 30) {
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  const order = [];
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const id = await page.evaluate(() => document.activeElement === document.body ? "" : document.activeElement.id || document.activeElement.className + (document.activeElement.dataset.line || ""));
    if (id === "" || order.includes(id)) break;
    order.push(id);
  }
  return order;
}

/** Everything that a page asks for must not say where it is. */
export function watchLeaks(context, secrets) {
  const leaks = [];
  context.on("request", (request) => {
    const referer = request.headers()["referer"] || "";
    const navigation = request.isNavigationRequest();
    for (const secret of secrets()) {
      if (referer.includes(secret) || (!navigation && request.url().includes(secret))) leaks.push(`${request.url()} from ${referer}`);
    }
  });
  return leaks;
}

/** Changes how people take numbers, as an administrator does. */
export async function visitors(admin, change) {
  const path = `/hub/v1/locations/${admin.hub.demo.location}/visitors`;
  const { body } = await admin.http("GET", path);
  const { status, body: answer } = await admin.http("PUT", path, { ...body, ...change });
  assert.equal(status, 200, JSON.stringify(answer));
}

/** The tickets that the hub has by a first name. */
export async function tickets(hub, firstName) {
  const found = await hub.queue("GET", `/v1/tickets/search?location=${hub.demo.location}&limit=200`);
  assert.equal(found.statusCode, 200, JSON.stringify(found).slice(0, 200));
  return found.data.filter((ticket) => ticket.firstName === firstName);
}
