/// <reference path="../common/words-page.d.ts" />
// The remote sign-in page: /join/<location>. After the number it goes to the
// visitor's own page.
import all from "words:join";
import { backoff, browserEnv, HubError, onWake } from "../client/index";
import { ZoneClock } from "../board/time";
import { byId, fillSelect, setText } from "../common/dom";
import { chooseWords, Words } from "../common/words";
import { closedWhy, FormConfig, FormDoor, Issued } from "../form/config";
import { askable, faults, keyOf, requestOf } from "../form/fields";
import { FieldSet } from "../form/inputs";
import { Issuer, Pending } from "../form/issuer";
import { LineList } from "../form/lines";
import { formWords, languageName, offeredLanguages, refusalWords } from "../form/say";
import { tabMemory } from "./memory";

/** How the lines stand is asked for again; there is no channel for strangers. */
const REFRESH = 30000;
const SECOND = 1000;

const env = browserEnv();
const location_ = window.location.pathname.split("/")[2] || "";
const memory = tabMemory(location_);
const door = new FormDoor(`/hub/v1/join/${encodeURIComponent(location_)}`, () => undefined);
const fields = new FieldSet(byId("fields"), true, () => setText(byId("note"), ""));
const lines = new LineList(byId("lines"), true, (line) => {
  chosen = line;
  setText(byId("lines-note"), "");
  render();
});
const issuer = new Issuer({
  key: () => env.key(), now: () => env.now(), after: (ms, run) => env.after(ms, run), random: () => env.random(),
  issue: (key, request) => door.issue(key, request),
  save: (pending) => { memory.pending = pending; },
  changed: () => onIssuer(),
});

let config: FormConfig | undefined;
let missing = false;
let failures = 0;
let chosen: number | undefined;
let language = memory.language;
let loading = false;
let cancelLoad: (() => void) | undefined;

function speak(): [Words, Words] {
  // The location's own language comes last: this phone knows its owner's.
  const wanted = [language].concat(navigator.languages).filter((one) => one !== "").concat(config ? offeredLanguages(config.location.languages) : []);
  const words = chooseWords(all, wanted);
  return [words, formWords([words.language])];
}

function render(): void {
  const [words, form] = speak();
  document.documentElement.lang = words.language;
  document.documentElement.dir = words.direction;
  setText(byId("language-label"), form.say("language"));
  fillSelect(byId("language"), Object.keys(all).map((code) => [code, languageName(code)]));
  byId<HTMLSelectElement>("language").value = words.language;
  setText(byId("strip"), failures > 1 ? form.say("offline") : "");
  if (!config) {
    renderMissing(words);
    return;
  }
  document.title = `${words.say("title")} \u00b7 ${config.location.name}`;
  document.body.dataset["view"] = "form";
  setText(byId("location"), config.location.name);
  setText(byId("intro"), words.say("intro"));
  setText(byId("lines-title"), form.say("chooseLine"));
  setText(byId("details-title"), form.say("details"));
  setText(byId("privacy"), form.say("privacy"));
  const open = config.lines.filter((line) => !closedWhy(config as FormConfig, line));
  if (open.length === 1 && chosen === undefined) chosen = open[0]!.id;
  if (!open.some((line) => line.id === chosen)) chosen = undefined;
  lines.render(config, chosen, form, new ZoneClock(config.location.timezone));
  const asked = askable(config.fields, chosen);
  byId("details").hidden = asked.length === 0;
  fields.render(asked, form);
  renderEarlier(words);
  renderSubmit(form, open.length > 0);
}

function renderMissing(words: Words): void {
  document.body.dataset["view"] = missing ? "closed" : "loading";
  setText(byId("closed-title"), words.say("notHere"));
  setText(byId("closed-text"), words.say("notHereMore"));
  if (missing) document.title = words.say("notHere");
}

function renderEarlier(words: Words): void {
  const earlier = memory.issued;
  byId("earlier").hidden = !earlier;
  if (!earlier) return;
  setText(byId("earlier-text"), words.say("earlier", { number: earlier.number }));
  setText(byId("earlier-link"), words.say("earlierLink"));
  byId<HTMLAnchorElement>("earlier-link").href = earlier.path;
}

function renderSubmit(form: Words, open: boolean): void {
  const { state } = issuer;
  const submit = byId<HTMLButtonElement>("submit");
  const busy = state.name === "asking" || state.name === "waiting" || state.name === "issued";
  submit.disabled = busy || !open;
  setText(submit, busy ? form.say("asking") : form.say("getNumber"));
  switch (state.name) {
    case "asking":
      setText(byId("note"), state.away ? form.say("askingAgain") : "");
      break;
    case "waiting":
      setText(byId("note"), form.say("waitTurn", { n: Math.max(1, Math.ceil((state.until - env.now()) / SECOND)) }));
      break;
    case "refused":
      setText(byId("note"), refusalWords(form, state.code));
      break;
  }
}

/** Only the way is taken from the link: this page's own address reaches the hub for sure. */
function pathOf(link: string): string {
  return new URL(link, window.location.origin).pathname;
}

function onIssuer(): void {
  const { state } = issuer;
  if (state.name === "issued") {
    leave(state.issued);
    return;
  }
  render();
  if (state.name === "refused") {
    const [, form] = speak();
    if (state.field && state.field !== "line") fields.show({ [state.field]: "fieldWrong" }, form);
    void load();
  }
}

function leave(issued: Issued): void {
  const path = pathOf(issued.link);
  memory.issued = { number: issued.ticket.publicId || "", path };
  fields.clear();
  window.location.assign(path);
}

function submit(): void {
  const [words, form] = speak();
  if (!config) return;
  if (chosen === undefined) {
    setText(byId("lines-note"), words.say("pickLine"));
    byId("lines").focus();
    return;
  }
  const asked = askable(config.fields, chosen);
  const wrong = faults(asked, fields.values);
  fields.show(wrong, form);
  if (asked.some((field) => wrong[keyOf(field)])) return;
  issuer.ask(requestOf(asked, fields.values, chosen, words.language));
}

async function load(): Promise<void> {
  if (loading) return;
  loading = true;
  if (cancelLoad) cancelLoad();
  let next = REFRESH;
  try {
    config = await door.config();
    failures = 0;
  } catch (error) {
    if (error instanceof HubError && error.code === "not_found") {
      missing = true;
      config = undefined;
    } else {
      failures++;
      next = Math.max(SECOND, backoff(failures, env.random));
    }
  }
  loading = false;
  render();
  if (!missing && !document.hidden) cancelLoad = env.after(next, () => void load());
}

/** A countdown is on the page. */
function tick(): void {
  if (issuer.state.name === "waiting") render();
  env.after(SECOND, tick);
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
byId("language").addEventListener("change", (event) => {
  language = (event.target as HTMLSelectElement).value;
  memory.language = language;
  render();
});
onWake(() => {
  issuer.hurry();
  void load();
});
window.addEventListener("pageshow", (event) => {
  // Back from the number's own page: what was typed is long sent.
  if (event.persisted && issuer.state.name === "issued") issuer.reset();
});
render();
void load();
tick();
const unanswered: Pending | undefined = memory.pending;
if (unanswered) issuer.resume(unanswered);
