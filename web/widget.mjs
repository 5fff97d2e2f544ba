// Builds the chat widget: the loader under a name that never changes, the app
// once per language under names that do, and the page for a frame.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { allWords, wordsPlugin } from "./words.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const TARGET = ["es2019", "chrome80", "safari15", "firefox79"];

/** Style sheets as text: a shadow root takes no links under a strict policy. */
export const cssPlugin = {
  name: "css",
  setup(all) {
    all.onResolve({ filter: /^css:/ }, (args) => ({ path: args.path, namespace: "css" }));
    all.onLoad({ filter: /.*/, namespace: "css" }, async (args) => {
      const result = await build({
        absWorkingDir: root, entryPoints: [`src/${args.path.slice("css:".length)}.css`],
        bundle: true, minify: true, charset: "utf8", legalComments: "none", target: TARGET, write: false, logLevel: "warning",
      });
      return { contents: Buffer.from(result.outputFiles[0].contents).toString().trim(), loader: "text" };
    });
  },
};

/** Only one language's words. */
const oneLanguage = (language) => ({
  name: "one-language",
  setup(all) {
    all.onResolve({ filter: /^words:widget$/ }, (args) => ({ path: args.path, namespace: "one-language" }));
    all.onLoad({ filter: /.*/, namespace: "one-language" }, () => ({
      contents: JSON.stringify({ [language]: allWords("widget")[language] }), loader: "json",
    }));
  },
});

/** Every word of the compiler's own description of the document. */
function domNames() {
  const compilers = join(root, "node_modules/@typescript");
  return readdirSync(compilers).flatMap((name) => readFileSync(join(compilers, name, "lib/lib.dom.d.ts"), "utf8").match(/\w+/g));
}

/**
 * The names of members that only our own classes know: those, and only those, may
 * be shortened. A name that is also the document's, the loader's, or a key of some
 * object (the wire's, the words') is left alone.
 */
function shortened() {
  const read = (folder) => readdirSync(join(root, folder)).filter((file) => file.endsWith(".ts")).map((file) => readFileSync(join(root, folder, file), "utf8")).join("\n");
  const code = ["src/widget", "src/client", "src/common"].map(read).join("\n").replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
  const found = (pattern) => [...code.matchAll(pattern)].map((match) => match[1]);
  const members = [...found(/private (?:readonly |async )*(\w{4,})/g), ...found(/^  (?:async )?(\w{4,})\([^;]*\{$/gm)];
  const others = code.replace(/private (?:readonly |async )*\w+/g, "");
  const keys = new Set([...domNames(), ...read("src/launcher").match(/\w+/g), ...others.match(/\w+(?=\??:)/g), ...others.match(/(?<=["'`.])\w+(?=["'`])/g)]);
  return new RegExp(`^(${[...new Set(members)].filter((name) => !keys.has(name) && name !== "constructor").join("|")})$`);
}

async function bundle(entry, plugins, define = {}, mangleProps = undefined) {
  const result = await build({
    absWorkingDir: root, entryPoints: [entry], bundle: true, minify: true, format: "iife", charset: "utf8", legalComments: "none",
    target: TARGET, write: false, logLevel: "warning", plugins, define, ...(mangleProps ? { mangleProps } : {}),
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/** Builds everything; asset and write are those of build.mjs. */
export async function buildWidget(asset, write, dist) {
  const short = shortened();
  const apps = {};
  for (const language of Object.keys(allWords("widget"))) {
    apps[language] = asset(`widget-${language}.js`, await bundle("src/widget/main.ts", [oneLanguage(language), wordsPlugin, cssPlugin], {}, short));
  }
  write(join(dist, "widget.js"), await bundle("src/launcher/main.ts", [wordsPlugin, cssPlugin], { APPS: JSON.stringify(apps) }));
  // For loaders of an earlier build that are still in somebody's page.
  write(join(dist, "widget-apps.json"), JSON.stringify(apps));
  const frame = asset("widget-frame.js", await bundle("src/widget/frame.ts", []));
  for (const page of ["widget", "widget-demo"]) {
    write(join(dist, `${page}.html`), readFileSync(join(root, "src", "widget", `${page}.html`), "utf8").replace("{{frame.js}}", frame));
  }
}
