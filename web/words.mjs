// Makes the words of every language importable as "words:all". A language is
// one file in display/words; the terminal's screen and the server read the same.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const folder = fileURLToPath(new URL("../display/words/", import.meta.url));

/** The words by language code, in a fixed order. */
export function allWords() {
  const all = {};
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".json")).sort()) {
    all[basename(name, ".json")] = JSON.parse(readFileSync(join(folder, name), "utf8"));
  }
  return all;
}

export const wordsPlugin = {
  name: "words",
  setup(build) {
    build.onResolve({ filter: /^words:all$/ }, (args) => ({ path: args.path, namespace: "words" }));
    build.onLoad({ filter: /.*/, namespace: "words" }, () => ({ contents: JSON.stringify(allWords()), loader: "json" }));
  },
};
