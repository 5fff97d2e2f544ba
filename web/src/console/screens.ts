// The list of screens: how each of them is, and what can be done about it.
import { HubError } from "../client/index";
import { Place, sizesFor, Warning } from "../board/size";
import { button, Item, make, setText } from "../common/dom";
import { call } from "../common/http";
import { Device, Display } from "./state";
import { errorWords } from "./words";

/** A clock that is further off than this is worth a word. */
const DRIFT = 2000;
/** A screen that is online and does not report for so long is stuck. */
const SILENT = 35000;

/** What the rows need of the page around them. */
export interface ScreensHost {
  now(): number;
  device(display: number): Device | undefined;
  notice(text: string, bad: boolean): void;
}

const LAYOUTS: Array<[value: string, text: string]> = [
  ["", "As the location"], ["board", "Board"], ["focus", "Focus"], ["media", "Media and rail"], ["portrait", "Portrait"], ["desk", "Desk sign"],
];

const FIELDS: Array<[name: keyof Display & string, label: string, type: string]> = [
  ["inches", "Diagonal, inches", "number"], ["width", "Pixels across", "number"], ["height", "Pixels down", "number"],
  ["seat", "Farthest seat, metres", "number"], ["rows", "Rows (0: as many as fit)", "number"], ["desk", "Sign of desk (id)", "number"],
  ["room", "Room", "text"],
];

/** "Chrome 120, focus, sound on, speaks for its room" */
export function deviceWords(display: Display, device: Device | undefined, now: number): string {
  if (!device) {
    return "";
  }
  const parts = [device.engine, device.layout, `${device.width}\u00d7${device.height}`];
  if (display.mute) {
    parts.push("muted");
  } else {
    parts.push(device.sound === "open" ? "sound on" : device.sound === "locked" ? "SOUND LOCKED: press OK on its remote" : "no sound device");
    if (device.speaks) parts.push("speaks for its room");
  }
  parts.push(Math.abs(device.drift) >= DRIFT ? `CLOCK OFF BY ${Math.round(device.drift / 1000)} s` : "clock ok");
  parts.push(device.receipt ? `last receipt ${device.receipt}` : "no receipt yet");
  const silence = now - Date.parse(device.seen);
  if (display.online && silence > SILENT) {
    parts.push(`NO REPORT FOR ${Math.round(silence / 1000)} s`);
  }
  return parts.filter(Boolean).join(" \u00b7 ");
}

/** Whether staff should have a look at the screen. */
export function needsCare(display: Display, device: Device | undefined, now: number): boolean {
  return /[A-Z]{3,} [A-Z]+/.test(deviceWords(display, device, now));
}

/** A warning of the size formula in words. */
export function sizeWords(warning: Warning): string {
  const what = { number: "The number", desk: "The desk", list: "The list" }[warning.part];
  const end = warning.unreadable ? ", and cannot be read at all from there" : "";
  return `${what} is ${warning.has} mm high; EN 301 549 (0.7\u00b0) needs ${warning.needs} mm, reached up to ${warning.upTo} m${end}.`;
}

/** One screen's row. */
export function screenRow(host: ScreensHost): Item<Display> {
  const element = make("li", "");
  const head = make("div", "screen-head", element);
  const name = make("span", "", head);
  const state = make("span", "screen-state", head);
  const about = make("p", "screen-about", element);
  const details = make("details", "", element);
  make("summary", "", details, "Settings");
  let display: Display = { id: 0, name: "" };
  const change = (body: object, done: string) =>
    call("PATCH", `/hub/v1/displays/${display.id}`, body).then(
      () => host.notice(done, false), (error: HubError) => host.notice(errorWords(error), true));
  const form = settingsForm(details, (body) => void change(body, `${display.name} has its new settings.`));
  const actions = make("div", "actions", details);
  button(actions, "Reload", () => void change({ reload: true }, `${display.name} loads its page again.`));
  button(actions, "Remove", () => {
    if (window.confirm(`Remove ${display.name}? It will have to be paired again.`)) {
      call("DELETE", `/hub/v1/displays/${display.id}`).then(
        () => host.notice(`${display.name} is removed.`, false), (error: HubError) => host.notice(errorWords(error), true));
    }
  });
  return {
    element,
    update(next) {
      const changed = JSON.stringify({ ...next, online: false }) !== JSON.stringify({ ...display, online: false });
      display = next;
      const device = host.device(next.id);
      element.classList.toggle("away", !next.online);
      element.classList.toggle("care", !!next.online && needsCare(next, device, host.now()));
      element.dataset["display"] = String(next.id);
      setText(name, next.name);
      setText(state, next.online ? "online" : "offline");
      setText(about, deviceWords(next, device, host.now()));
      if (changed) form.fill(next);
    },
  };
}

/** The form of one screen's settings; it says at once what the sizes lead to. */
function settingsForm(parent: HTMLElement, save: (body: object) => void) {
  const form = make("form", "screen-form", parent);
  const inputs = new Map<string, HTMLInputElement>();
  const field = (name: string, label: string, type: string) => {
    const input = make("input", "", make("label", "", form, label));
    input.type = type;
    if (type === "number") {
      input.min = "0";
      input.step = "any";
    }
    input.name = name;
    inputs.set(name, input);
  };
  field("name", "Name", "text");
  const layout = make("select", "", make("label", "", form, "Layout"));
  for (const [value, text] of LAYOUTS) {
    make("option", "", layout, text).value = value;
  }
  FIELDS.forEach(([name, label, type]) => field(name, label, type));
  const mute = make("input", "", make("label", "", form, "Never make a sound"));
  mute.type = "checkbox";
  const advice = make("p", "screen-advice", form);
  advice.setAttribute("role", "status");
  make("button", "", form, "Save").type = "submit";
  const read = () => {
    const body: { [name: string]: unknown } = { name: inputs.get("name")!.value.trim(), layout: layout.value, mute: mute.checked };
    FIELDS.forEach(([name, , type]) => {
      const { value } = inputs.get(name)!;
      body[name] = type === "number" ? Number(value) : value.trim();
    });
    return body;
  };
  const advise = () => {
    const body = read();
    const place = body as Place;
    if (!place.inches || !place.width || !place.height || !place.seat) {
      setText(advice, "With the diagonal, the pixels and the farthest seat, the letters get the size that they need.");
      return;
    }
    const { warnings, rows, columns } = sizesFor(String(body["desk"] ? "desk" : layout.value || "board"), place);
    setText(advice, warnings.length ? warnings.map(sizeWords).join(" ") : `Readable from every seat, with ${rows * columns} calls in the list.`);
    advice.classList.toggle("bad", warnings.length > 0);
  };
  form.addEventListener("input", advise);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(read());
  });
  return {
    fill(display: Display) {
      inputs.get("name")!.value = display.name;
      layout.value = display.layout || "";
      mute.checked = !!display.mute;
      FIELDS.forEach(([name, , type]) => (inputs.get(name)!.value = String(display[name] ?? (type === "number" ? "" : ""))));
      advise();
    },
  };
}
