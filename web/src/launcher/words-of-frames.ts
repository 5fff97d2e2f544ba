// The widget in a frame of the site's own: the page /widget/{key} asks the page
// around it who the visitor is, and lets it keep what must last, because a frame
// of another origin has no lasting storage in most browsers. Nothing of this goes
// through an address.
import { WidgetOptions } from "./api";

/** What the two pages say to each other. */
export interface Word {
  nowserving?: "hello" | "options" | "set";
  options?: WidgetOptions;
  kept?: Record<string, string>;
  name?: string;
  value?: string;
}
