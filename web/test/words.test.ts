// Every page with words of its own has them in every language, complete.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { chooseWords } from "../src/common/words";

const LANGUAGES = ["ar", "de", "en", "es", "fr"];
const source = `${process.cwd()}/src`;

const holes = (text: string): string[] => (text.match(/\{\w+\}/g) || []).sort();

/** The source of a page, in one text. */
const codeOf = (page: string): string => readdirSync(`${source}/${page}`, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(ts|html)$/.test(file))
  .map((file) => readFileSync(`${source}/${page}/${file}`, "utf8"))
  .join("\n");

for (const page of readdirSync(source).filter((name) => existsSync(`${source}/${name}/words`))) {
  const read = (language: string): Record<string, string> => JSON.parse(readFileSync(`${source}/${page}/words/${language}.json`, "utf8"));

  test(`the words of ${page} are complete in every language`, () => {
    const english = read("en");
    for (const language of LANGUAGES) {
      const words = read(language);
      assert.deepEqual(Object.keys(words).sort(), Object.keys(english).sort(), language);
      for (const key of Object.keys(words)) {
        assert.ok(words[key]!.trim(), `${language}: ${key} is empty`);
        assert.deepEqual(holes(words[key]!), holes(english[key]!), `${language}: ${key} has other gaps than the English`);
      }
    }
  });

  test(`the words of ${page} are in use`, () => {
    const code = codeOf(page) + readdirSync(source).map(codeOf).filter((other) => other.includes(`from "../${page}/`)).join("\n");
    for (const key of Object.keys(read("en"))) {
      // A key may be put together: "state.NEW" from "state." and the state.
      const stem = key.includes(".") ? key.slice(0, key.indexOf(".") + 1) : key;
      assert.ok(code.includes(key) || (stem !== key && code.includes(stem)), `nothing says ${key}`);
    }
  });
}

test("the first wanted language that there is, else English", () => {
  const all = { en: { a: "Desk {n}" }, ar: { a: "{n}" } };
  assert.equal(chooseWords(all, ["fi", "ar-EG"]).say("a", { n: 3 }), "3");
  assert.equal(chooseWords(all, ["ar-EG"]).direction, "rtl");
  const english = chooseWords(all, ["fi"]);
  assert.equal(english.say("a", { n: 3 }), "Desk 3");
  assert.equal(english.say("a"), "Desk {n}");
  assert.equal(english.say("b"), "b");
});
