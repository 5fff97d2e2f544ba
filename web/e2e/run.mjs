// Runs the browser tests: against NOWSERVING_URL with the demo file DEMO_JSON
// (DIR/demo.json of a server with -demo), or else against the fake hub.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const files = ["pages.test.mjs"];
if (!process.env.NOWSERVING_URL) {
  files.push("faults.test.mjs", "states.test.mjs"); // burst.test.mjs measures time, so it is part of make bench
}
const run = spawnSync(process.execPath, ["--test", "--test-concurrency=2", ...files.map((file) => here + file)], { stdio: "inherit" });
process.exit(run.status ?? 1);
