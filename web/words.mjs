// Makes the words of every language importable: "words:all" are those of the
// screens, in display/words, which the terminal's screen and the server read
// too; "words:<page>" are those in src/<page>/words. A language is one file.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const folder = fileURLToPath(new URL("../display/words/", import.meta.url));

/** The folder of a page's words. */
export function folderOf(page) {
  return page === "all" ? folder : fileURLToPath(new URL(`src/${page}/words/`, import.meta.url));
}

/** The words by language code, in a fixed order. */
export function allWords(page = "all") {
  const from = folderOf(page);
  const all = {};
  for (const name of readdirSync(from).filter((file) => file.endsWith(".json")).sort()) {
    all[basename(name, ".json")] = JSON.parse(readFileSync(join(from, name), "utf8"));
  }
  return all;
}

export const wordsPlugin = {
  name: "words",
  setup(build) {
    build.onResolve({ filter: /^words:/ }, (args) => ({ path: args.path, namespace: "words" }));
    build.onLoad({ filter: /.*/, namespace: "words" }, (args) => ({ contents: JSON.stringify(allWords(args.path.slice("words:".length))), loader: "json" }));
  },
};
