// Forms from a description: labels, hints, and the hub's complaint at the field
// that it is about.
import { HubError } from "../client/index";
import { fillSelect, make, setText } from "../common/dom";
import { faultLine } from "./ui";
import { errorWords, say } from "./words";

export type Kind = "text" | "email" | "url" | "number" | "color" | "date" | "area" | "check" | "select" | "words" | "checks";

export interface Spec {
  name: string;
  label: string;
  kind?: Kind;
  hint?: string;
  required?: boolean;
  max?: number;
  min?: number;
  placeholder?: string;
  /** Of select and checks. */
  options?: ReadonlyArray<readonly [value: string, text: string]>;
  /** Half as wide, where there is room. */
  half?: boolean;
}

export type Values = { [name: string]: any };

/** A part of a form that knows where its own complaints belong. */
export interface Part {
  clear(): void;
  /** Shows a complaint about "[0].title" or ".SMS" of it; false when it is not its own. */
  fail(rest: string, words: string): boolean;
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Field {
  spec: Spec;
  box: HTMLElement;
  control: Control;
  boxes: HTMLInputElement[];
  error: HTMLElement;
}

let forms = 0;

export class Form {
  readonly element: HTMLFormElement;
  /** Further parts go here, between the fields and the button. */
  readonly more: HTMLElement;
  private readonly fields = new Map<string, Field>();
  private readonly parts = new Map<string, Part>();
  private readonly fault: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly id = `f${++forms}`;

  constructor(parent: HTMLElement, specs: readonly Spec[], submit: string, private readonly save: (values: Values) => Promise<unknown>) {
    this.element = make("form", "form", parent);
    this.element.noValidate = true; // the hub says what is wrong, at its field
    const grid = make("div", "fields", this.element);
    specs.forEach((spec) => this.fields.set(spec.name, this.field(grid, spec)));
    this.more = make("div", "more", this.element);
    this.fault = faultLine(this.element);
    this.button = make("button", "primary", make("div", "actions", this.element), submit);
    this.button.type = "submit";
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  private field(grid: HTMLElement, spec: Spec): Field {
    const kind = spec.kind || "text";
    const id = `${this.id}-${spec.name}`;
    const group = kind === "checks";
    const box = make(group ? "fieldset" : "div", `field ${kind}${spec.half ? " half" : ""}`, grid);
    const label = make(group ? "legend" : "label", "", undefined, spec.label);
    const control = make(kind === "select" ? "select" : kind === "area" || kind === "words" ? "textarea" : "input", "") as Control;
    const field: Field = { spec, box, control, boxes: [], error: make("p", "field-error") };
    if (group) {
      box.append(label);
      const row = make("div", "choices", box);
      for (const [value, text] of spec.options || []) {
        const one = make("label", "", row);
        const input = make("input", "", one);
        input.type = "checkbox";
        input.value = value;
        make("bdi", "", one, text);
        field.boxes.push(input);
      }
    } else {
      (label as HTMLLabelElement).htmlFor = control.id = id;
      control.name = spec.name;
      dress(control, spec, kind);
      box.append(...(kind === "check" ? [control, label] : [label, control]));
    }
    const described: string[] = [];
    if (spec.hint) {
      const hint = make("p", "hint", box, spec.hint);
      hint.id = `${id}-hint`;
      described.push(hint.id);
    }
    field.error.id = `${id}-error`;
    box.append(field.error);
    described.push(field.error.id);
    (group ? box : control).setAttribute("aria-describedby", described.join(" "));
    return field;
  }

  /** Complaints about this member are the part's. */
  part<T extends Part>(name: string, part: T): T {
    this.parts.set(name, part);
    return part;
  }

  /** The element of a field, for what this form does not know. */
  control(name: string): Control {
    return this.get(name).control;
  }

  private get(name: string): Field {
    const field = this.fields.get(name);
    if (!field) {
      throw new Error(`no field ${name}`);
    }
    return field;
  }

  fill(values: Values): void {
    this.fields.forEach((field, name) => {
      const value = values[name];
      const kind = field.spec.kind;
      if (kind === "checks") {
        const chosen = ((value || []) as unknown[]).map(String);
        field.boxes.forEach((box) => { box.checked = chosen.indexOf(box.value) >= 0; });
      } else if (kind === "check") {
        (field.control as HTMLInputElement).checked = !!value;
      } else if (kind === "words") {
        field.control.value = ((value || []) as string[]).join("\n");
      } else if (value !== undefined) {
        field.control.value = kind === "number" && value === 0 && !field.spec.required ? "" : String(value);
      }
    });
  }

  read(): Values {
    const values: Values = {};
    this.fields.forEach((field, name) => {
      const { kind } = field.spec;
      const text = field.control.value;
      if (kind === "checks") {
        values[name] = field.boxes.filter((box) => box.checked).map((box) => box.value);
      } else if (kind === "check") {
        values[name] = (field.control as HTMLInputElement).checked;
      } else if (kind === "words") {
        values[name] = text.split("\n").map((line) => line.trim()).filter((line) => line);
      } else if (kind === "number") {
        values[name] = Number(text);
      } else {
        values[name] = text.trim();
      }
    });
    return values;
  }

  private async submit(): Promise<void> {
    if (this.button.disabled) {
      return;
    }
    this.clear();
    this.button.disabled = true;
    try {
      await this.save(this.read());
    } catch (error) {
      this.fail(error as HubError);
    } finally {
      this.button.disabled = false;
    }
  }

  private clear(): void {
    setText(this.fault, "");
    this.parts.forEach((part) => part.clear());
    this.fields.forEach((field) => {
      setText(field.error, "");
      field.control.removeAttribute("aria-invalid");
    });
  }

  /** Puts the complaint where it belongs and the focus with it. */
  fail(error: HubError): void {
    const name = (error.field || "").split(/[.[]/)[0] || "";
    const part = this.parts.get(name);
    // At the control itself, its path is not worth reading.
    if (part && part.fail(error.field!.slice(name.length), errorWords(error).replace(`${error.field}: `, ""))) {
      return;
    }
    const field = this.fields.get(error.field || "") || this.fields.get(name);
    if (!field) {
      setText(this.fault, errorWords(error));
      return;
    }
    setText(field.error, errorWords(error));
    field.control.setAttribute("aria-invalid", "true");
    (field.boxes[0] || field.control).focus();
  }
}

function dress(control: Control, spec: Spec, kind: Kind): void {
  if (control instanceof HTMLSelectElement) {
    fillSelect(control, (spec.options || []).map(([value, text]): [string, string] => [value, text]));
    return;
  }
  control.autocomplete = "off";
  if (spec.max && kind !== "number") control.maxLength = spec.max;
  if (spec.placeholder) control.placeholder = spec.placeholder;
  if (control instanceof HTMLInputElement) {
    control.type = kind === "check" ? "checkbox" : kind;
    if (kind === "number") {
      control.min = String(spec.min ?? 0);
      if (spec.max) control.max = String(spec.max);
      control.step = "any";
    }
  } else {
    control.rows = 3;
  }
  if (kind === "text" || kind === "area" || kind === "words") control.dir = "auto";
  if (kind === "email" || kind === "url") control.dir = "ltr";
  if (spec.required) control.setAttribute("aria-required", "true");
}

/** The choice of locations for a form; none is all of them. */
export function locationOptions(locations: ReadonlyMap<number, string>): Array<[string, string]> {
  return Array.from(locations, ([id, name]): [string, string] => [String(id), name || say("location.number", { n: id })]);
}
