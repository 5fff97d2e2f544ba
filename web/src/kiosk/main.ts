/// <reference path="../common/words-page.d.ts" />
// The kiosk page: /kiosk, or /kiosk/<location>. Paired like a screen.
import all from "words:kiosk";
import { browserEnv } from "../client/index";
import { Pairing } from "../board/pairing";
import { paintCode } from "../board/qr";
import { byId, setText } from "../common/dom";
import { chooseWords } from "../common/words";
import { Kiosk } from "./app";
import { forgetKiosk, KioskIdentity, loadKiosk, saveKiosk } from "./storage";

const env = browserEnv();
const match = /\/kiosk\/([1-9][0-9]*)/.exec(window.location.pathname);

function showCode(code: string | undefined): void {
  const words = chooseWords(all, navigator.languages);
  document.documentElement.lang = words.language;
  document.documentElement.dir = words.direction;
  document.body.dataset["screen"] = "pairing";
  setText(byId("pair-title"), words.say("pairTitle"));
  setText(byId("pair-code"), code || "");
  setText(byId("pair-help"), code ? words.say("pairHelp") : words.say("pairWait"));
  paintCode(byId("pair-qr") as unknown as Element, code ? `${window.location.origin}/console#pair=${code}` : "");
}

const pairing = new Pairing(env, match ? Number(match[1]) : 1, showCode, (paired) => {
  run(saveKiosk(paired));
}, "kiosk");

function run(identity: KioskIdentity): void {
  new Kiosk(env, identity, () => {
    forgetKiosk();
    // A page that begins anew holds nothing of an earlier life.
    window.location.reload();
  }).start();
}

const identity = loadKiosk();
if (identity) run(identity);
else pairing.start();
