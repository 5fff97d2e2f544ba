// Checks what was built for the screens that are really out there: syntax and
// APIs no newer than Chromium 53, small as it is sent, and the same bytes every time.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { parse } from "acorn";

const root = fileURLToPath(new URL("..", import.meta.url));
const assets = join(root, "dist", "assets");
const BOARD_LIMIT = 25 * 1024;
const LOADER_LIMIT = 4 * 1024;
const WIDGET_LIMIT = 25 * 1024;

/** Names that Chromium 53 does not have. */
const BANNED_JS = [
  "Object.entries", "Object.values", "Object.fromEntries", "getOwnPropertyDescriptors", ".padStart(", ".padEnd(", ".flatMap(", ".flat(",
  ".replaceAll(", ".matchAll(", ".trimStart(", ".trimEnd(", ".at(-", ".finally(", "Promise.allSettled", "Promise.any",
  "globalThis", "structuredClone", "queueMicrotask", "AbortController", "ResizeObserver", "IntersectionObserver",
  "BigInt", "WeakRef", "Symbol.asyncIterator", ".replaceChildren(", ".append(", ".prepend(", ".replaceWith(", ".toggleAttribute(", ".getAnimations(",
  "formatToParts", "hourCycle", "dateStyle", "timeStyle", "RelativeTimeFormat", "crypto.randomUUID", "import(", "eval(",
  "new Function", "innerHTML", "insertAdjacentHTML", "document.write",
];

/** CSS that Chromium 53 does not have. */
const BANNED_CSS = [
  /display:\s*(inline-)?grid/, /[{;]\s*(row-|column-)?gap:/, /clamp\(/, /[:\s(,](min|max)\(/, /[{;]\s*inset/, /[{;]\s*aspect-ratio:/, /:is\(/, /:where\(/, /:has\(/,
  /@layer/, /@container/, /@supports/, /:focus-visible/, /place-(items|content)/, /backdrop-filter/, /\bdvh\b/, /margin-inline/, /padding-inline/, /env\(/, /color-mix/,
];

function built(pattern) {
  const names = readdirSync(assets).filter((name) => pattern.test(name));
  assert.equal(names.length, 1, `one file like ${pattern} in dist/assets`);
  return readFileSync(join(assets, names[0]));
}

const unpacked = (packed) => gunzipSync(packed).toString();

/** Nothing is there twice, and what is compressed says neither when nor from what. */
function checkPacked(name, content) {
  assert.doesNotMatch(name, /\.(js|css)$/, `${name} is not compressed`);
  if (name.endsWith(".gz")) {
    assert.equal(content.subarray(0, 8).toString("hex"), "1f8b080000000000", `${name} has a flag or a time in its head`);
  }
}

export function checkScript(code) {
  parse(code, { ecmaVersion: 2015, sourceType: "script" });
  for (const name of BANNED_JS) {
    assert.ok(!code.includes(name), `the board's script uses ${name}`);
  }
}

export function checkStyle(css) {
  for (const pattern of BANNED_CSS) {
    assert.ok(!pattern.test(css), `the board's style sheet uses ${pattern}: ${css.match(pattern)}`);
  }
}

function digest() {
  const all = createHash("sha256");
  for (const folder of [join(root, "dist"), assets]) {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isFile()) {
        const content = readFileSync(join(folder, entry.name));
        checkPacked(entry.name, content);
        all.update(entry.name).update(content);
      }
    }
  }
  return all.digest("hex");
}

// The checks must be able to fail.
assert.throws(() => checkScript("a?.b"));
assert.throws(() => checkScript("async function f() { await 1 }"));
assert.throws(() => checkScript("Object.entries({})"));
assert.throws(() => checkStyle(".a{gap:1vh}"));
assert.throws(() => checkStyle(".a{display:grid}"));
assert.throws(() => checkStyle(".a{width:min(1px,2px)}"));
assert.throws(() => checkPacked("a.js", gzipSync("a")));
assert.throws(() => checkPacked("a.js.gz", Buffer.from("1f8b080010000000", "hex")));

const board = built(/^board-[0-9a-f]+\.js\.gz$/);
checkScript(unpacked(board));
checkStyle(unpacked(built(/^board-[0-9a-f]+\.css\.gz$/)));
parse(unpacked(built(/^guard-[0-9a-f]+\.js\.gz$/)), { ecmaVersion: 3 });

const zipped = board.length;
assert.ok(zipped <= BOARD_LIMIT, `the board is ${zipped} bytes gzipped, at most ${BOARD_LIMIT}`);

/** What runs on other people's sites: small, and under any policy of theirs. */
const BANNED_ON_SITES = ["innerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "document.cookie", ".outerHTML"];

function checkWidget(packed, name, limit) {
  const size = packed.length;
  const code = unpacked(packed);
  assert.ok(size <= limit, `${name} is ${size} bytes gzipped, at most ${limit}`);
  for (const banned of BANNED_ON_SITES) {
    assert.ok(!code.includes(banned), `${name} uses ${banned}`);
  }
  return size;
}

assert.throws(() => checkWidget(gzipSync("a.innerHTML=b"), "it", 100));
assert.throws(() => checkWidget(gzipSync("a"), "it", 8));
const loader = checkWidget(readFileSync(join(root, "dist", "widget.js.gz")), "the loader", LOADER_LIMIT);
const apps = readdirSync(assets).filter((name) => /^widget-[a-z]{2}-[0-9a-f]+\.js\.gz$/.test(name));
assert.equal(apps.length, 5, "the widget's app in every language");
const app = Math.max(...apps.map((name) => checkWidget(readFileSync(join(assets, name)), name, WIDGET_LIMIT)));

const first = digest();
assert.equal(spawnSync(process.execPath, [join(root, "build.mjs")], { stdio: "inherit" }).status, 0);
assert.equal(digest(), first, "two builds give the same bytes");

console.log(`board: ES2015, ${zipped} bytes gzipped; widget: loader ${loader}, app at most ${app}; builds repeat`);
