// What the tests of the visitor's page share: a real server, a clerk behind it,
// and a phone that opens links to tickets.
import { launch, openPage, state } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { Staff, watchLeaks } from "./staff.mjs";

export const stage = (on, wanted) => on.waitForSelector(`body[data-stage="${wanted}"]`, { timeout: 15000 });
export const text = (on, id) => on.textContent(`#${id}`);
export const until = (on, check, arg, timeout = 15000) => on.waitForFunction(check, arg, { timeout, polling: 50 });

/** Waits until these words stand in the thread, once. */
export const bubbles = (on, words) => until(on, (w) => [...document.querySelectorAll(".entry-text")].filter((e) => e.textContent === w).length === 1, words);

export const token = (link) => link.split("/t/")[1];

export class VisitorRig {
  /** What the pages complained of, and where a token went that must not leave. */
  problems = [];
  leaks = [];
  links = [];

  async start() {
    this.hub = await RealHub.start();
    this.browser = await launch();
    this.phone = await this.another();
    this.leaks = watchLeaks(this.phone, () => this.links);
    this.staff = await Staff.open(this.browser, this.hub);
  }

  /** One more phone. */
  another() {
    return this.browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en-US" });
  }

  /** The page of a ticket, live. */
  async open(visit, context = this.phone) {
    this.links.push(token(visit.link));
    const opened = await openPage(context, visit.link, this.problems);
    opened.setDefaultTimeout(10000);
    await opened.waitForSelector('body[data-page="ticket"]', { timeout: 20000 });
    await state(opened, "live", 20000);
    await opened.evaluate(() => { window.sameDocument = true; });
    return opened;
  }

  async stop() {
    await this.browser?.close();
    await this.hub?.stop();
  }
}
