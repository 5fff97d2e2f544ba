// Runs the browser tests against the real server, bin/nowserving: the pages as a
// clerk and a lobby use them, then the ones that kill and freeze the server. Two
// files run at a time, each with a server of its own: they mostly wait.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { RealHub } from "./hub.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const run = (files, env) =>
  spawnSync(process.execPath, ["--test", "--test-concurrency=2", ...files.map((file) => here + file)], {
    stdio: "inherit",
    env: { ...process.env, ...env },
  }).status ?? 1;

const hub = await RealHub.start();
let status = 1;
try {
  status = run(["pages.test.mjs"], { NOWSERVING_URL: hub.url, DEMO_JSON: hub.demoFile });
} finally {
  await hub.stop();
}
const own = ["restart", "admin", "admin-fields", "queue-client", "chat-client", "console", "console-cut", "widget", "widget-sites", "visitor", "visitor-cut", "kiosk", "join", "visit", "visit-cut", "moved", "blocked"];
status = run(own.map((name) => `${name}.test.mjs`), {}) || status;
process.exit(status);
