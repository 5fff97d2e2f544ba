// Style sheets as text, minified by web/widget.mjs.
declare module "css:*" {
  const css: string;
  export default css;
}

/** The app's scripts, one per language, as web/widget.mjs built them. */
declare const APPS: Readonly<Record<string, string>>;
