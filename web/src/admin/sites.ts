// The websites that show the chat widget.
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { Form, Spec, Values } from "./form";
import { at, Host } from "./host";
import { named } from "./lines";
import { act, actions, dialog, load, own, sure, Table } from "./ui";
import { say } from "./words";

interface Site {
  key: string;
  name: string;
  title: string;
  color: string;
  position: string;
  language: string;
  origins: string[];
  texts: { [name: string]: string };
  lines: number[];
  requireIdentity: boolean;
  attachments: boolean;
}

const TEXTS = ["online", "busy", "closed", "offlineForm"];

export function sites(host: Host): void {
  const row = actions(host.main);
  const table = new Table(host.main, say("page.sites"), [say("site.name"), say("site.origins"), say("site.key"), ""], say("site.none"));
  let lines: Array<[string, string]> = [];
  const show = (answer: { sites: Site[] }) => {
    if (!host.alive()) return;
    table.fill(answer.sites, (site) => [nameCell(site), site.origins.join(", ") || say("site.ownOnly"), make("code", "", undefined, site.key), buttons(site)]);
  };
  const again = () => void act(host, call("GET", at(host, "sites"))).then((answer) => answer && show(answer));
  const buttons = (site: Site): Node => {
    const box = make("div", "row-actions");
    named(button(box, say("edit"), () => edit(host, site, lines, again)), site);
    named(button(box, say("site.snippet"), () => snippet(site)), site);
    named(button(box, say("remove"), () => sure(say("remove"), say("site.sure", site as any), say("remove"), () =>
      void act(host, call("DELETE", `/hub/v1/sites/${site.key}`), say("removed")).then((answer) => answer && again())), "danger"), site);
    return box;
  };
  button(row, say("site.add"), () => edit(host, undefined, lines, again), "primary");
  load(host, host.main, async () => {
    const answer = await call("GET", at(host, "lines"));
    lines = answer.lines.filter((line: any) => !line.archived).map((line: any): [string, string] => [String(line.id), line.name]);
    return call("GET", at(host, "sites"));
  }, show);
}

function nameCell(site: Site): Node[] {
  const swatch = make("span", "swatch");
  swatch.style.backgroundColor = site.color;
  return [swatch, own(site.name, "strong")];
}

function specs(lines: Array<[string, string]>): Spec[] {
  return [
    { name: "name", label: say("site.name"), required: true, max: 60, half: true },
    { name: "title", label: say("site.title"), hint: say("site.titleHint"), max: 60, half: true },
    { name: "color", label: say("line.color"), kind: "color", half: true },
    { name: "position", label: say("site.position"), kind: "select", half: true, options: [["right", say("site.right")], ["left", say("site.left")]] },
    { name: "language", label: say("site.language"), hint: say("site.languageHint"), max: 10, half: true },
    { name: "origins", label: say("site.origins"), kind: "words", hint: say("site.originsHint") },
    { name: "lines", label: say("site.lines"), kind: "checks", options: lines, hint: say("site.linesHint") },
    { name: "attachments", label: say("site.attachments"), kind: "check" },
    { name: "requireIdentity", label: say("site.requireIdentity"), kind: "check", hint: say("site.requireIdentityHint") },
    ...TEXTS.map((name): Spec => ({ name: `text-${name}`, label: say(`site.text.${name}`), kind: "area", max: 500 })),
  ];
}

function edit(host: Host, site: Site | undefined, lines: Array<[string, string]>, again: () => void): void {
  dialog(site ? say("site.edit", { name: site.name }) : say("site.add"), (body, close) => {
    const form = new Form(body, specs(lines), say("save"), async (values) => {
      const texts: { [name: string]: string } = {};
      for (const name of TEXTS) {
        const text = values[`text-${name}`];
        delete values[`text-${name}`];
        if (text) texts[name] = text;
      }
      const wanted = { ...values, texts, lines: values["lines"].map(Number) };
      await call(site ? "PATCH" : "POST", site ? `/hub/v1/sites/${site.key}` : at(host, "sites"), wanted);
      close();
      host.notice(say("saved"));
      again();
    });
    const filled: Values = { color: "#1C7ED6", attachments: true, ...site };
    TEXTS.forEach((name) => { filled[`text-${name}`] = site ? site.texts[name] || "" : ""; });
    form.fill(filled);
  });
}

/** What goes into the website's pages. */
function snippet(site: Site): void {
  dialog(say("site.snippet"), (body) => {
    make("p", "", body, say("site.snippetHow"));
    const label = make("label", "", body, say("site.code"));
    const field = make("textarea", "secret", label);
    field.readOnly = true;
    field.dir = "ltr";
    field.rows = 3;
    field.value = `<script src="${window.location.origin}/widget.js" data-key="${site.key}" async></script>`;
    field.autofocus = true;
    field.addEventListener("focus", () => field.select());
  });
}
