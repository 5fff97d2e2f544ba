// The conversation API's clients in TypeScript, bundled: this Node cannot read
// TypeScript by itself.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

// hub.mjs finds the binary by where it lies itself, which a bundle does not.
process.env.NOWSERVING_BINARY ??= fileURLToPath(new URL("../../bin/nowserving", import.meta.url));

const out = mkdtempSync(join(tmpdir(), "nowserving-chat-"));
try {
  const outfile = join(out, "chat-client.test.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("chat/chat-client.test.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    logLevel: "warning",
  });
  await import(pathToFileURL(outfile).href);
} finally {
  rmSync(out, { recursive: true });
}
