// All screens of a location, live, and what can be done about each.
import { browserEnv, Client, onWake } from "../client/index";
import { Device, DRIFT, SILENT } from "../common/displays";
import { button, make, setText } from "../common/dom";
import { call } from "../common/http";
import { Form } from "./form";
import { Host } from "./host";
import { named } from "./lines";
import { Display, foldScreens, online, readScreens, Screens } from "./live";
import { pairForm, screenForm } from "./screen-form";
import { act, actions, badge, dialog, own, sure, Table } from "./ui";
import { amount, say, when } from "./words";

const LOOK = 5000;

export function screens(host: Host): () => void {
  const row = actions(host.main);
  const state = make("p", "connection", host.main);
  state.setAttribute("role", "status");
  const heads = ["screen.name", "state", "screen.engine", "screen.looks", "screen.clock", "screen.sound", "screen.receipt"].map((key) => say(key));
  const table = new Table(host.main, say("page.screens"), [...heads, ""], say("screen.none"));
  const client = new Client(browserEnv(), { name: "admin/1.0" });
  let all: Screens | undefined;
  const now = () => client.serverTime() ?? Date.now();
  const rows = new Map<number, Node>();
  const paint = () => {
    if (!all || !host.alive()) return;
    const known = all;
    table.fill(known.displays, (one) => cells(host, known, one, now(), rows), (element, one) => {
      element.dataset["display"] = String(one.id);
      element.classList.toggle("away", !online(known, one.id));
    });
  };
  client.subscribe(`console:${host.location}`, {
    snapshot: (snapshot) => {
      all = readScreens(snapshot);
      paint();
    },
    push: (push) => {
      // A row that is being used is not painted anew under somebody's hands.
      if (all && foldScreens(all, push)) paint();
    },
    refused: () => host.notice(say("error.forbidden"), true),
  });
  client.status.watch((status) => {
    host.main.dataset["link"] = status.state;
    setText(state, say(status.state === "live" ? "screen.live" : "screen.waiting"));
    state.classList.toggle("live", status.state === "live");
  });
  button(row, say("screen.pair"), () => pairForm(host), "primary");
  client.start();
  const timer = window.setInterval(paint, LOOK);
  const asleep = onWake(() => client.wake());
  return () => {
    window.clearInterval(timer);
    asleep();
    client.stop();
  };
}

function cells(host: Host, all: Screens, one: Display, now: number, rows: Map<number, Node>): Array<string | Node | Node[]> {
  const device = all.devices.get(one.id);
  const here = online(all, one.id);
  const title: Node[] = [own(one.name, "strong")];
  if (one.kind === "kiosk") title.push(badge(say("screen.kiosk")));
  if (one.room) title.push(own(one.room, "muted"));
  const receipt = all.receipts.get(one.id);
  return [
    title, stateOf(device, here, now),
    device && device.engine ? [own(device.engine), own(device.version || "", "muted")] : "",
    device && device.layout ? `${say(`layout.${device.layout}`)} ${device.width}\u00d7${device.height}` : "",
    device && device.engine ? clockOf(device) : "", soundOf(one, device),
    receipt ? say(receipt.spoken ? "screen.spoken" : "screen.painted", { at: when(receipt.time) }) : device && device.receipt ? say("screen.offset", { n: device.receipt }) : say("screen.noReceipt"),
    buttons(host, all, one, rows),
  ];
}

function stateOf(device: Device | undefined, here: boolean, now: number): Node[] {
  if (!here) {
    const out: Node[] = [badge(say("screen.offline"), "bad")];
    if (device && device.seen) out.push(make("span", "muted", undefined, say("screen.seen", { at: when(device.seen) })));
    return out;
  }
  const silence = device && device.seen ? now - Date.parse(device.seen) : 0;
  return [silence > SILENT && device!.engine ? badge(say("screen.silent", { seconds: Math.round(silence / 1000) }), "warn") : badge(say("screen.online"), "good")];
}

function clockOf(device: Device): Node {
  return Math.abs(device.drift) >= DRIFT ? badge(say("screen.drift", { seconds: amount(device.drift / 1000, 1) }), "warn") : badge(say("screen.clockOk"), "good");
}

function soundOf(one: Display, device: Device | undefined): Node[] {
  if (one.mute) return [badge(say("screen.muted"))];
  if (!device || !device.sound) return [];
  const out: Node[] = [badge(say(`sound.${device.sound}`), device.sound === "open" ? "good" : device.sound === "locked" ? "bad" : "plain")];
  if (device.speaks) out.push(badge(say("screen.speaks"), "plain"));
  return out;
}

/** The same buttons for the same screen: live news must not take the focus away. */
function buttons(host: Host, all: Screens, one: Display, rows: Map<number, Node>): Node {
  const known = rows.get(one.id) as HTMLElement | undefined;
  if (known && known.dataset["name"] === one.name) {
    return known;
  }
  const box = make("div", "row-actions");
  box.dataset["name"] = one.name;
  const path = `/hub/v1/displays/${one.id}`;
  const latest = () => all.displays.find((other) => other.id === one.id) || one;
  named(button(box, say("settings"), () => settings(host, all, latest())), one);
  named(button(box, say("reload"), () => void act(host, call("PATCH", path, { reload: true }), say("screen.reloads", { name: one.name }))), one);
  named(button(box, say("revoke"), () => sure(say("revoke"), say("screen.sure", { name: one.name }), say("revoke"), () =>
    void act(host, call("DELETE", path), say("removed"))), "danger"), one);
  rows.set(one.id, box);
  return box;
}

function settings(host: Host, all: Screens, one: Display): void {
  dialog(say("screen.settings", { name: one.name }), (body, close) => {
    const form: Form = screenForm(body, all, one, async (values) => {
      await call("PATCH", `/hub/v1/displays/${one.id}`, values);
      close();
      host.notice(say("saved"));
    });
    form.element.dataset["display"] = String(one.id);
  });
}
