// Reads how a site wants its widget: from the script element, from the options of
// the conversation API's client, or from the older names still found on sites.
import { WidgetOptions } from "../launcher/api";
import { Raw, text } from "../launcher/raw";

const FIELD = /^field([1-9]|10)$/;

/** Turns anything that a site may pass into options; what is not known is left out. */
export function readOptions(raw: Raw): WidgetOptions {
  const options: WidgetOptions = { key: text(raw, "key", "snippetId", "apiKey") || "" };
  const take = (name: keyof WidgetOptions, ...from: string[]) => {
    const value = text(raw, name, ...from);
    if (value !== undefined) (options as any)[name] = value;
  };
  take("hub");
  take("nonce");
  take("language", "culture");
  take("color", "launcherColor");
  take("title");
  take("introduction", "introductionMessageText", "chatNowPromptText");
  take("name", "participantName");
  take("email", "participantMailAddress");
  take("phone", "participantPhoneNumber");
  take("uniqueIdentifier");
  take("identity", "identityToken", "token", "jwt");
  const side = (text(raw, "position") || "").toLowerCase();
  if (side.indexOf("left") >= 0) options.position = "left";
  if (side.indexOf("right") >= 0) options.position = "right";
  for (const name of ["full"] as const) {
    const value = text(raw, name);
    if (value !== undefined) options[name] = value !== "false";
  }
  const fields: Record<string, string> = {};
  for (const source of [raw, raw["fields"] || {}]) {
    for (const name of Object.keys(source)) {
      if (FIELD.test(name) && source[name] != null) fields[name] = String(source[name]);
    }
  }
  if (Object.keys(fields).length) options.fields = fields;
  if (raw["events"]) options.events = raw["events"];
  return options;
}
