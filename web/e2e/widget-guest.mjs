// A visitor of somebody's website, with the chat widget in a real browser.
import { openPage } from "./browser.mjs";

/** The ticket that the page keeps in its storage. */
export const ticketIn = async (page, key) =>
  JSON.parse(await page.evaluate((name) => localStorage.getItem(name), `nowserving.${key}.session`)).ticket;

/** What is said on one side, "own" or "theirs". */
export const bubbles = (page, who) => page.$$eval(`#nowserving-widget .${who} .bubble`, (all) => all.map((b) => b.textContent));

export const says = (page, who, text) => page.waitForFunction(
  ([w, t]) => [...document.getElementById("nowserving-widget").shadowRoot.querySelectorAll(`.${w} .bubble`)].some((b) => b.textContent === t), [who, text], { polling: 20 });

/** A page with the panel open, before the first message. */
export async function openGuest(browser, address, noted, prepare = () => undefined) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, reducedMotion: "reduce" });
  await prepare(context);
  const page = await openPage(context, address, noted);
  await page.click(".launcher");
  await page.waitForSelector(".begin");
  return page;
}

/** The first message; answers the ticket, where the page may keep it. */
export async function beginAs(page, key, text) {
  await page.fill(".begin textarea", text);
  await page.keyboard.press("Enter");
  await says(page, "own", text);
  return ticketIn(page, key).catch(() => undefined);
}

export async function write(page, text) {
  await page.fill(".composer textarea", text);
  await page.keyboard.press("Enter");
}
