// A visitor of somebody's website, with the chat widget in a real browser.
import { launch, openPage } from "./browser.mjs";
import { RealHub } from "./hub.mjs";
import { Agent, hostPage, Site, strictPolicy } from "./widget-site.mjs";

/** What is said on one side, "own" or "theirs". */
export const bubbles = (page, who) => page.$$eval(`#nowserving-widget .${who} .bubble`, (all) => all.map((b) => b.textContent));

export const says = (page, who, text) => page.waitForFunction(
  ([w, t]) => [...document.getElementById("nowserving-widget").shadowRoot.querySelectorAll(`.${w} .bubble`)].some((b) => b.textContent === t), [who, text], { polling: 20 });

export async function write(page, text) {
  await page.fill(".composer textarea", text);
  await page.keyboard.press("Enter");
}

/** A site with the widget on it, a real server and a clerk behind it. */
export class WidgetRig {
  /** What the pages complained of. */
  problems = [];

  async start() {
    this.hub = await RealHub.start();
    this.site = await Site.start();
    this.browser = await launch();
    this.agent = new Agent(this.hub);
    this.key = this.hub.demo.widgetKey;
    this.site.page("/", hostPage(this.hub.url, this.key), { "Content-Security-Policy": strictPolicy(this.hub.url) });
  }

  /** A page with the panel open, before the first message. */
  async visitor(path = "/", noted = this.problems, prepare = () => undefined) {
    const context = await this.browser.newContext({ viewport: { width: 1100, height: 800 }, reducedMotion: "reduce" });
    await prepare(context);
    const page = await openPage(context, this.site.url + path, noted);
    await page.click(".launcher");
    await page.waitForSelector(".begin");
    return page;
  }

  /** The first message; answers the ticket, where the page may keep it. */
  async begin(page, text) {
    await page.fill(".begin textarea", text);
    await page.keyboard.press("Enter");
    await says(page, "own", text);
    return this.ticketOf(page).catch(() => undefined);
  }

  /** The ticket that the page keeps in its storage. */
  async ticketOf(page) {
    return JSON.parse(await page.evaluate((name) => localStorage.getItem(name), `nowserving.${this.key}.session`)).ticket;
  }

  async stop() {
    await this.browser?.close();
    await this.site?.stop();
    await this.hub?.stop();
  }
}
