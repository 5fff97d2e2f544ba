// Webhooks of both APIs, and what became of their deliveries.
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { Form, locationOptions, Spec } from "./form";
import { Host } from "./host";
import { whereWords } from "./keys";
import { named } from "./lines";
import { act, actions, badge, dialog, load, secret, sure, Table } from "./ui";
import { say, when } from "./words";

interface Hook {
  id: string;
  kind: string;
  name?: string;
  url?: string;
  department?: string;
  locations: number[] | null;
  events?: string[];
  created: string;
  disabled?: string;
  waiting: number;
  failing?: boolean;
  lastOk?: string;
}

interface Delivery {
  id: string;
  event: string;
  ticket?: number;
  state: string;
  at: string;
  attempts: number;
  next?: string;
  done?: string;
  reason?: string;
}

interface Answer {
  webhooks: Hook[];
  events: string[];
}

export function webhooks(host: Host): void {
  const row = actions(host.main);
  const table = new Table(host.main, say("page.webhooks"), [say("hook.name"), say("hook.address"), say("state"), say("hook.waiting"), say("hook.lastOk"), ""], say("hook.none"));
  let events: string[] = [];
  const show = (answer: Answer) => {
    if (!host.alive()) return;
    events = answer.events;
    table.fill(answer.webhooks, (hook) => [
      hook.name || say("hook.unnamed"), addressCell(host, hook), stateCell(hook), String(hook.waiting), when(hook.lastOk) || say("hook.never"), buttons(hook),
    ], (element, hook) => { element.dataset["hook"] = hook.id; });
  };
  const again = () => void act(host, call("GET", "/hub/v1/webhooks")).then((answer) => answer && show(answer));
  const change = (hook: Hook, what: string, done: string) =>
    void act(host, call("POST", `/hub/v1/webhooks/${hook.id}/${what}`), done).then((answer) => answer && show(answer));
  const buttons = (hook: Hook): Node => {
    const box = make("div", "row-actions");
    const name = { name: hook.name || hook.url || hook.kind };
    named(button(box, say("hook.deliveries"), () => deliveries(host, hook, again)), name);
    if (hook.disabled) named(button(box, say("enable"), () => change(hook, "enable", say("saved"))), name);
    else named(button(box, say("disable"), () => sure(say("disable"), say("hook.sureDisable", name), say("disable"), () => change(hook, "disable", say("saved")))), name);
    named(button(box, say("remove"), () => sure(say("remove"), say("hook.sure", name), say("remove"), () =>
      void act(host, call("DELETE", `/hub/v1/webhooks/${hook.id}`), say("removed")).then((answer) => answer && show(answer))), "danger"), name);
    return box;
  };
  button(row, say("hook.addQueue"), () => add(host, "queue", events, again), "primary");
  button(row, say("hook.addChat"), () => add(host, "chat", events, again));
  button(row, say("refresh"), again);
  load(host, host.main, () => call("GET", "/hub/v1/webhooks"), show);
}

function addressCell(host: Host, hook: Hook): Node[] {
  const cells: Node[] = [badge(say(`hook.${hook.kind}`))];
  if (hook.url) {
    const address = make("code", "address", undefined, hook.url);
    cells.push(address);
  }
  if (hook.kind === "queue") cells.push(make("span", "muted", undefined, whereWords(host, hook.locations)));
  if (hook.events?.length) cells.push(make("span", "muted", undefined, hook.events.join(", ")));
  return cells;
}

function stateCell(hook: Hook): Node[] {
  if (hook.disabled) return [badge(say("hook.isDisabled"), "bad"), make("span", "muted", undefined, hook.disabled)];
  return [hook.failing ? badge(say("hook.isFailing"), "warn") : badge(say("hook.isOn"), "good")];
}

function add(host: Host, api: "queue" | "chat", events: string[], again: () => void): void {
  const chat = api === "chat";
  dialog(say(chat ? "hook.addChat" : "hook.addQueue"), (body, close) => {
    const specs: Spec[] = [
      { name: "name", label: say("hook.name"), required: true, max: 60 },
      { name: "url", label: say("hook.url"), kind: "url", required: true, max: 500, placeholder: "https://" },
    ];
    if (chat) {
      specs.push(
        { name: "location", label: say("location"), kind: "select", options: locationOptions(host.locations) },
        { name: "events", label: say("hook.events"), kind: "checks", options: events.map((name): [string, string] => [name, name]), hint: say("hook.eventsHint") },
        { name: "headers", label: say("hook.headers"), kind: "words", hint: say("hook.headersHint") },
      );
    } else {
      specs.push({ name: "locations", label: say("key.where"), kind: "checks", options: locationOptions(host.locations), hint: say("hook.whereHint") });
    }
    const form = new Form(body, specs, say("hook.make"), async (values) => {
      const headers: { [name: string]: string } = {};
      for (const line of (values["headers"] || []) as string[]) {
        const cut = line.indexOf(":");
        headers[line.slice(0, cut < 0 ? line.length : cut).trim()] = cut < 0 ? "" : line.slice(cut + 1).trim();
      }
      const answer = await call("POST", "/hub/v1/webhooks", {
        ...values, api, headers, location: Number(values["location"] || 0), locations: ((values["locations"] || []) as string[]).map(Number),
      });
      close();
      if (answer.secret) secret(say("hook.made"), say("hook.once"), answer.secret, again);
      else again();
    });
    form.fill({ location: host.location });
  });
}

/** The deliveries of one webhook: what waits, and what became of the last ones. */
function deliveries(host: Host, hook: Hook, again: () => void): void {
  dialog(say("hook.deliveriesOf", { name: hook.name || hook.url || hook.kind }), (body) => {
    body.classList.add("wide");
    const row = actions(body);
    const table = new Table(body, say("hook.deliveries"), [say("hook.event"), say("hook.at"), say("state"), say("hook.attempts"), say("hook.next"), ""], say("hook.noDeliveries"));
    const path = `/hub/v1/webhooks/${hook.id}`;
    const show = (answer: { deliveries: Delivery[] }) => table.fill(answer.deliveries, (one) => [
      one.ticket ? `${one.event} (${one.ticket})` : one.event, when(one.at), deliveryState(one), String(one.attempts),
      one.state === "waiting" ? when(one.next) || say("hook.soon") : when(one.done), redo(one),
    ]);
    const refresh = () => void act(host, call("GET", `${path}/deliveries`)).then((answer) => answer && show(answer));
    const redo = (one: Delivery): Node => {
      const box = make("div", "row-actions");
      if (one.state === "dropped") {
        named(button(box, say("hook.again"), () =>
          void act(host, call("POST", `${path}/deliveries/${encodeURIComponent(one.id)}`), say("hook.queued")).then((answer) => answer && show(answer))), { name: one.event });
      }
      return box;
    };
    if (!hook.disabled) button(row, say("hook.retryNow"), () => void act(host, call("POST", `${path}/retry`), say("hook.retried")).then(refresh), "primary");
    button(row, say("refresh"), refresh);
    load(host, body, () => call("GET", `${path}/deliveries`), show);
  }, again);
}

function deliveryState(one: Delivery): Node[] {
  const kind = one.state === "delivered" ? "good" : one.state === "dropped" ? "bad" : "warn";
  const cells: Node[] = [badge(say(`hook.state.${one.state}`), kind)];
  if (one.reason) cells.push(make("span", "muted", undefined, one.reason));
  return cells;
}
