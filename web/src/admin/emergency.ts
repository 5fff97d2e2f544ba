// The emergency card: prepared in peace, shown with one press.
import { HubError } from "../client/index";
import { button, make, setText } from "../common/dom";
import { call } from "../common/http";
import { CardList, Card } from "./card-list";
import { at, Host } from "./host";
import { actions, card, faultLine, load, sure, tick } from "./ui";
import { errorWords, say } from "./words";

interface Emergency {
  on: boolean;
  cards: Card[];
  tone: boolean;
}

export function emergency(host: Host): void {
  load(host, host.main, () => call("GET", at(host, "emergency")), (loaded: Emergency) => show(host, loaded));
}

function show(host: Host, loaded: Emergency): void {
  let on = loaded.on;
  const state = make("p", "emergency-state", host.main);
  state.setAttribute("role", "status");
  const box = card(host.main, say("emergency.texts"), say("emergency.textsIntro"));
  const cards = new CardList(box, loaded.cards.length ? loaded.cards : [{ language: "en", text: "" }]);
  const tone = tick(box, say("emergency.tone"), loaded.tone);
  const fault = faultLine(box);
  const row = actions(box);
  const send = (wanted: boolean) => {
    setText(fault, "");
    call("PUT", at(host, "emergency"), { on: wanted, cards: cards.read(), tone: tone.checked }).then(
      (answer: Emergency) => {
        on = answer.on;
        paint();
        host.notice(say(on ? "emergency.isOn" : "saved"));
      },
      (error: HubError) => setText(fault, errorWords(error)),
    );
  };
  const save = button(row, say("save"), () => send(on));
  save.className = "primary";
  const press = button(row, "", () => {
    if (on) send(false);
    else sure(say("emergency.show"), say("emergency.sure", { name: host.locations.get(host.location) || "" }), say("emergency.show"), () => send(true));
  });
  const paint = () => {
    setText(state, say(on ? "emergency.isOn" : "emergency.isOff"));
    state.classList.toggle("on", on);
    setText(press, say(on ? "emergency.end" : "emergency.show"));
    press.className = on ? "" : "danger";
    press.id = "emergency-switch";
  };
  paint();
}
