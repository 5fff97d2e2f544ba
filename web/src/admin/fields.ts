// Input fields: what visitors are asked, and clerks see.
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { editField, InputField, isAsked, isNamed, Known, nameOf } from "./field-form";
import { at, Host } from "./host";
import { named } from "./lines";
import { Order } from "./order";
import { act, actions, badge, dialog, load, own, sure, Table } from "./ui";
import { say } from "./words";

/** Every location keeps these two. */
const KEPT = ["FIRST_NAME", "LAST_NAME"];

export function inputFields(host: Host): void {
  const row = actions(host.main);
  const heads = [say("input.title"), say("input.type"), say("page.lines"), say("state"), ""];
  const table = new Table(host.main, say("page.fields"), heads, say("input.none"));
  let known: Known = { lines: [], languages: [], taken: [] };
  const show = (answer: { fields: InputField[] }) => {
    if (!host.alive()) return;
    order.all = answer.fields;
    known = { ...known, taken: answer.fields.map((field) => field.type) };
    table.fill(answer.fields, (field) => [own(nameOf(field), "strong"), say(`input.type.${field.type}`), where(field, known), states(field), buttons(field)]);
  };
  const order = new Order<InputField>(host, "input-fields", nameOf, show);
  const edit = (field?: InputField) =>
    dialog(field ? say("line.edit", { name: nameOf(field) }) : say("input.add"), (body, close) => editField(host, body, field, known, (answer) => {
      show(answer);
      close();
      host.notice(say("saved"));
    }));
  const buttons = (field: InputField): Node => {
    const box = make("div", "row-actions");
    const name = { name: nameOf(field) };
    order.buttons(box, field);
    named(button(box, say("edit"), () => edit(field)), name);
    if (KEPT.indexOf(field.type) < 0) {
      named(button(box, say("remove"), () => sure(say("remove"), say("input.sure", name), say("remove"), () =>
        void act(host, call("DELETE", at(host, `input-fields/${field.id}`)), say("removed")).then((answer) => answer && show(answer))), "danger"), name);
    }
    return box;
  };
  const add = button(row, say("input.add"), () => edit(), "primary");
  add.disabled = true; // the form needs the lines
  load(host, host.main, () => Promise.all([
    call("GET", at(host, "input-fields")), call("GET", at(host, "lines")), call("GET", at(host, "settings")),
  ]), ([answer, { lines }, settings]) => {
    known = { lines, languages: settings.languages, taken: [] };
    add.disabled = false;
    show(answer);
  });
}

function where(field: InputField, known: Known): string {
  const names = (field.lines || []).map((id) => known.lines.find((line) => line.id === id)?.name || say("input.goneLine", { n: id }));
  return names.join(", ") || say("input.everyLine");
}

function states(field: InputField): Node[] {
  const marks: Node[] = [];
  if (field.inRemoteSignIn) marks.push(badge(say("input.isRequired"), "warn"));
  if (isNamed(field.type)) return marks; // whether they are asked is a matter of another page
  if (field.showInRemoteSignIn && isAsked(field.type)) marks.push(badge(say("input.isAsked"), "good"));
  if (marks.length === 0) marks.push(badge(say("input.isStaff")));
  return marks;
}
