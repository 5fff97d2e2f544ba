// The visitor's page: /t/<token>. The token never leaves for anywhere but the
// hub, and there only in a header or in the socket's first frame.
import { backoff, browserEnv, HubError, onWake } from "../client/index";
import { byId, setText } from "../common/dom";
import { App } from "./app";
import { Door } from "./door";
import { wordsFor } from "./language";

const env = browserEnv();
const token = decodeURIComponent(window.location.pathname.slice("/t/".length));

let failures = 0;
let stopWake: (() => void) | undefined;
let cancelRetry: (() => void) | undefined;
let asking = false;

function speak(): void {
  const words = wordsFor(undefined);
  document.documentElement.lang = words.language;
  document.documentElement.dir = words.direction;
  setText(byId("strip"), failures > 0 && document.body.dataset["page"] === "loading" ? words.say("offlineNever") : "");
  setText(byId("gone-title"), words.say("goneTitle"));
  setText(byId("gone-text"), words.say("goneText"));
}

/** Says so kindly, and leaves nothing of the visit in the page. */
function gone(): void {
  speak();
  document.title = wordsFor(undefined).say("goneTitle");
  document.body.dataset["page"] = "gone";
  byId("gone").hidden = false;
  for (const id of ["main", "tabs", "confirm", "announce"]) {
    byId(id).remove();
  }
  setText(byId("location"), "Now serving");
  setText(byId("as-of"), "");
  setText(byId("strip"), "");
  if (stopWake) stopWake();
}

function load(): void {
  if (asking) return;
  asking = true;
  if (cancelRetry) cancelRetry();
  new Door(token).visit().then((first) => {
    if (stopWake) stopWake();
    if (first.ticket.erased) return gone();
    setText(byId("strip"), "");
    new App(token, first, gone).start();
  }, (error: HubError) => {
    asking = false;
    if (error.code === "unauthenticated" || error.code === "forbidden" || error.code === "not_found" || error.code === "bad_request") {
      gone();
      return;
    }
    failures++;
    document.body.dataset["state"] = "offline";
    speak();
    cancelRetry = env.after((error.retryAfter || 0) * 1000 + backoff(failures, env.random), load);
  });
}

speak();
stopWake = onWake(load);
load();
