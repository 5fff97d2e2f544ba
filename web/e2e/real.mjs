// Runs the browser tests against the real server, bin/nowserving: the pages as a
// clerk and a lobby use them, then the ones that kill and freeze the server.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { RealHub } from "./hub.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const run = (file, env) =>
  spawnSync(process.execPath, ["--test", here + file], { stdio: "inherit", env: { ...process.env, ...env } }).status ?? 1;

const hub = await RealHub.start();
let status = 1;
try {
  status = run("pages.test.mjs", { NOWSERVING_URL: hub.url, DEMO_JSON: hub.demoFile });
} finally {
  await hub.stop();
}
for (const file of ["restart.test.mjs", "admin.test.mjs", "queue-client.test.mjs", "chat-client.test.mjs", "console.test.mjs", "console-cut.test.mjs", "widget.test.mjs", "visitor.test.mjs", "visitor-cut.test.mjs", "kiosk.test.mjs", "join.test.mjs"]) {
  status = run(file, {}) || status;
}
process.exit(status);
