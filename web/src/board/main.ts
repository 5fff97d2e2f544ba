// The lobby board page: who this screen is, then its Screen.
import { browserEnv, Client, onWake, Status } from "../client/index";
import { withStreams } from "../client/stream";
import { Pairing } from "./pairing";
import { Display } from "./look";
import { Screen } from "./screen";
import { forgetToken, loadIdentity, loadToken, saveToken } from "./storage";
import { View } from "./view";

const VERSION = "lobby-tv/1.0";
const RESTART = 10000;

/** "/board/3" is the screen of location 3. */
function locationFromPath(path: string): number {
  const match = /\/board\/([1-9][0-9]*)/.exec(path);
  return match ? Number(match[1]) : 1;
}

function start(): void {
  const env = withStreams(browserEnv());
  const view = new View();
  const location = locationFromPath(window.location.pathname);
  const client = new Client(env, { name: VERSION, token: loadToken, pingAtMost: 5000 });
  const screen = new Screen({ env, client, view, location, version: VERSION, token: loadToken });

  const pairing = new Pairing(env, location, (code) => view.pairing(code || ""), (paired) => {
    saveToken(paired.token, { display: paired.display, location: paired.location });
    if (paired.location !== location) {
      window.location.replace("/board/" + paired.location);
      return;
    }
    view.pairing(undefined);
    run();
  });

  let watched = 0;
  function run(): void {
    const identity = loadIdentity();
    if (identity && identity.display !== watched) {
      watched = identity.display;
      client.subscribe("display:" + identity.display, {
        snapshot: (snapshot) => screen.setDisplay((snapshot as { display?: Display }).display),
        push: (push) => {
          if (push.push === "display.role") {
            screen.setSpeaks(push.data["speak"] === true);
          } else if (push.data["reload"] === true) {
            window.location.reload();
          } else if (push.data["display"]) {
            screen.setDisplay(push.data["display"] as Display);
          }
        },
      });
    }
    client.start();
  }

  function pairAgain(): void {
    client.stop();
    forgetToken();
    pairing.start();
  }

  screen.onRefused = pairAgain;
  client.status.watch((status: Status) => {
    if (status.state !== "final") {
      return;
    }
    if (status.code === 4202 || status.code === 4203) {
      // Our own frames were wrong: a defect of this page, which a newer one may not have.
      env.after(RESTART, () => window.location.reload());
    } else {
      pairAgain();
    }
  });

  onWake(() => client.wake());
  for (const gesture of ["keydown", "click", "touchstart"]) {
    window.addEventListener(gesture, () => screen.unlockSound());
  }
  if (loadToken()) {
    run();
  } else {
    pairing.start();
  }
}

start();
(window as unknown as { nowservingBooted: boolean }).nowservingBooted = true;
