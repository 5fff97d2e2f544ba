// A list in a form: rows of controls that are added and taken away, with the
// hub's complaint at the control that it is about.
import { button, fillSelect, make, setText } from "../common/dom";
import { Part, Values } from "./form";
import { tick } from "./ui";
import { say } from "./words";

export interface Column {
  name: string;
  label: string;
  kind?: "text" | "number" | "select" | "color" | "check";
  options?: ReadonlyArray<[value: string, text: string]>;
  max?: number;
  /** Addresses and numbers, which are written one way in every language. */
  ltr?: boolean;
  /** Among what is folded away. */
  more?: boolean;
}

export interface RowsSpec {
  columns: readonly Column[];
  add: string;
  /** What a new row holds. */
  fresh(): Values;
  /** The summary of what is folded away. */
  more?: string;
}

type Control = HTMLInputElement | HTMLSelectElement;

interface Row {
  /** What the row was made of, with members that it does not show. */
  values: Values;
  element: HTMLElement;
  controls: Map<string, Control>;
  error: HTMLElement;
  remove: HTMLButtonElement;
}

let lists = 0;

export class Rows implements Part {
  private readonly rows: Row[] = [];
  private readonly list: HTMLElement;
  private readonly fault: HTMLElement;
  private readonly adder: HTMLButtonElement;
  private readonly id = `r${++lists}`;
  private made = 0;

  constructor(parent: HTMLElement, private readonly spec: RowsSpec, values: readonly Values[]) {
    this.list = make("div", "rows", parent);
    this.fault = make("p", "field-error", parent);
    this.fault.id = `${this.id}-fault`;
    this.adder = button(make("div", "actions", parent), spec.add, () => this.add(spec.fresh(), true));
    this.adder.setAttribute("aria-describedby", this.fault.id);
    values.forEach((one) => this.add(one, false));
  }

  private add(values: Values, focus: boolean): void {
    const element = make("div", "row", this.list);
    element.setAttribute("role", "group");
    const row: Row = { values, element, controls: new Map(), error: make("p", "field-error"), remove: make("button", "") };
    row.error.id = `${this.id}-${++this.made}-error`;
    const folded = this.spec.more ? make("details", "row-more") : undefined;
    if (folded) make("summary", "", folded, this.spec.more);
    for (const column of this.spec.columns) {
      row.controls.set(column.name, control(column.more && folded ? folded : element, column, values[column.name]));
    }
    row.remove = button(element, say("remove"), () => this.take(row), "quiet");
    element.append(row.error);
    if (folded) element.append(folded);
    row.controls.forEach((one) => one.setAttribute("aria-describedby", row.error.id));
    this.rows.push(row);
    this.number();
    if (focus) first(row).focus();
  }

  /** Takes a row away; the focus goes to the next one, or to where rows are added. */
  private take(row: Row): void {
    const at = this.rows.indexOf(row);
    this.rows.splice(at, 1);
    row.element.remove();
    this.number();
    (this.rows[Math.min(at, this.rows.length - 1)]?.remove || this.adder).focus();
  }

  /** Rows look alike: each says which one it is. */
  private number(): void {
    this.rows.forEach((row, i) => row.element.setAttribute("aria-label", say("row.number", { n: i + 1 })));
  }

  read(): Values[] {
    return this.rows.map((row) => {
      const read: Values = { ...row.values };
      row.controls.forEach((one, name) => {
        read[name] = one instanceof HTMLInputElement && one.type === "checkbox" ? one.checked : one.value.trim();
        // A colour that was never chosen is not black.
        if (one.type === "color" && one.dataset["shown"] === one.value) read[name] = row.values[name] || "";
      });
      return read;
    });
  }

  clear(): void {
    setText(this.fault, "");
    this.rows.forEach((row) => {
      setText(row.error, "");
      row.controls.forEach((one) => one.removeAttribute("aria-invalid"));
    });
  }

  fail(rest: string, words: string): boolean {
    const found = /^\[(\d+)\]\.?(\w*)/.exec(rest);
    const row = found ? this.rows[Number(found[1])] : undefined;
    if (row && found) {
      this.mark(row, row.controls.get(found[2]!) || first(row), words);
      return true;
    }
    setText(this.fault, words);
    this.adder.focus();
    return true;
  }

  /** Puts a complaint at the last row whose member has this value. */
  failAt(name: string, value: string, words: string): boolean {
    const row = this.rows.filter((one) => one.controls.get(name)?.value === value).pop();
    if (row) this.mark(row, first(row, name), words);
    return !!row;
  }

  private mark(row: Row, one: Control, words: string): void {
    const folded = one.closest("details");
    if (folded) folded.open = true;
    setText(row.error, words);
    one.setAttribute("aria-invalid", "true");
    one.focus();
  }
}

/** The first control of a row, but for one. */
function first(row: Row, except = ""): Control {
  const all = Array.from(row.controls).filter(([name]) => name !== except);
  return all[0]![1];
}

function control(parent: HTMLElement, column: Column, value: unknown): Control {
  if (column.kind === "check") {
    return tick(parent, column.label, !!value);
  }
  const label = make("label", `row-field ${column.kind || "text"}`, parent);
  make("span", "", label, column.label);
  if (column.kind === "select") {
    const select = make("select", "", label);
    const known = (column.options || []).some(([one]) => one === value) || !value;
    fillSelect(select, [...(column.options || []), ...(known ? [] : [[String(value), String(value)] as [string, string]])]);
    if (value) select.value = String(value);
    return select;
  }
  const input = make("input", "", label);
  input.type = column.kind || "text";
  input.autocomplete = "off";
  if (column.max) input.maxLength = column.max;
  if (column.kind === "number") {
    input.min = "0";
    input.step = "any";
  } else if (column.kind !== "color") {
    input.dir = column.ltr ? "ltr" : "auto";
  }
  if (column.kind === "color") {
    input.value = /^#[0-9a-f]{6}$/i.test(String(value)) ? String(value) : "#808080";
    input.dataset["shown"] = input.value;
  } else {
    input.value = value === undefined ? "" : String(value);
  }
  return input;
}
