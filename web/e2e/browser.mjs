// Starting the browser, and waiting for what a page says about itself.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CANDIDATES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function browserPath() {
  const path = CANDIDATES.find((candidate) => candidate && existsSync(candidate));
  if (!path) {
    throw new Error("no Chromium found; set CHROMIUM to its path");
  }
  return path;
}

/** Sound is allowed as on a kiosk, unless a test is about that. */
export function launch(extra = ["--autoplay-policy=no-user-gesture-required"]) {
  return chromium.launch({
    executablePath: browserPath(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio", ...extra],
  });
}

/**
 * A page that collects what should never happen: errors and policy violations. A
 * link that breaks is no error: the tests break it, in every way there is.
 */
export async function openPage(context, url, problems) {
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(`${url}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/net::ERR_(?!BLOCKED)|WebSocket connection to|401/.test(message.text())) {
      problems.push(`${url}: ${message.text()}`);
    }
  });
  await page.goto(url);
  return page;
}

export const state = (page, wanted, timeout = 10000) =>
  page.waitForSelector(`body[data-state="${wanted}"]`, { timeout });

export const hero = (page, publicId, timeout = 10000) =>
  page.waitForSelector(`#hero[data-public-id="${publicId}"]`, { timeout });

export async function signIn(page, user) {
  await page.waitForSelector('body[data-view="sign-in"]');
  await page.fill("#email", user.email);
  await page.fill("#password", user.password);
  await page.click("#sign-in-form button");
  await page.waitForSelector('body[data-view="work"][data-state="live"]');
}
