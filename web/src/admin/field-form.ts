// The form of an input field; what it asks for depends on the field's type.
import { make } from "../common/dom";
import { call } from "../common/http";
import { LANGUAGES } from "./card-list";
import { Form, Spec, Values } from "./form";
import { at, Host } from "./host";
import { languageName } from "./lines";
import { Rows } from "./rows";
import { card } from "./ui";
import { say } from "./words";

interface Translation {
  language: string;
  title?: string;
  visitorTitle?: string;
}

interface Option {
  id: string;
  title: string;
  color?: string;
  translations?: Translation[];
}

/** As the hub has it; what is false or empty is absent. */
export interface InputField extends Values {
  id: string;
  type: string;
  title?: string;
  lines?: number[];
  inRemoteSignIn?: boolean;
  showInRemoteSignIn?: boolean;
  options?: Option[];
  translations?: Translation[];
  version: string;
}

/** What the form needs of the location. */
export interface Known {
  lines: ReadonlyArray<{ id: number; name: string }>;
  languages: readonly string[];
  /** The types that there are already. */
  taken: readonly string[];
}

const NAMED = ["FIRST_NAME", "LAST_NAME", "EMAIL", "PHONE_NUMBER"];
const TYPES = ["TEXT", "SELECT", "NUMERIC", "DATE", "URL", "ATTACHMENT", ...NAMED];
const STAFF = ["visibleWaiting", "visibleServing", "beforeAdded", "beforeServed"];
const GROUPS = ["IMAGES", "DOCUMENTS", "ARCHIVES"];
const MAX_SCALE = 10;

/** Whether the answer is a member of the ticket itself. */
export const isNamed = (type: string) => NAMED.indexOf(type) >= 0;
/** Whether /join and the kiosk ask for fields of this type by themselves. */
export const isAsked = (type: string) => ["TEXT", "SELECT", "NUMERIC", "DATE"].indexOf(type) >= 0;

export function nameOf(field: InputField): string {
  return field.title || say(`input.type.${field.type}`);
}

export function editField(host: Host, body: HTMLElement, field: InputField | undefined, known: Known, done: (answer: { fields: InputField[] }) => void): void {
  if (field) {
    make("p", "intro", body, say(`input.type.${field.type}`));
    build(host, body, field, field, known, done);
    return;
  }
  let form: Form;
  const show = (values: Values) => {
    form = build(host, body, undefined, values, known, done);
    const type = form.control("type");
    type.addEventListener("change", () => { // what was typed in the fields stays
      const typed = form.read();
      form.element.remove();
      show({ ...typed, ...unflat(typed, typed["type"], {}) });
      form.control("type").focus();
    });
  };
  show({ type: "TEXT", showInRemoteSignIn: true, visibleWaiting: true, visibleServing: true });
}

function build(host: Host, body: HTMLElement, field: InputField | undefined, values: Values, known: Known, done: (answer: { fields: InputField[] }) => void): Form {
  const type = values["type"] as string;
  const form = new Form(body, specs(type, field, known), say("save"), async (read) => {
    // What this form does not show stays as it is.
    const wanted = { ...field, ...unflat(read, type, field || {}) };
    if (options) wanted.options = options.read();
    if (titles) wanted.translations = titles.read() as Translation[];
    if (!field && isNamed(type)) wanted["showInRemoteSignIn"] = true;
    if (field) {
      done(await call("PUT", at(host, `input-fields/${field.id}`), wanted));
    } else {
      await call("POST", at(host, "input-fields"), wanted);
      done(await call("GET", at(host, "input-fields")));
    }
  });
  const options = type === "SELECT" ? form.part("options", new OptionList(card(form.more, say("input.options")), field?.options || [], known)) : undefined;
  const titles = isNamed(type) ? undefined : form.part("translations", titleRows(card(form.more, say("input.translations")), field, type, known));
  form.fill(flat(values));
  for (const name of ["range.min", "range.max", "range.scale"]) {
    if (type === "NUMERIC") form.control(name).setAttribute("inputmode", "decimal");
  }
  return form;
}

function specs(type: string, field: InputField | undefined, known: Known): Spec[] {
  const list: Spec[] = [];
  const add = (when: boolean, ...more: Spec[]) => { if (when) list.push(...more); };
  const types = TYPES.filter((one) => !isNamed(one) || known.taken.indexOf(one) < 0);
  add(!field, { name: "type", label: say("input.type"), kind: "select", options: types.map((one): [string, string] => [one, say(`input.type.${one}`)]) });
  add(!isNamed(type), { name: "title", label: say("input.title"), required: true, max: 50 });
  add(!isNamed(type) && type !== "URL", { name: "visitorTitle", label: say("input.visitorTitle"), hint: say("input.visitorTitleHint"), max: 200 });
  add(type === "SELECT", { name: "multiSelect", label: say("input.multiSelect"), kind: "check" });
  add(type === "NUMERIC",
    { name: "range.min", label: say("input.min"), half: true, max: 20 }, { name: "range.max", label: say("input.max"), half: true, max: 20 },
    { name: "range.scale", label: say("input.scale"), hint: say("input.scaleHint", { most: MAX_SCALE }), max: 2 });
  add(type === "ATTACHMENT",
    { name: "files.most", label: say("input.files"), kind: "number", required: true, max: 50 },
    { name: "files.groups", label: say("input.groups"), kind: "checks", hint: say("screen.linesHint"), options: GROUPS.map((one): [string, string] => [one, say(`input.group.${one}`)]) });
  add(isAsked(type), { name: "showInRemoteSignIn", label: say("input.show"), kind: "check" });
  add(isAsked(type) || isNamed(type), { name: "inRemoteSignIn", label: say("input.required"), kind: "check", ...(isNamed(type) ? { hint: say("input.namedHint", { page: say("page.visitors") }) } : {}) });
  add(isNamed(type) && type !== "PHONE_NUMBER", { name: "inAppointments", label: say("input.appointments"), kind: "check" });
  add(true,
    { name: "lines", label: say("page.lines"), kind: "checks", hint: say("screen.linesHint"), options: lineOptions(field, known) },
    { name: "staff", label: say("input.staff"), kind: "checks", hint: say("input.staffHint"), options: STAFF.map((one): [string, string] => [one, say(`input.staff.${one}`)]) });
  return list;
}

