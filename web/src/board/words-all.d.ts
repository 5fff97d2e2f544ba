// The languages as web/words.mjs bundles them.
declare module "words:all" {
  const all: { [language: string]: { [key: string]: string | string[] } };
  export default all;
}
