// The console page: sign in, choose a location, work.
import { HubError } from "../client/index";
import { App } from "./app";
import { byId, fillSelect, setText } from "../common/dom";
import { setUpDialogs } from "./dialogs";
import { currentUser, locationNames, redeem, SessionUser, signIn, signOut } from "./http";
import { Setup } from "./setup";
import { chooseLanguage, errorWords, LANGUAGES, say, translatePage, words } from "./words";

const RETRY = 3000;
/** The credential ran out: what was typed is still theirs. */
const EXPIRED = 4003;

let app: App | undefined;

function show(view: "loading" | "sign-in" | "setup" | "work"): void {
  document.body.dataset["view"] = view;
}

function leave(note: string): void {
  app?.stop();
  app = undefined;
  show("sign-in");
  document.title = say("console");
  setText(byId("user-name"), "");
  setText(byId("sign-in-note"), note);
  byId("email").focus();
}

function work(user: SessionUser, location: number): void {
  app?.stop();
  show("work");
  app = new App(user, location, (code) => leave(say(code === EXPIRED ? "left.expired" : "left.ended")));
  app.start();
}

function enter(user: SessionUser): void {
  const locations = user.locations || [];
  if (locations.length === 0 && user.admin) {
    show("setup");
    setup.begin(false, true);
    return;
  }
  if (locations.length === 0) {
    leave(say("left.nowhere"));
    return;
  }
  byId("location-pick").hidden = locations.length < 2;
  if (locations.length > 1) {
    void offerLocations(locations);
  }
  byId<HTMLSelectElement>("location").onchange = (event) =>
    work(user, Number((event.target as HTMLSelectElement).value));
  work(user, locations[0]!);
}

async function offerLocations(locations: number[]): Promise<void> {
  const names = await locationNames().catch(() => new Map<number, string>());
  fillSelect(byId("location"), locations.map((id) => [String(id), names.get(id) || say("locationNumber", { id })]));
}

const setup = new Setup(() => void start());

/** A one-time link: its secret leaves the address bar before anything else. */
async function invited(invite: string): Promise<void> {
  window.history.replaceState(null, "", window.location.pathname);
  try {
    const user = await redeem(invite);
    show("setup");
    setup.begin(true, !!user.admin && (user.locations || []).length === 0);
  } catch (error) {
    leave(errorWords(error as HubError));
  }
}

async function start(): Promise<void> {
  const invite = /^#invite=([\w.~-]+)$/.exec(window.location.hash);
  if (invite) {
    return invited(invite[1]!);
  }
  try {
    const user = await currentUser();
    if (user) {
      enter(user);
    } else {
      leave("");
    }
  } catch {
    // The hub is away; whether we are signed in shows when it is back.
    leave(say("left.away"));
    window.setTimeout(() => {
      if (!app) void start();
    }, RETRY);
  }
}

function offerLanguages(): void {
  for (const id of ["language", "sign-in-language"]) {
    const select = byId<HTMLSelectElement>(id);
    fillSelect(select, LANGUAGES.map(([code, name]): [string, string] => [code, name]));
    select.value = words.language;
    select.addEventListener("change", () => {
      chooseLanguage(select.value);
      window.location.reload(); // drafts are kept, and everything else is at the hub
    });
  }
}

translatePage();
offerLanguages();
setUpDialogs();

byId("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const password = byId<HTMLInputElement>("password");
  signIn(byId<HTMLInputElement>("email").value, password.value).then(
    (user) => {
      password.value = "";
      setText(byId("sign-in-note"), "");
      enter(user);
    },
    (error: HubError) => {
      setText(byId("sign-in-note"), error.code === "unauthenticated" ? say("wrongPassword") : errorWords(error));
    },
  );
});

byId("sign-out").addEventListener("click", () => {
  app?.forgetWords();
  signOut().then(() => leave(""), () => leave(say("left.untold")));
});

void start();
