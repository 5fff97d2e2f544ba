// Users and what they may do where.
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { Form, Spec, Values } from "./form";
import { Host } from "./host";
import { named } from "./lines";
import { act, actions, badge, dialog, load, own, secret, sure, Table } from "./ui";
import { say, when } from "./words";

interface User {
  id: number;
  email: string;
  firstName: string;
  lastName: string;
  admin: boolean;
  owner?: boolean;
  work: Array<{ location: number; type: string }>;
  active: boolean;
  password: boolean;
  invited?: string;
  version: string;
}

export function users(host: Host): void {
  const row = actions(host.main);
  const table = new Table(host.main, say("page.users"), [say("user.name"), say("email"), say("user.rights"), say("state"), ""]);
  const show = (answer: { users: User[] }) => {
    if (!host.alive()) return;
    const list = answer.users.slice().sort((a, b) => Number(b.active) - Number(a.active) || a.id - b.id);
    table.fill(list, (user) => [fullName(user), user.email, rights(host, user), states(user), buttons(user)],
      (element, user) => element.classList.toggle("away", !user.active));
  };
  const again = () => void act(host, call("GET", "/hub/v1/users")).then((answer) => answer && show(answer));
  const link = (answer: { link: string; expires: string } | undefined, user: { name: string }) => {
    if (answer) secret(say("user.link", user), say("user.linkText", { until: when(answer.expires) }), answer.link, again);
  };
  const buttons = (user: User): Node => {
    const box = make("div", "row-actions");
    const name = { name: fullName(user) };
    if (!user.active) {
      named(button(box, say("user.activate"), () =>
        void act(host, call("POST", `/hub/v1/users/${user.id}/activate`)).then((answer) => link(answer, name))), name);
      return box;
    }
    named(button(box, say("edit"), () => edit(host, user, show, link)), name);
    named(button(box, say("user.invite"), () =>
      void act(host, call("POST", `/hub/v1/users/${user.id}/invite`)).then((answer) => link(answer, name))), name);
    if (user.id !== host.user.id) {
      named(button(box, say("user.deactivate"), () => sure(say("user.deactivate"), say("user.sure", name), say("user.deactivate"), () =>
        void act(host, call("DELETE", `/hub/v1/users/${user.id}`), say("user.deactivated", name)).then((answer) => answer && show(answer))), "danger"), name);
    }
    return box;
  };
  button(row, say("user.add"), () => edit(host, undefined, show, link), "primary");
  load(host, host.main, () => call("GET", "/hub/v1/users"), show);
}

export function fullName(user: { firstName: string; lastName: string; email: string }): string {
  return `${user.firstName} ${user.lastName}`.trim() || user.email;
}

function rights(host: Host, user: User): Array<Node | string> {
  const out: Array<Node | string> = [];
  if (user.admin) out.push(badge(say(user.owner ? "user.owner" : "user.admin"), "plain"));
  for (const { location, type } of user.work) {
    const one = make("span", "work");
    one.append(own(host.locations.get(location) || String(location)), `: ${say(`role.${type}`)}`);
    out.push(one);
  }
  return out;
}

function states(user: User): Node[] {
  if (!user.active) return [badge(say("user.isInactive"), "bad")];
  if (user.password) return [badge(say("user.isActive"), "good")];
  return [badge(user.invited ? say("user.isInvited", { until: when(user.invited) }) : say("user.noPassword"), "warn")];
}

function edit(host: Host, user: User | undefined, show: (answer: { users: User[] }) => void, link: (answer: any, user: { name: string }) => void): void {
  dialog(user ? say("user.edit", { name: fullName(user) }) : say("user.add"), (body, close) => {
    const specs: Spec[] = [
      { name: "firstName", label: say("user.firstName"), half: true, max: 60 }, { name: "lastName", label: say("user.lastName"), half: true, max: 60 },
      { name: "email", label: say("email"), kind: "email", required: true, max: 254 },
      { name: "admin", label: say("user.adminLabel"), kind: "check", hint: say("user.adminHint") },
    ];
    const roles: Array<readonly [string, string]> = [["", say("role.none")], ["CLERK", say("role.CLERK")], ["MANAGER", say("role.MANAGER")]];
    host.locations.forEach((name, id) => specs.push({ name: `work-${id}`, label: say("user.workIn", { name }), kind: "select", options: roles, half: true }));
    const form = new Form(body, specs, say(user ? "save" : "user.create"), async (values) => {
      const wanted = { ...values, work: workOf(host, values) };
      if (user) {
        show(await call("PUT", `/hub/v1/users/${user.id}`, { ...wanted, version: user.version }));
        close();
        host.notice(say("saved"));
        return;
      }
      const answer = await call("POST", "/hub/v1/users", wanted);
      close();
      link(answer, { name: `${values["firstName"]} ${values["lastName"]}`.trim() || values["email"] });
    });
    const filled: Values = { ...user };
    host.locations.forEach((_, id) => {
      filled[`work-${id}`] = (user ? user.work.find((w) => w.location === id)?.type : id === host.location ? "CLERK" : "") || "";
    });
    form.fill(filled);
  });
}

function workOf(host: Host, values: Values): object[] {
  const work: object[] = [];
  host.locations.forEach((_, location) => {
    const type = values[`work-${location}`];
    delete values[`work-${location}`];
    if (type) work.push({ location, type });
  });
  return work;
}
