// The administration: sign in, choose a location, and a page for each matter.
import { HubError } from "../client/index";
import { byId, fillSelect, make, setText } from "../common/dom";
import { call } from "../common/http";
import { Host, Page, SessionUser } from "./host";
import { groups } from "./routes";
import { errorWords, say, words } from "./words";

const NOTICE_FOR = 8000;
const KEPT = "nowserving.admin.location";

let user: SessionUser | undefined;
let locations = new Map<number, string>();
let location = 0;
let leavePage: void | (() => void);
let turn = 0;
let noticeTimer = 0;

function show(view: "loading" | "sign-in" | "work"): void {
  document.body.dataset["view"] = view;
}

function signedOut(note: string): void {
  endPage();
  user = undefined;
  byId("main").replaceChildren(); // the next one at this machine must not read it
  show("sign-in");
  setText(byId("sign-in-note"), note);
  byId("email").focus();
}

function endPage(): void {
  turn++;
  if (leavePage) leavePage();
  leavePage = undefined;
  document.querySelectorAll("dialog").forEach((open) => open.close());
}

function notice(text: string, bad = false): void {
  const element = byId("notice");
  element.classList.toggle("bad", bad);
  element.classList.add("shown");
  setText(element, text);
  window.clearTimeout(noticeTimer);
  noticeTimer = window.setTimeout(() => element.classList.remove("shown"), NOTICE_FOR);
}

/** The page of the address: its name and what shows it. */
function current(): [name: string, page: Page] {
  const wanted = window.location.hash.replace(/^#\/?/, "").split("?")[0] || "";
  const all = groups.reduce<Array<[string, Page]>>((list, group) => list.concat(group.pages), []);
  return all.find(([name]) => name === wanted) || all[0]!;
}

function open(focus: boolean): void {
  if (!user) {
    return;
  }
  endPage();
  const mine = turn;
  const [name, page] = current();
  const main = byId("main");
  main.replaceChildren();
  main.dataset["page"] = name;
  const heading = make("h1", "", main, say(`page.${name}`));
  heading.tabIndex = -1;
  make("p", "intro", main, say(`about.${name}`));
  document.title = `${say(`page.${name}`)} \u00b7 ${say("title")}`;
  document.querySelectorAll<HTMLAnchorElement>("#nav a").forEach((link) => {
    if (link.dataset["page"] === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  menu(false);
  const host: Host = {
    main, user, location, locations, notice, alive: () => mine === turn, reload: () => { if (mine === turn) open(false); },
  };
  leavePage = page(host);
  if (focus) heading.focus();
}

function menu(opened: boolean): void {
  byId("menu").setAttribute("aria-expanded", String(opened));
  byId("nav").classList.toggle("open", opened);
}

function buildNav(): void {
  const nav = byId("nav");
  nav.setAttribute("aria-label", say("title"));
  for (const group of groups) {
    const heading = make("h2", "", nav, say(`group.${group.name}`));
    heading.id = `group-${group.name}`;
    const list = make("ul", "", nav);
    list.setAttribute("aria-labelledby", heading.id);
    for (const [name] of group.pages) {
      const link = make("a", "", make("li", "", list), say(`page.${name}`));
      link.href = `#/${name}`;
      link.dataset["page"] = name;
    }
  }
}

async function enter(who: SessionUser): Promise<void> {
  if (!who.admin) {
    signedOut(say("notAdmin"));
    return;
  }
  const answer = await call("GET", "/hub/v1/locations");
  locations = new Map((answer.locations as Array<{ id: number; name: string }>).map((l): [number, string] => [l.id, l.name]));
  user = who;
  const kept = Number(recall());
  location = locations.has(kept) ? kept : Array.from(locations.keys())[0] || 0;
  if (!location) { // the console has the form that makes the first one
    window.location.assign("/console");
    return;
  }
  fillSelect(byId<HTMLSelectElement>("location"), Array.from(locations, ([id, name]): [string, string] => [String(id), name]));
  byId<HTMLSelectElement>("location").value = String(location);
  byId("location-pick").hidden = locations.size < 2;
  setText(byId("user-name"), `${who.firstName} ${who.lastName}`.trim() || who.email);
  show("work");
  open(false);
}

/** Storage may be blocked; then the first location is shown. */
function recall(): string | null {
  try {
    return window.localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(id: number): void {
  try {
    window.localStorage.setItem(KEPT, String(id));
  } catch {
    // it is a convenience only
  }
}

async function start(): Promise<void> {
  try {
    await enter((await call("GET", "/hub/v1/session")).user);
  } catch (error) {
    signedOut((error as HubError).code === "unauthenticated" ? "" : errorWords(error));
  }
}

document.documentElement.lang = words.language;
document.documentElement.dir = words.direction;
document.querySelectorAll<HTMLElement>("[data-say]").forEach((element) => { element.textContent = say(element.dataset["say"]!); });
buildNav();

byId("menu").addEventListener("click", () => menu(byId("menu").getAttribute("aria-expanded") !== "true"));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
byId("location").addEventListener("change", () => {
  location = Number(byId<HTMLSelectElement>("location").value);
  keep(location);
  open(false);
});
window.addEventListener("hashchange", () => open(true));
byId("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const password = byId<HTMLInputElement>("password");
  call("POST", "/hub/v1/session", { email: byId<HTMLInputElement>("email").value, password: password.value }).then(
    (answer) => {
      password.value = "";
      setText(byId("sign-in-note"), "");
      return enter(answer.user);
    },
  ).catch((error: HubError) => setText(byId("sign-in-note"), error.code === "unauthenticated" ? say("wrongPassword") : errorWords(error)));
});
byId("sign-out").addEventListener("click", () => {
  call("DELETE", "/hub/v1/session").then(() => signedOut(""), (error) => notice(errorWords(error), true));
});

void start();