/** The lines, and those that the field is for and that were removed since. */
function lineOptions(field: InputField | undefined, known: Known): Array<[string, string]> {
  const gone = (field?.lines || []).filter((id) => !known.lines.some((line) => line.id === id));
  return known.lines.map((line): [string, string] => [String(line.id), line.name])
    .concat(gone.map((id): [string, string] => [String(id), say("input.goneLine", { n: id })]));
}

/** A field as the form's controls have it. */
function flat(field: Values): Values {
  const range = field["range"] || {};
  const files = field["files"] || { most: 1 };
  return {
    ...field, staff: field["staff"] || STAFF.filter((name) => field[name]),
    "range.min": range.min ?? "", "range.max": range.max ?? "", "range.scale": range.scale ?? (range.min === undefined && range.max === undefined ? "" : 0),
    "files.most": files.most, "files.groups": files.groups || [],
  };
}

/** What the form's controls have, as a field. */
function unflat(read: Values, type: string, before: Values): Values {
  const out: Values = { type };
  Object.keys(read).filter((name) => name.indexOf(".") < 0 && name !== "staff").forEach((name) => { out[name] = read[name]; });
  if (read["lines"]) out["lines"] = (read["lines"] as string[]).map(Number);
  STAFF.forEach((name) => { out[name] = read["staff"] ? read["staff"].indexOf(name) >= 0 : !!before[name]; });
  if (type === "NUMERIC") out["range"] = rangeOf(read);
  if (type === "ATTACHMENT") {
    const groups = (read["files.groups"] || []) as string[];
    out["files"] = { most: read["files.most"] || 0, mode: groups.length > 0 ? "ONLY" : "ALL", groups };
  }
  return out;
}

/** Bounds of a number; nothing at all for none. What is no number is the hub's to refuse. */
function rangeOf(read: Values): Values | null {
  const range: Values = {};
  for (const end of ["min", "max", "scale"]) {
    const text = String(read[`range.${end}`] ?? "").replace(",", ".");
    if (text) range[end] = isFinite(Number(text)) ? Number(text) : text;
  }
  if (Object.keys(range).length === 0) return null;
  return { scale: MAX_SCALE, ...range };
}

function languageOptions(known: Known, used: readonly Translation[]): Array<[string, string]> {
  const all = LANGUAGES.slice();
  for (const code of [...known.languages, ...used.map((one) => one.language)]) {
    if (all.indexOf(code) < 0) all.push(code);
  }
  return all.map((code): [string, string] => [code, languageName(code)]);
}

function titleRows(parent: HTMLElement, field: InputField | undefined, type: string, known: Known): Rows {
  const used = field?.translations || [];
  const languages = languageOptions(known, used);
  const rows: Rows = new Rows(parent, {
    columns: [
      { name: "language", label: say("card.language"), kind: "select", options: languages },
      { name: "title", label: say("input.title"), max: 50 },
      ...(type === "URL" ? [] : [{ name: "visitorTitle", label: say("input.visitorTitle"), max: 200 }]),
    ],
    add: say("input.addLanguage"),
    fresh: () => {
      const taken = rows.read().map((row) => row["language"]);
      return { language: (languages.find(([code]) => taken.indexOf(code) < 0) || languages[0]!)[0] };
    },
  }, used);
  return rows;
}

/** The choices of a field, each with its name in other languages folded away. */
class OptionList {
  private readonly rows: Rows;
  private readonly languages: string[];

  constructor(parent: HTMLElement, options: readonly Option[], known: Known) {
    const used = options.reduce<Translation[]>((all, one) => all.concat(one.translations || []), []);
    const languages = languageOptions(known, used);
    this.languages = languages.map(([code]) => code);
    this.rows = new Rows(parent, {
      columns: [
        { name: "title", label: say("input.option"), max: 50 },
        { name: "color", label: say("line.color"), kind: "color" },
        ...languages.map(([code, name]) => ({ name: `in-${code}`, label: say("line.translation", { language: name }), max: 50, more: true })),
      ],
      add: say("input.addOption"), more: say("input.translations"), fresh: () => ({}),
    }, options.map((one) => {
      const row: Values = { ...one };
      (one.translations || []).forEach(({ language, title }) => { row[`in-${language}`] = title; });
      return row;
    }));
  }

  clear(): void {
    this.rows.clear();
  }

  fail(rest: string, words: string): boolean {
    return this.rows.fail(rest, words);
  }

  read(): Option[] {
    return this.rows.read().map((row) => ({
      id: row["id"] || "", title: row["title"], color: row["color"],
      translations: this.languages.map((language): Translation => {
        const before = ((row["translations"] || []) as Translation[]).find((one) => one.language === language);
        return { ...before, language, title: row[`in-${language}`] };
      }),
    }));
  }
}
