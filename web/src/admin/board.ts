// How the screens of a location look, and what they say in quiet times.
import { call } from "../common/http";
import { CardList } from "./card-list";
import { Form, Spec, Values } from "./form";
import { at, Host } from "./host";
import { card, load } from "./ui";
import { say } from "./words";

/** A location's board settings, with all that this page does not change. */
export interface BoardSettings {
  settings: Values;
  languages: string[];
  version: string;
}

export function layoutOptions(): Array<[string, string]> {
  return ["board", "focus", "media", "portrait", "desk"].map((name): [string, string] => [name, say(`layout.${name}`)]);
}

export function themeOptions(): Array<[string, string]> {
  return ["dark", "light", "contrast"].map((name): [string, string] => [name, say(`theme.${name}`)]);
}

export function board(host: Host): void {
  load(host, host.main, () => call("GET", at(host, "board")), (loaded: BoardSettings) => {
    let current = loaded;
    const box = card(host.main, "");
    const specs: Spec[] = [
      { name: "layout", label: say("board.layout"), kind: "select", options: layoutOptions().slice(0, 4), half: true },
      { name: "theme", label: say("board.theme"), kind: "select", options: themeOptions(), half: true },
      { name: "names", label: say("board.names"), kind: "select", hint: say("board.namesHint"),
        options: ["none", "first", "initial"].map((kind): [string, string] => [kind, say(`names.${kind}`)]) },
      { name: "joinUrl", label: say("board.joinUrl"), kind: "url", hint: say("board.joinUrlHint"), max: 200 },
      { name: "where", label: say("board.where"), hint: say("board.whereHint"), max: 140 },
    ];
    const form = new Form(box, specs, say("save"), async (values) => {
      const body = { ...current, settings: { ...current.settings, ...values, cards: cards.read() } };
      current = await call("PUT", at(host, "board"), body);
      host.notice(say("saved"));
    });
    const part = card(form.more, say("board.cards"), say("board.cardsIntro"));
    const cards = new CardList(part, current.settings["cards"] || []);
    form.fill(current.settings);
  });
}
