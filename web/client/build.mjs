// Builds the package into client/dist: one module per entry, and declarations.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
rmSync(join(here, "dist"), { recursive: true, force: true });
await build({
  absWorkingDir: here, entryPoints: ["index.ts", "widget.ts"], outdir: "dist", bundle: true, format: "esm", target: "es2020",
  charset: "utf8", legalComments: "none", logLevel: "warning",
});
const tsc = join(here, "..", "node_modules", ".bin", "tsc");
process.exit(spawnSync(tsc, ["-p", join(here, "tsconfig.json")], { stdio: "inherit" }).status ?? 1);
