// Lines: what visitors wait in.
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { LANGUAGES } from "./card-list";
import { Form, Spec, Values } from "./form";
import { at, Host } from "./host";
import { Order } from "./order";
import { act, actions, badge, dialog, load, own, sure, Table } from "./ui";
import { say } from "./words";

interface Line {
  id: number;
  name: string;
  series: string;
  color: string;
  disabled: boolean;
  archived: boolean;
  translations?: { [language: string]: string };
  appointment: number;
  waiting: number;
  version: string;
}

export function lines(host: Host): void {
  const row = actions(host.main);
  const table = new Table(host.main, say("page.lines"), [say("line.name"), say("line.series"), say("line.waiting"), say("state"), ""], say("line.none"));
  const show = (answer: { lines: Line[] }) => {
    if (!host.alive()) return;
    order.all = answer.lines;
    table.fill(answer.lines, (line) => [nameCell(line), line.series, String(line.waiting), stateCell(line), buttons(line)]);
  };
  const order = new Order<Line>(host, "lines", (line) => line.name, show);
  const change = (line: Line, body: object, done: string) =>
    void act(host, call("PATCH", at(host, `lines/${line.id}`), body), done).then((answer) => answer && show(answer));
  const buttons = (line: Line): Node => {
    const box = make("div", "row-actions");
    order.buttons(box, line);
    named(button(box, say("edit"), () => edit(host, line, show)), line);
    named(button(box, say(line.disabled ? "enable" : "disable"), () =>
      change(line, { disabled: !line.disabled }, say(line.disabled ? "line.enabled" : "line.disabled", { name: line.name }))), line);
    named(button(box, say(line.archived ? "unarchive" : "archive"), () =>
      change(line, { archived: !line.archived }, say("saved"))), line);
    named(button(box, say("remove"), () => sure(say("remove"), say("line.sure", { name: line.name }), say("remove"), () =>
      void act(host, call("DELETE", at(host, `lines/${line.id}`)), say("removed")).then((answer) => answer && show(answer))), "danger"), line);
    return box;
  };
  button(row, say("line.add"), () => edit(host, undefined, show), "primary");
  load(host, host.main, () => call("GET", at(host, "lines")), show);
}

/** Many rows have the same buttons: each says which one it is about. */
export function named(element: HTMLButtonElement, thing: { name: string }): void {
  element.setAttribute("aria-label", `${element.textContent} ${thing.name}`);
}

function nameCell(line: Line): Node[] {
  const swatch = make("span", "swatch");
  swatch.style.backgroundColor = line.color;
  return [swatch, own(line.name, "strong")];
}

function stateCell(line: Line): Node[] {
  const marks: Node[] = [];
  if (line.disabled) marks.push(badge(say("line.isDisabled"), "warn"));
  if (line.archived) marks.push(badge(say("line.isArchived")));
  if (marks.length === 0) marks.push(badge(say("line.isOpen"), "good"));
  return marks;
}

function specs(): Spec[] {
  const list: Spec[] = [
    { name: "name", label: say("line.name"), required: true, max: 60 },
    { name: "series", label: say("line.series"), hint: say("line.seriesHint"), max: 3, half: true },
    { name: "color", label: say("line.color"), kind: "color", half: true },
    { name: "appointment", label: say("line.appointment"), kind: "number", max: 1440, hint: say("line.appointmentHint") },
  ];
  for (const language of LANGUAGES) {
    list.push({ name: `name-${language}`, label: say("line.translation", { language: languageName(language) }), half: true, max: 60 });
  }
  return list;
}

/** A language's own name, so that whoever speaks it finds it. */
export function languageName(code: string): string {
  try {
    return new (Intl as any).DisplayNames([code], { type: "language" }).of(code) || code;
  } catch {
    return code;
  }
}

function read(values: Values): object {
  const translations: { [language: string]: string } = {};
  for (const language of LANGUAGES) {
    if (values[`name-${language}`]) translations[language] = values[`name-${language}`];
  }
  return { name: values["name"], series: values["series"], color: values["color"], appointment: values["appointment"], translations };
}

function edit(host: Host, line: Line | undefined, show: (answer: { lines: Line[] }) => void): void {
  dialog(line ? say("line.edit", { name: line.name }) : say("line.add"), (body, close) => {
    const form = new Form(body, specs(), say("save"), async (values) => {
      const wanted = read(values) as { [name: string]: unknown };
      if (line) {
        show(await call("PATCH", at(host, `lines/${line.id}`), { ...wanted, version: line.version }));
      } else {
        if (!wanted["series"]) delete wanted["series"];
        await call("POST", at(host, "lines"), wanted);
        show(await call("GET", at(host, "lines")));
      }
      close();
      host.notice(say("saved"));
    });
    const names: Values = {};
    LANGUAGES.forEach((language) => { names[`name-${language}`] = (line?.translations || {})[language] || ""; });
    form.fill({ color: "#1C7ED6", ...line, ...names });
  });
}
