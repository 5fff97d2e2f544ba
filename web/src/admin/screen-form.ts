// The settings of one screen, with what its size and the farthest seat lead to,
// and the form that pairs a new one.
import { Place, sizesFor, Warning } from "../board/size";
import { make, setText } from "../common/dom";
import { call } from "../common/http";
import { layoutOptions, themeOptions } from "./board";
import { Form, Values } from "./form";
import { Host } from "./host";
import { Display, Screens } from "./live";
import { dialog } from "./ui";
import { amount, say } from "./words";

const NUMBERS = ["inches", "width", "height", "seat", "rows"];

export function screenForm(parent: HTMLElement, all: Screens, one: Display, save: (values: Values) => Promise<unknown>): Form {
  const inherit: [string, string] = ["", say("screen.asLocation")];
  const desks = [["0", say("screen.noDesk")] as [string, string], ...all.desks.map((desk): [string, string] => [String(desk.id), desk.name])];
  const form = new Form(parent, [
    { name: "name", label: say("screen.name"), required: true, max: 60 },
    { name: "layout", label: say("board.layout"), kind: "select", options: [inherit, ...layoutOptions()], half: true },
    { name: "theme", label: say("board.theme"), kind: "select", options: [inherit, ...themeOptions()], half: true },
    { name: "desk", label: say("screen.desk"), kind: "select", options: desks, half: true },
    { name: "room", label: say("screen.room"), hint: say("screen.roomHint"), max: 40, half: true },
    { name: "lines", label: say("screen.lines"), kind: "checks", options: all.lines.map((line): [string, string] => [String(line.id), line.name]), hint: say("screen.linesHint") },
    { name: "inches", label: say("screen.inches"), kind: "number", half: true }, { name: "seat", label: say("screen.seat"), kind: "number", half: true },
    { name: "width", label: say("screen.width"), kind: "number", half: true }, { name: "height", label: say("screen.height"), kind: "number", half: true },
    { name: "rows", label: say("screen.rows"), kind: "number", half: true }, { name: "mute", label: say("screen.mute"), kind: "check" },
  ], say("save"), (values) => save({ ...values, desk: Number(values["desk"]), lines: values["lines"].map(Number) }));
  const advice = make("div", "advice", form.more);
  advice.setAttribute("role", "status");
  const advise = () => adviseOn(advice, form.read());
  form.element.addEventListener("input", advise);
  form.element.addEventListener("change", advise);
  form.fill({ mute: false, room: "", layout: "", theme: "", ...one, desk: one.desk || 0 });
  for (const name of NUMBERS) {
    if (!one[name as keyof Display]) form.control(name).value = "";
  }
  advise();
  return form;
}

/** Says what sizes the letters get, and warns where EN 301 549 cannot be met. */
function adviseOn(element: HTMLElement, values: Values): void {
  const place = values as Place;
  if (!place.inches || !place.width || !place.height || !place.seat) {
    setText(element, say("size.unknown"));
    element.className = "advice";
    return;
  }
  const layout = Number(values["desk"]) ? "desk" : values["layout"] || "board";
  const sizes = sizesFor(layout, place);
  element.className = sizes.warnings.length ? "advice bad" : "advice good";
  element.replaceChildren();
  make("p", "", element, say("size.chosen", { number: amount(sizes.number, 1), desk: amount(sizes.desk, 1), rows: sizes.rows * sizes.columns }));
  if (sizes.warnings.length === 0) {
    make("p", "", element, say("size.fine"));
  }
  sizes.warnings.forEach((warning) => make("p", "", element, warningWords(warning)));
}

function warningWords(warning: Warning): string {
  const key = warning.unreadable ? "size.unreadable" : "size.warning";
  return say(key, { part: say(`size.${warning.part}`), has: warning.has, needs: warning.needs, upTo: amount(warning.upTo, 1) });
}

export function pairForm(host: Host): void {
  dialog(say("screen.pair"), (body, close) => {
    make("p", "", body, say("screen.pairHow", { board: `${window.location.origin}/board/${host.location}`, kiosk: `${window.location.origin}/kiosk` }));
    new Form(body, [
      { name: "code", label: say("screen.code"), required: true, max: 16 },
      { name: "name", label: say("screen.name"), required: true, max: 60, placeholder: say("screen.nameExample") },
    ], say("screen.claim"), async (values) => {
      await call("POST", `/hub/v1/pairings/${encodeURIComponent(values["code"])}/claim`, { location: host.location, name: values["name"] });
      close();
      host.notice(say("screen.paired", { name: values["name"] }));
    });
  });
}
