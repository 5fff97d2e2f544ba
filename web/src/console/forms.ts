// The forms of a ticket's details. What somebody types stays until it is saved,
// whatever is pushed meanwhile.
import { fillSelect, make } from "../common/dom";
import { Host, setBlocked } from "./host";
import { InputField } from "./http";
import { StaffTicket } from "./state";
import { say } from "./words";

type Field = HTMLInputElement | HTMLSelectElement;

/** Shows a value from the hub, unless somebody has begun to change the one before. */
export function refill(field: Field, value: string): void {
  const shown = field.dataset["filled"] || "";
  if (field.value === shown && shown !== value) {
    field.value = value;
  }
  if (field.value === value) field.dataset["filled"] = value;
}

const CONTACT: ReadonlyArray<[name: "firstName" | "lastName" | "phoneNumber" | "email" | "languageCode", type: string, most: number]> = [
  ["firstName", "text", 100], ["lastName", "text", 100], ["phoneNumber", "tel", 40], ["email", "email", 254], ["languageCode", "text", 12],
];

export function contactForm(host: Host, parent: HTMLElement, id: string): (ticket: StaffTicket) => void {
  const form = make("form", "grid-form", parent);
  form.noValidate = true; // the hub says what is wrong, in words
  const inputs = CONTACT.map(([name, type, most]) => {
    const input = make("input", "", make("label", "", form, say(`contact.${name}`)));
    input.type = type;
    input.name = name;
    input.maxLength = most;
    input.autocomplete = "off";
    return input;
  });
  const save = make("button", "", form, say("save"));
  save.type = "submit";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const params: { [name: string]: string } = { ticket: id };
    for (const input of inputs) {
      if (input.value.trim() !== (input.dataset["filled"] || "")) params[input.name] = input.value.trim();
    }
    if (Object.keys(params).length > 1) void host.run("ticket.edit", params);
  });
  return (ticket) => {
    inputs.forEach((input) => refill(input, (ticket[input.name as "firstName"] as string | undefined) || ""));
    setBlocked(host, [save]);
  };
}

/** The types that are parts of the ticket itself. */
const OWN_PLACE = ["FIRST_NAME", "FIRSTNAME", "LAST_NAME", "LASTNAME", "PHONE_NUMBER", "PHONENUMBER", "PHONE", "EMAIL", "ATTACHMENT"];

export function extraForm(host: Host, parent: HTMLElement, id: string, fields: () => InputField[]): (ticket: StaffTicket) => void {
  const box = make("div", "grid-form", parent);
  const none = make("p", "none", parent, say("fieldsNone"));
  const made = new Map<string, Field>();
  const field = (title: string, of: InputField | undefined) => {
    let one = made.get(title);
    if (one) return one;
    const label = make("label", "", box, title);
    if (of?.options?.length && !of.multiSelect) {
      const select = make("select", "", label);
      fillSelect(select, [["", say("none")], ...of.options.map((o): [string, string] => [o.title, o.title])]);
      one = select;
    } else {
      const input = make("input", "", label);
      input.type = of?.type === "NUMERIC" ? "number" : "text";
      input.maxLength = 1000;
      one = input;
    }
    one.name = title;
    one.addEventListener("change", () => {
      const value = one!.value.trim();
      void host.run("ticket.field", value ? { ticket: id, title, value } : { ticket: id, title });
    });
    made.set(title, one);
    return one;
  };
  return (ticket) => {
    const values = new Map((ticket.extra || []).map((x): [string, string] => [x.title, x.value]));
    const asked = fields().filter((f) => f.title && OWN_PLACE.indexOf(f.type) < 0 && (!f.lines?.length || f.lines.indexOf(ticket.line) >= 0));
    asked.forEach((f) => refill(field(f.title!, f), values.get(f.title!) || ""));
    values.forEach((value, title) => refill(field(title, undefined), value));
    made.forEach((one, title) => {
      if (!values.has(title)) refill(one, "");
    });
    none.hidden = made.size > 0;
    setBlocked(host, Array.from(made.values()));
  };
}
