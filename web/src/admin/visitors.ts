// How visitors join by themselves: the kiosk and the remote page.
import { call } from "../common/http";
import { CardList } from "./card-list";
import { Form, Spec, Values } from "./form";
import { at, Host } from "./host";
import { card, load } from "./ui";
import { say } from "./words";

const FIELDS = ["firstName", "lastName", "phoneNumber", "email"];

export function visitors(host: Host): void {
  load(host, host.main, () => call("GET", at(host, "visitors")), (loaded: Values) => {
    const box = card(host.main, "");
    const fields = FIELDS.map((name): [string, string] => [name, say(`field.${name}`)]);
    const specs: Spec[] = [
      { name: "remote", label: say("visitor.remote"), kind: "check", hint: say("visitor.remoteHint", { address: `${window.location.origin}/join/${host.location}` }) },
      { name: "fields", label: say("visitor.fields"), kind: "checks", options: fields },
      { name: "kioskFields", label: say("visitor.kioskFields"), kind: "checks", options: fields },
      { name: "kioskTimeout", label: say("visitor.timeout"), kind: "number", min: 10, max: 120, hint: say("visitor.timeoutHint"), half: true, required: true },
      { name: "print", label: say("visitor.print"), kind: "check" },
    ];
    const form = new Form(box, specs, say("save"), async (values) => {
      await call("PUT", at(host, "visitors"), { ...loaded, ...values, textCards: cards.read() });
      host.notice(say("saved"));
    });
    const cards = new CardList(card(form.more, say("visitor.cards"), say("visitor.cardsIntro")), loaded["textCards"] || []);
    form.fill({ ...loaded, kioskFields: loaded["kioskFields"] || loaded["fields"] });
  });
}
