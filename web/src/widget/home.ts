// Before there is a conversation: how the branch is just now, the first message,
// and the lines that one can join from here.
import { HubError } from "../client/wire";
import { Line, SiteConfig, Store, WidgetOptions } from "../launcher/api";
import { fill, follow, h, icon } from "./h";
import { availability, Says } from "./says";
import { Beginning } from "./kept";

export interface HomeState {
  config: SiteConfig;
  lines: Line[] | undefined;
  starting: boolean;
  error: HubError | undefined;
}

const KEEP_AFTER = 250;

export class Home {
  readonly element = h("div", { class: "home scroll" });
  readonly input: HTMLTextAreaElement;
  private readonly name: HTMLInputElement;
  private readonly email: HTMLInputElement;
  private readonly intro = h("p", { class: "intro", dir: "auto" });
  private readonly hours = h("p", { class: "hours", hidden: true });
  private readonly form = h("form", { class: "begin", novalidate: true });
  private readonly emailLabel = h("span", {});
  private readonly note = h("p", { class: "bad", role: "alert", id: "ns-note", hidden: true });
  private readonly submit: HTMLButtonElement;
  private readonly lines = h("section", { class: "lines", hidden: true });
  private closed = false;
  private limit: number | undefined;
  private timer = 0;

  constructor(private readonly says: Says, private readonly options: WidgetOptions, private readonly store: Store, private readonly begin: (what: Beginning) => void) {
    this.input = h("textarea", { rows: 3, placeholder: says.say("write"), "aria-label": says.say("message"), "aria-describedby": "ns-note", maxlength: 10000 });
    this.name = h("input", { type: "text", autocomplete: "name", maxlength: 100, "aria-describedby": "ns-note" });
    this.email = h("input", { type: "email", autocomplete: "email", maxlength: 250, "aria-describedby": "ns-note", dir: "ltr" });
    this.submit = h("button", { type: "submit", class: "strong" }, icon("send"), says.say("send"));
    this.form.append(this.input,
      h("div", { class: "pair" }, h("label", {}, h("span", {}, says.say("name"), " ", h("small", {}, says.say("optional"))), this.name), h("label", {}, this.emailLabel, this.email)),
      this.note, this.submit);
    this.element.append(h("div", { class: "welcome" }, this.intro, this.hours), this.form, this.lines);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.write();
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.write();
    });
    this.element.addEventListener("input", () => {
      follow(this.input);
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.keep(), KEEP_AFTER);
    });
    this.restore();
  }

  restore(): void {
    this.input.value = this.store.get("draft") || "";
    this.name.value = this.store.get("name") || this.options.name || "";
    this.email.value = this.store.get("email") || this.options.email || "";
    follow(this.input);
  }

  keep(): void {
    window.clearTimeout(this.timer);
    for (const [name, input] of [["draft", this.input], ["name", this.name], ["email", this.email]] as const) {
      this.store.set(name, input.value || undefined);
    }
  }

  private complain(key: string, input: HTMLElement, values: Record<string, number> = {}): void {
    this.note.textContent = this.says.say(key, values);
    this.note.hidden = false;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }

  private person(): Beginning {
    const what: Beginning = {};
    if (this.name.value.trim()) what.name = this.name.value.trim();
    if (this.email.value.trim()) what.email = this.email.value.trim();
    return what;
  }

  private write(): void {
    for (const input of [this.input, this.email]) input.removeAttribute("aria-invalid");
    const text = this.input.value.trim();
    if (!text) return this.complain("textNeeded", this.input);
    if (this.limit && text.length > this.limit) return this.complain("tooLong", this.input, { n: this.limit });
    if ((this.closed && !this.email.value.trim()) || !this.email.validity.valid) return this.complain("emailNeeded", this.email);
    this.keep();
    this.begin({ ...this.person(), text });
  }

  update(state: HomeState): void {
    const { says } = this;
    const { config } = state;
    const now = availability(config);
    this.closed = now === "closed";
    this.limit = (config.limits || {}).text;
    this.intro.textContent = this.options.introduction || says.site(config, now, "intro." + now);
    const own = this.closed ? says.site(config, "offlineForm", "") : "";
    const opens = this.closed && config.opens ? says.say("opens", { time: says.opening(config.opens) }) : "";
    this.hours.textContent = [own, opens].filter(Boolean).join(" ");
    this.hours.hidden = !this.hours.textContent;
    fill(this.emailLabel, String(this.closed), () => [document.createTextNode(says.say("email") + " "), !this.closed && h("small", {}, says.say("optional"))]);
    this.email.required = this.closed;
    this.submit.disabled = state.starting;
    const barred = !!config.site.requireIdentity && !this.options.identity;
    this.form.hidden = barred;
    if (barred) this.intro.textContent = says.say("signIn");
    this.complainAbout(state);
    this.drawLines(barred || this.closed ? [] : state.lines || [], state.starting);
  }

  private complainAbout(state: HomeState): void {
    const { error } = state;
    if (!error) {
      if (state.starting) this.note.hidden = true;
      return;
    }
    if (error.field === "email") return this.complain("emailNeeded", this.email);
    this.note.textContent = state.starting ? this.says.say("state.waiting") : this.says.say("failedAction", { why: error.message });
    this.note.hidden = false;
  }

  private drawLines(all: readonly Line[], busy: boolean): void {
    const lines = all.filter((line) => line.open);
    this.lines.hidden = !lines.length;
    fill(this.lines, JSON.stringify([lines, busy]), () => [h("h3", {}, this.says.say("lines")), ...lines.map((line) => lineButton(this.says, line, busy, () => {
      this.keep();
      const what = this.person();
      what.line = line.id;
      if (this.input.value.trim()) what.text = this.input.value.trim();
      this.begin(what);
    }))]);
  }
}

/** One line to join, with how busy it is. */
export function lineButton(says: Says, line: Line, busy: boolean, join: () => void): HTMLElement {
  return h("button", { type: "button", class: "line", disabled: busy, onclick: join },
    icon("line"), h("span", {}, h("strong", {}, h("bdi", {}, says.line(line))), h("small", {}, [says.waiting(line.waiting), says.wait(line.wait)].filter(Boolean).join(" · "))),
    h("span", { class: "join" }, says.say("join")));
}
