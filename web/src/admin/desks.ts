// Desks: where visitors are served.
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { Form } from "./form";
import { at, Host } from "./host";
import { named } from "./lines";
import { act, actions, dialog, load, sure, Table } from "./ui";
import { say } from "./words";

interface Desk {
  id: number;
  name: string;
  user?: number;
}

export function desks(host: Host): void {
  const row = actions(host.main);
  const table = new Table(host.main, say("page.desks"), [say("desk.name"), say("desk.user"), ""], say("desk.none"));
  let people = new Map<number, string>();
  const show = (answer: { desks: Desk[] }) => {
    if (!host.alive()) return;
    table.fill(answer.desks, (desk) => [desk.name, people.get(desk.user || 0) || say("desk.free"), buttons(desk)]);
  };
  const buttons = (desk: Desk): Node => {
    const box = make("div", "row-actions");
    named(button(box, say("rename"), () => edit(desk)), desk);
    named(button(box, say("remove"), () => sure(say("remove"), say("desk.sure", { name: desk.name }), say("remove"), () =>
      void act(host, call("DELETE", at(host, `desks/${desk.id}`)), say("removed")).then((answer) => answer && show(answer))), "danger"), desk);
    return box;
  };
  const edit = (desk?: Desk) => dialog(desk ? say("rename") : say("desk.add"), (body, close) => {
    const form = new Form(body, [{ name: "name", label: say("desk.name"), hint: say("desk.hint"), required: true, max: 60 }], say("save"), async (values) => {
      await call(desk ? "PATCH" : "POST", at(host, desk ? `desks/${desk.id}` : "desks"), values);
      show(await call("GET", at(host, "desks")));
      close();
      host.notice(say("saved"));
    });
    if (desk) form.fill(desk);
  });
  button(row, say("desk.add"), () => edit(), "primary");
  load(host, host.main, async () => {
    const all = await call("GET", "/hub/v1/users");
    people = new Map(all.users.map((u: any): [number, string] => [u.id, `${u.firstName} ${u.lastName}`.trim() || u.email]));
    return call("GET", at(host, "desks"));
  }, show);
}
