// Surveys and document templates: a title, and lines of a kind each.
import { button, fillSelect, make } from "../common/dom";
import { tick } from "./ui";
import { say } from "./words";

interface Line {
  id?: number;
  type: string;
  title?: string;
  name?: string;
  mandatory?: boolean;
}

interface Document {
  id: number;
  title: string;
  [lines: string]: unknown;
}

interface Entry {
  one: Document;
  title: HTMLInputElement;
  lines: Array<{ line: Line; text: HTMLInputElement; type: HTMLSelectElement; must?: HTMLInputElement }>;
}

export class DocumentList {
  private readonly list: HTMLElement;
  private readonly entries: Entry[] = [];

  constructor(parent: HTMLElement, documents: Document[], private readonly member: "questions" | "fields", private readonly types: string[]) {
    this.list = make("div", "documents", parent);
    documents.forEach((one) => this.add(one));
    button(make("div", "actions", parent), say("document.add"), () => {
      this.add({ id: 0, title: "", [member]: [{ type: types[0] }] }).title.focus();
    });
  }

  private add(one: Document): Entry {
    const box = make("div", "document", this.list);
    const head = make("div", "card-row", box);
    const title = input(head, one.title, say("document.title"));
    const entry: Entry = { one, title, lines: [] };
    this.entries.push(entry);
    button(head, say("remove"), () => {
      box.remove();
      this.entries.splice(this.entries.indexOf(entry), 1);
    }, "quiet");
    const rows = make("div", "card-list", box);
    ((one[this.member] || []) as Line[]).forEach((line) => this.line(rows, entry, line));
    button(make("div", "actions", box), say(`document.add.${this.member}`), () => this.line(rows, entry, { type: this.types[0]! }).focus());
    return entry;
  }

  private line(parent: HTMLElement, entry: Entry, line: Line): HTMLInputElement {
    const row = make("div", "card-row", parent);
    const type = make("select", "", row);
    type.setAttribute("aria-label", say("document.type"));
    fillSelect(type, this.types.map((name): [string, string] => [name, say(`type.${name}`)]));
    type.value = line.type;
    const text = input(row, line.title || line.name || "", say(`document.${this.member}`));
    const known: Entry["lines"][0] = { line, text, type };
    if (this.member === "questions") {
      known.must = tick(row, say("document.mandatory"), !!line.mandatory);
    }
    entry.lines.push(known);
    button(row, say("remove"), () => {
      row.remove();
      entry.lines.splice(entry.lines.indexOf(known), 1);
    }, "quiet");
    return text;
  }

  read(): Document[] {
    let next = this.entries.reduce((most, { one }) => Math.max(most, one.id), 0) + 1;
    return this.entries.filter(({ title }) => title.value.trim()).map(({ one, title, lines }) => ({
      ...one, id: one.id || next++, title: title.value.trim(), [this.member]: this.readLines(lines),
    }));
  }

  private readLines(lines: Entry["lines"]): Line[] {
    let next = lines.reduce((most, { line }) => Math.max(most, line.id || 0), 0) + 1;
    return lines.filter(({ text }) => text.value.trim()).map(({ line, text, type, must }) => {
      const read: Line = { ...line, type: type.value };
      if (!must) return { ...read, name: text.value.trim() };
      return { ...read, id: line.id || next++, title: text.value.trim(), mandatory: must.checked };
    });
  }
}

function input(parent: HTMLElement, value: string, label: string): HTMLInputElement {
  const element = make("input", "", parent);
  element.value = value;
  element.maxLength = 200;
  element.dir = "auto";
  element.placeholder = label;
  element.setAttribute("aria-label", label);
  return element;
}
