// The audit log: who signed in, was refused, changed settings, erased.
import { button } from "../common/dom";
import { call } from "../common/http";
import { Host } from "./host";
import { actions, badge, load, Table } from "./ui";
import { fullName } from "./users";
import { say, when } from "./words";

interface Entry {
  seq: number;
  time: string;
  action: string;
  who?: string;
  on?: string;
  from?: string;
  result: string;
  times?: number;
}

const PAGE = 50;

export function audit(host: Host): void {
  const row = actions(host.main);
  const table = new Table(host.main, say("page.audit"), [say("audit.time"), say("audit.action"), say("audit.who"), say("audit.on"), say("audit.from"), say("audit.result")], say("audit.none"));
  let names = new Map<string, string>();
  let shown: Entry[] = [];
  const show = () => table.fill(shown, (entry) => [
    when(entry.time), say(`audit.action.${entry.action}`) + (entry.times ? ` \u00d7${entry.times}` : ""), person(entry.who), person(entry.on), entry.from || "",
    [badge(entry.result === "ok" ? say("audit.ok") : entry.result, entry.result === "ok" ? "good" : "warn")],
  ]);
  const person = (credential = "") => names.get(credential) ? `${names.get(credential)} (${credential})` : credential;
  const older = button(row, say("audit.older"), () => {
    load(host, host.main, () => call("GET", `/hub/v1/audit?limit=${PAGE}&before=${shown[shown.length - 1]!.seq}`), (answer: { entries: Entry[] }) => {
      shown = shown.concat(answer.entries);
      older.hidden = answer.entries.length < PAGE;
      show();
    });
  });
  button(row, say("refresh"), () => host.reload());
  older.hidden = true;
  load(host, host.main, async () => {
    const all = await call("GET", "/hub/v1/users");
    names = new Map(all.users.map((u: any): [string, string] => [`user:${u.id}`, fullName(u)]));
    return call("GET", `/hub/v1/audit?limit=${PAGE}`);
  }, (answer: { entries: Entry[] }) => {
    shown = answer.entries;
    older.hidden = answer.entries.length < PAGE;
    show();
  });
}
