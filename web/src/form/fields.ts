// The fields of a form: what is asked, what was typed, and what is wrong with it. Pure.
import { AskedField, TicketRequest } from "./config";

/** The fields that a location may ask for by name, as the hub knows them. */
export const KNOWN: Readonly<Record<string, { type: string; mode: string; complete: string; most: number }>> = {
  firstName: { type: "text", mode: "text", complete: "given-name", most: 50 },
  lastName: { type: "text", mode: "text", complete: "family-name", most: 50 },
  phoneNumber: { type: "tel", mode: "tel", complete: "tel", most: 40 },
  email: { type: "email", mode: "email", complete: "email", most: 200 },
};

/** How a location's own field is typed. */
export const TYPES: Readonly<Record<string, { type: string; mode: string }>> = {
  TEXT: { type: "text", mode: "text" },
  URL: { type: "url", mode: "url" },
  DATE: { type: "date", mode: "text" },
  NUMERIC: { type: "text", mode: "decimal" },
  EMAIL: { type: "email", mode: "email" },
  PHONE_NUMBER: { type: "tel", mode: "tel" },
  FIRST_NAME: { type: "text", mode: "text" },
  LAST_NAME: { type: "text", mode: "text" },
};

export const MAX_LENGTH = 500;
/** Between the ids of several chosen options, which have no such sign. */
export const SEPARATOR = ",";

/** What was typed, by field; several options in one text. */
export type Values = Readonly<Record<string, string>>;

/** The name a field has in a request and in the hub's refusals. */
export function keyOf(field: AskedField): string {
  return field.name || field.field || "";
}

/** What is asked of somebody who joins a line; undefined: whatever line it is. */
export function askable(fields: readonly AskedField[], line: number | undefined): AskedField[] {
  return fields.filter((field) => (field.name ? field.name in KNOWN : !!field.field && field.type !== "ATTACHMENT")
    && (!field.lines || field.lines.length === 0 || line === undefined || field.lines.indexOf(line) >= 0));
}

/** A name in a language, where there is one. */
export function inLanguage(name: string, others: Readonly<Record<string, string>> | undefined, language: string): string {
  return (others && others[language]) || name;
}

/** What is missing or plainly wrong: a key of the words by field. The hub checks the rest. */
export function faults(fields: readonly AskedField[], values: Values): Record<string, string> {
  const found: Record<string, string> = {};
  for (const field of fields) {
    const value = (values[keyOf(field)] || "").trim();
    if (!value) {
      if (field.required) found[keyOf(field)] = "fieldMissing";
    } else if (field.name === "email" && !/^[^\s@]+@[^\s@]+$/.test(value)) {
      found[keyOf(field)] = "fieldEmail";
    } else if (field.name === "phoneNumber" && (value.match(/\d/g) || []).length < 5) {
      found[keyOf(field)] = "fieldPhone";
    }
  }
  return found;
}

/** The request for a ticket. What was left empty is left out. */
export function requestOf(fields: readonly AskedField[], values: Values, line: number, language: string): TicketRequest {
  const request: TicketRequest = { line, languageCode: language };
  const own: Array<{ field: string; value: string | string[] }> = [];
  for (const field of fields) {
    const value = (values[keyOf(field)] || "").trim();
    if (!value) continue;
    if (field.name) request[field.name] = value;
    else own.push({ field: field.field as string, value: field.multiple ? value.split(SEPARATOR) : value });
  }
  if (own.length) request.fields = own;
  return request;
}

