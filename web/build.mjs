// Builds the pages into dist/. Asset names carry a hash of their content, so
// that they can be cached for ever; two builds of one tree are the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { buildWidget } from "./widget.mjs";
import { allWords, wordsPlugin } from "./words.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const dist = join(root, "dist");
const assets = join(dist, "assets");

/** The board's floor is Chromium 53; clerks have current browsers. */
const pages = [
  { name: "board", script: "main.ts", target: ["es2015", "chrome53"], verbatim: ["guard.js"] },
  { name: "console", script: "main.ts", target: ["es2019", "chrome80"], verbatim: [] },
  { name: "admin", script: "main.ts", target: ["es2019", "chrome80"], verbatim: [] },
  { name: "visitor", script: "main.ts", target: ["es2019", "chrome80"], verbatim: [] },
  { name: "kiosk", script: "main.ts", target: ["es2019", "chrome80"], verbatim: [] },
  { name: "join", script: "main.ts", target: ["es2019", "chrome80"], verbatim: [] },
];

async function bundle(entry, target) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "iife",
    charset: "ascii",
    legalComments: "none",
    target,
    write: false,
    logLevel: "warning",
    plugins: [wordsPlugin],
  });
  return Buffer.from(result.outputFiles[0].contents);
}

const written = new Set();

/**
 * Writes a file. Scripts and style sheets are left only in the form that they are
 * sent in: compressed once, as well as can be, with no time and no name inside.
 */
function write(path, content) {
  const packed = /\.(js|css)$/.test(path);
  const to = packed ? `${path}.gz` : path;
  writeFileSync(to, packed ? gzipSync(content, { level: 9 }) : content);
  written.add(to);
}

/** Writes content under a name with its hash; returns its address. */
function asset(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const hashed = name.replace(/(\.[a-z]+)$/, `-${hash}$1`);
  write(join(assets, hashed), content);
  return `/assets/${hashed}`;
}

async function page({ name, script, target, verbatim }) {
  const addresses = new Map();
  addresses.set(`${name}.js`, asset(`${name}.js`, await bundle(`src/${name}/${script}`, target)));
  addresses.set(`${name}.css`, asset(`${name}.css`, await bundle(`src/${name}/${name}.css`, target)));
  for (const file of verbatim) {
    addresses.set(basename(file), asset(basename(file), readFileSync(join(root, "src", name, file))));
  }
  const html = readFileSync(join(root, "src", name, `${name}.html`), "utf8");
  const filled = html.replace(/\{\{([a-z]+\.(?:js|css))\}\}/g, (_, file) => {
    const address = addresses.get(file);
    if (!address) {
      throw new Error(`${name}.html asks for ${file}, which is not built`);
    }
    return address;
  });
  write(join(dist, `${name}.html`), filled);
}

/** The page without script is a template that the server fills in. */
async function plainPage() {
  const address = asset("plain.css", await bundle("src/board/plain.css", pages[0].target));
  write(join(dist, "plain.html"), readFileSync(join(root, "src", "board", "plain.html"), "utf8").replace("{{plain.css}}", address));
}

mkdirSync(assets, { recursive: true });
for (const one of pages) {
  await page(one);
}
await plainPage();
await buildWidget(asset, write, dist);
write(join(dist, "words.json"), JSON.stringify(allWords()));
// What is left of earlier builds goes last, so that there is no moment without
// pages for a server that is running from here.
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && entry.name !== ".gitkeep" && !written.has(path)) {
    rmSync(path);
  }
}
