// The inputs of a form on a page.
import { make, setText } from "../common/dom";
import { Words } from "../common/words";
import { AskedField } from "./config";
import { inLanguage, keyOf, KNOWN, MAX_LENGTH, SEPARATOR, TYPES, Values } from "./fields";

/** One field: how to read it, write it, and mark it. */
interface Input {
  key: string;
  focus: HTMLElement;
  note: HTMLElement;
  get(): string;
  set(value: string): void;
}

export class FieldSet {
  private inputs: Input[] = [];
  private shown = "";

  /** Somebody else's device offers nobody's earlier entries. */
  constructor(private readonly parent: HTMLElement, private readonly ownDevice: boolean, private readonly typed: () => void) {}

  render(fields: readonly AskedField[], words: Words): void {
    const wanted = JSON.stringify(fields) + words.language;
    if (this.shown === wanted) return;
    this.shown = wanted;
    const values = this.values;
    this.parent.replaceChildren();
    this.inputs = fields.map((field) => this.input(field, words));
    this.values = values;
  }

  get values(): Record<string, string> {
    const values: Record<string, string> = {};
    for (const input of this.inputs) values[input.key] = input.get();
    return values;
  }

  set values(values: Values) {
    for (const input of this.inputs) input.set(values[input.key] || "");
  }

  /** Wipes what was typed. */
  clear(): void {
    this.values = {};
    this.show({}, undefined);
  }

  /** Shows what is wrong, and goes to the first of it. */
  show(wrong: Readonly<Record<string, string>>, words: Words | undefined): void {
    let first = true;
    for (const input of this.inputs) {
      const key = wrong[input.key];
      const text = key && words ? words.say(key) : "";
      setText(input.note, text);
      if (text) input.focus.setAttribute("aria-invalid", "true");
      else input.focus.removeAttribute("aria-invalid");
      if (text && first) {
        first = false;
        input.focus.focus();
      }
    }
  }

  focus(): void {
    const first = this.inputs[0];
    if (first) first.focus.focus();
  }

  private input(field: AskedField, words: Words): Input {
    const id = `field-${keyOf(field)}`;
    const text = field.name ? words.say(`field.${field.name}`) : inLanguage(field.title || "", field.titles, words.language);
    const several = field.type === "SELECT" && field.multiple;
    const box = make(several ? "fieldset" : "div", "field", this.parent);
    const label = make(several ? "legend" : "label", "field-label", box, text);
    label.dir = "auto";
    if (!several) label.setAttribute("for", id);
    if (!field.required) make("span", "field-optional", label, ` ${words.say("optional")}`);
    const made = several ? checks(box, field, words, id) : field.type === "SELECT" ? select(box, field, words) : typedInput(box, field, this.ownDevice);
    if (!several) made.focus.id = id;
    const note = make("p", "note", box);
    note.id = `${id}-note`;
    made.focus.setAttribute("aria-describedby", note.id);
    box.addEventListener("input", () => this.typed());
    return { ...made, key: keyOf(field), note };
  }
}

type Made = Pick<Input, "focus" | "get" | "set">;

function typedInput(box: HTMLElement, field: AskedField, ownDevice: boolean): Made {
  const input = make("input", "", box);
  const known = field.name ? KNOWN[field.name] : undefined;
  const kind = known || TYPES[field.type || "TEXT"] || { type: "text", mode: "text" };
  input.type = kind.type;
  input.inputMode = kind.mode;
  input.autocomplete = (ownDevice && known ? known.complete : "off") as AutoFill;
  input.maxLength = known ? known.most : MAX_LENGTH;
  input.spellcheck = false;
  input.required = !!field.required;
  if (kind.type === "text") input.dir = "auto";
  return { focus: input, get: () => input.value, set: (value) => { input.value = value; } };
}

function select(box: HTMLElement, field: AskedField, words: Words): Made {
  const element = make("select", "", box);
  element.required = !!field.required;
  make("option", "", element, words.say("pickOne")).value = "";
  for (const option of field.options || []) {
    make("option", "", element, inLanguage(option.title, option.titles, words.language)).value = option.id;
  }
  return { focus: element, get: () => element.value, set: (value) => { element.value = value; } };
}

function checks(box: HTMLElement, field: AskedField, words: Words, id: string): Made {
  const boxes = (field.options || []).map((option, i) => {
    const label = make("label", "check", box);
    const input = make("input", "", label);
    input.type = "checkbox";
    input.value = option.id;
    input.id = `${id}-${i}`;
    make("span", "", label, inLanguage(option.title, option.titles, words.language)).dir = "auto";
    return input;
  });
  return {
    focus: boxes[0] || box,
    get: () => boxes.filter((one) => one.checked).map((one) => one.value).join(SEPARATOR),
    set: (value) => {
      const chosen = value.split(SEPARATOR);
      boxes.forEach((one) => { one.checked = chosen.indexOf(one.value) >= 0; });
    },
  };
}
