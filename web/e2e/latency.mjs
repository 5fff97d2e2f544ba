// How long it takes from a command to its paint on a board page, with both on
// this machine: part of `make bench`.
import { launch, openPage, state } from "./browser.mjs";
import { RealHub } from "./hub.mjs";

const CALLS = 50;

const hub = await RealHub.start("-queue-rate", "1000", "-queue-burst", "1000");
const browser = await launch();
const problems = [];
const took = [];
try {
  const board = await openPage(await browser.newContext({ viewport: { width: 1280, height: 720 } }), hub.demo.pages.board, problems);
  await state(board, "live", 20000);
  await board.evaluate(() => {
    window.painted = {};
    const look = () => {
      for (const element of document.querySelectorAll("[data-public-id]")) {
        const id = element.getAttribute("data-public-id");
        // The frame after the change is the first that can show it.
        if (id && !window.painted[id]) requestAnimationFrame(() => { window.painted[id] = window.painted[id] || Date.now(); });
      }
    };
    new MutationObserver(look).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-public-id"] });
  });
  for (let i = 0; i < CALLS; i++) {
    const made = await hub.queue("POST", "/tickets", { lineId: hub.demo.lines[i % 3], firstName: "Load" }, true);
    const began = Date.now();
    await hub.queue("POST", `/v1/tickets/${made.id}/call?desk=${1 + (i % 4)}`);
    const handle = await board.waitForFunction((id) => window.painted[id], made.publicId, { timeout: 10000, polling: 20 });
    took.push((await handle.jsonValue()) - began);
  }
} finally {
  await browser.close();
  await hub.stop();
}
took.sort((a, b) => a - b);
const at = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))];
console.log(`BenchmarkCommandToPaint ${CALLS} calls: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, worst ${at(1)} ms`);
if (problems.length) {
  console.error(problems);
  process.exit(1);
}
