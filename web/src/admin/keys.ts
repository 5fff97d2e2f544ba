// The keys of both APIs. A key is shown once, when it is made.
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { Form, locationOptions } from "./form";
import { Host } from "./host";
import { named } from "./lines";
import { act, actions, badge, dialog, load, secret, sure, Table } from "./ui";
import { say, when } from "./words";

interface Key {
  id: string;
  api: string;
  name: string;
  locations: number[] | null;
  admin: boolean;
  department?: string;
  issued: string;
  used?: string;
}

export function keys(host: Host): void {
  const row = actions(host.main);
  const table = new Table(host.main, say("page.keys"), [say("key.name"), say("key.api"), say("key.where"), say("key.issued"), say("key.used"), ""], say("key.none"));
  const show = (answer: { keys: Key[] }) => {
    if (!host.alive()) return;
    table.fill(answer.keys, (key) => [
      key.name, apiCell(key), whereWords(host, key.locations), when(key.issued), when(key.used) || say("key.unused"), buttons(key),
    ]);
  };
  const buttons = (key: Key): Node => {
    const box = make("div", "row-actions");
    named(button(box, say("revoke"), () => sure(say("revoke"), say("key.sure", { name: key.name }), say("revoke"), () =>
      void act(host, call("DELETE", `/hub/v1/keys/${encodeURIComponent(key.id)}`), say("key.revoked")).then((answer) => answer && show(answer))), "danger"), key);
    return box;
  };
  const again = () => void act(host, call("GET", "/hub/v1/keys")).then((answer) => answer && show(answer));
  button(row, say("key.addQueue"), () => addQueue(host, again), "primary");
  button(row, say("key.addChat"), () => addChat(host, again));
  load(host, host.main, () => call("GET", "/hub/v1/keys"), show);
}

export function whereWords(host: Host, locations: number[] | null): string {
  return locations ? locations.map((id) => host.locations.get(id) || String(id)).join(", ") : say("everywhere");
}

function apiCell(key: Key): Node[] {
  const cells: Node[] = [badge(say(`key.${key.api}`))];
  if (key.admin && key.api === "queue") cells.push(badge(say("key.admin"), "warn"));
  if (key.department) {
    const id = make("code", "department", undefined, key.department);
    id.title = say("key.department");
    cells.push(id);
  }
  return cells;
}

function addQueue(host: Host, again: () => void): void {
  dialog(say("key.addQueue"), (body, close) => {
    new Form(body, [
      { name: "name", label: say("key.name"), hint: say("key.nameHint"), required: true, max: 60 },
      { name: "locations", label: say("key.where"), kind: "checks", options: locationOptions(host.locations), hint: say("key.whereHint") },
      { name: "admin", label: say("key.adminLabel"), kind: "check", hint: say("key.adminHint") },
    ], say("key.make"), async (values) => {
      const answer = await call("POST", "/hub/v1/keys", { ...values, api: "queue", locations: values["locations"].map(Number) });
      close();
      secret(say("key.made"), say("key.once"), answer.secret, again);
    });
  });
}

function addChat(host: Host, again: () => void): void {
  dialog(say("key.addChat"), (body, close) => {
    const form = new Form(body, [
      { name: "name", label: say("key.name"), hint: say("key.nameHint"), required: true, max: 60 },
      { name: "location", label: say("location"), kind: "select", options: locationOptions(host.locations) },
    ], say("key.make"), async (values) => {
      const answer = await call("POST", "/hub/v1/keys", { name: values["name"], api: "chat", location: Number(values["location"]), admin: true });
      close();
      secret(say("key.made"), say("key.onceChat", { department: answer.key.department }), answer.secret, again);
    });
    form.fill({ location: host.location });
  });
}
