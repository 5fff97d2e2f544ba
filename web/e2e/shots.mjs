// Pictures of every state of the pages, to look at:
//   node e2e/shots.mjs FOLDER
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { hero, launch, openPage, signIn, state } from "./browser.mjs";
import { FakeHub } from "./fake-server.mjs";

const folder = process.argv[2] ?? "test-results/shots";
mkdirSync(folder, { recursive: true });

const problems = [];
const hub = new FakeHub();
const url = await hub.start();
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
const shot = async (page, name) => {
  await page.screenshot({ path: join(folder, `${name}.png`) });
  console.log(name);
};

/** Lets page time go by in steps that leave the hub room to answer. */
const pass = async (page, ms) => {
  for (let gone = 0; gone < ms; gone += 500) {
    await page.clock.runFor(500);
    hub.ahead += 500;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const page = await openPage(context, `${url}/board/1`, problems);
await page.clock.install();
await page.reload();
await state(page, "live");
await shot(page, "board-empty");

const minutesAgo = (m) => new Date(hub.now().getTime() - m * 60000);
for (let i = 0; i < 6; i++) {
  const t = hub.call(hub.add(1 + (i % 3)), 1 + (i % 4), minutesAgo(20 - i * 2));
  if (i < 4) hub.end(t, "SERVED", "ticket.served");
}
for (const line of [1, 1, 2, 3, 1, 2, 1]) hub.add(line, { firstName: "Ida", lastName: "Berg" });
await pass(page, 62000);
await shot(page, "board-idle");

const waiting = [...hub.tickets.values()].filter((t) => t.status === "NEW");
hub.call(waiting[0], 3);
await hero(page, waiting[0].publicId);
await page.clock.runFor(400);
await shot(page, "board-call");
hub.command({ name: "ticket.recall", params: { ticket: waiting[0].id } });
await pass(page, 12000);
await shot(page, "board-recall");

hub.silent = true;
await pass(page, 15500);
await shot(page, "board-stale");
await pass(page, 50000);
await shot(page, "board-offline");
hub.silent = false;
await pass(page, 40000);
await state(page, "live");
hub.theme = "light";
hub.forgetful = true;
await page.reload();
await state(page, "live");
hub.call(waiting[1], 4);
await hero(page, waiting[1].publicId);
await pass(page, 3000);
await shot(page, "board-light");
hub.theme = "dark";
await page.setViewportSize({ width: 720, height: 1280 });
await page.reload();
await state(page, "live");
await shot(page, "board-portrait");

hub.autoPair = false;
const fresh = await browser.newContext({ viewport: { width: 1280, height: 720 } });
const unpaired = await openPage(fresh, `${url}/board/1`, problems);
await unpaired.waitForSelector('body[data-pairing]:not([data-pairing=""])');
await shot(unpaired, "board-pairing");

const desk = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const clerk = await openPage(desk, `${url}/console`, problems);
await clerk.waitForSelector('body[data-view="sign-in"]');
await shot(clerk, "console-sign-in");
await signIn(clerk, hub.demo(url).users[0]);
await clerk.selectOption("#desk", "2");
await clerk.click("#call-next");
await clerk.waitForSelector(".called.mine");
await clerk.waitForFunction(() => /1\/1/.test(document.querySelector(".called.mine .called-shown")?.textContent ?? ""));
await clerk.waitForTimeout(1300);
await shot(clerk, "console");
hub.refuse = true;
for (const s of hub.sockets) s.socket.destroy();
await clerk.waitForSelector('body[data-state="connecting"]');
await shot(clerk, "console-away");

await browser.close();
await hub.stop();
if (problems.length) {
  console.error(problems.join("\n"));
  process.exit(1);
}
