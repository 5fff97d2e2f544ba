// What a location is, and how long it keeps what it knows of people.
import { call } from "../common/http";
import { Form, Spec, Values } from "./form";
import { at, Host } from "./host";
import { card, load } from "./ui";
import { say } from "./words";

/** Minutes after midnight as the browser's time fields write them. */
export function clock(minutes: number): string {
  const two = (n: number) => `0${n}`.slice(-2);
  return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
}

export function minutes(text: string): number {
  const [h = "0", m = "0"] = text.split(":");
  return Number(h) * 60 + Number(m);
}

function zones(): string[] {
  const known = (Intl as any).supportedValuesOf;
  return known ? known.call(Intl, "timeZone") : [];
}

export function place(host: Host): void {
  load(host, host.main, () => call("GET", at(host, "settings")), (settings: Values) => {
    let version = settings["version"];
    const box = card(host.main, "");
    const specs: Spec[] = [
      { name: "name", label: say("place.name"), required: true, max: 60 },
      { name: "address", label: say("place.address"), max: 200 },
      { name: "timezone", label: say("place.timezone"), half: true, required: true, max: 60, hint: say("place.timezoneHint") },
      { name: "dayStart", label: say("place.dayStart"), half: true, hint: say("place.dayStartHint") },
      { name: "languages", label: say("place.languages"), kind: "words", hint: say("place.languagesHint") },
      { name: "seriesLetters", label: say("place.letters"), hint: say("place.lettersHint"), max: 40 },
      { name: "deskMandatory", label: say("place.deskMandatory"), kind: "check" },
      { name: "retention", label: say("place.retention"), kind: "number", max: 3653, hint: say("place.retentionHint") },
    ];
    const form = new Form(box, specs, say("save"), async (values) => {
      const answer = await call("PUT", at(host, "settings"), { ...values, dayStart: minutes(values["dayStart"]), version });
      version = answer.version;
      host.notice(say("saved"));
    });
    const start = form.control("dayStart") as HTMLInputElement;
    start.type = "time";
    suggest(form.control("timezone") as HTMLInputElement, zones());
    form.fill({ ...settings, dayStart: clock(settings["dayStart"]) });
  });
}

/** Offers known values while somebody types. */
function suggest(input: HTMLInputElement, values: string[]): void {
  const list = document.createElement("datalist");
  list.id = `${input.id}-list`;
  list.append(...values.map((value) => new Option(value, value)));
  input.after(list);
  input.setAttribute("list", list.id);
}
