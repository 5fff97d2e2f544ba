// The words of a page, as web/words.mjs bundles them.
declare module "words:*" {
  const all: Record<string, Record<string, string>>;
  export default all;
}
