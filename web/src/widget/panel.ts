// The panel: its frame, and which of its parts is to be seen when.
import { choices, isOpen } from "../common/thread";
import { SiteConfig } from "../launcher/api";
import { Attention } from "./attention";
import { Composer } from "./composer";
import { Doors } from "./doors";
import { Files } from "./files";
import { fill, h, icon } from "./h";
import { Home, lineButton } from "./home";
import { initial, Log } from "./log";
import { PlaceCard } from "./place";
import { availability, Says } from "./says";
import { Session } from "./session";
import { Survey } from "./survey";
import { isOver } from "./thread";
import { Surroundings } from "./surroundings";

/** A window this narrow is filled by the panel, which then holds the keyboard. */
const NARROW = "(max-width: 480px)";
const FOCUSABLE = "button:not(:disabled), [href], input:not(:disabled), textarea:not(:disabled), [tabindex='0']";

export class Panel {
  readonly element: HTMLElement;
  private readonly composer: Composer;
  private readonly home: Home;
  private readonly log: Log;
  private readonly place: PlaceCard;
  private readonly survey: Survey;
  private readonly files: Files;
  private readonly title = h("bdi");
  private readonly face = h("span", { class: "face", "aria-hidden": "true" });
  private readonly presence = h("p", { class: "presence" });
  private readonly strip = h("p", { class: "strip", role: "status", hidden: true });
  private readonly queue = h("p", { class: "queue", role: "status", hidden: true });
  private readonly joining = h("div", { class: "lines lines-thread", hidden: true });
  private readonly again: HTMLButtonElement;
  private readonly sound: HTMLButtonElement;
  private readonly picture = h("div", { class: "big-picture", role: "dialog", "aria-modal": "true", hidden: true });
  private readonly narrow = window.matchMedia(NARROW);
  private shown = false;

  constructor(private readonly host: Surroundings, private readonly says: Says, doors: Doors, private readonly session: Session, private readonly attention: Attention) {
    this.files = new Files(doors, says, () => session.token, (url, name) => this.enlarge(url, name));
    this.composer = new Composer(says, this.files, host.store, { send: (text, files) => session.send(text, files), typed: () => session.typed() });
    this.home = new Home(says, host.options, host.store, (what) => session.begin(what));
    this.place = new PlaceCard(says, session);
    this.place.redraw = () => this.update();
    this.survey = new Survey(says, (rating, text) => session.rate(rating, text));
    this.again = h("button", { type: "button", class: "again", hidden: true, onclick: () => session.forget() }, says.say("again"));
    this.log = new Log(says, this.files, {
      choose: (text) => session.send(text, []),
      retry: (id) => session.retry(id),
      older: () => session.loadOlder().catch(() => undefined),
      followed: (uri) => host.emit("protocolBadgeClicked", uri.indexOf("tel:") === 0 ? "PhoneCall" : "Web", uri),
    }, h("div", { class: "tail" }, this.survey.element));
    this.sound = h("button", { type: "button", class: "tool", onclick: () => this.toggleSound() });
    const close = h("button", { type: "button", class: "tool", "aria-label": says.say("close"), hidden: !!host.options.full, onclick: () => host.closed() }, icon("close"));
    this.element = h("section", { class: "panel" + (host.options.full ? " panel-full" : ""), role: "dialog", tabindex: -1, hidden: true },
      h("header", { class: "head" }, this.face, h("div", { class: "who" }, h("h2", {}, this.title), this.presence), this.sound, close),
      this.strip, this.place.element, this.queue, this.home.element, this.log.element, this.joining, this.again, this.composer.element, this.picture);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("click", () => attention.unlock());
    this.drawSound();
  }

  show(shown: boolean): void {
    const before = this.shown;
    this.shown = shown;
    this.element.hidden = !shown;
    if (shown && !before) {
      this.update();
      this.log.toEnd();
      if (!this.host.options.full) this.focus();
    }
    if (!shown) this.keep();
  }

  private focus(): void {
    const input = this.session.active ? this.composer.input : this.home.input;
    // On a touch screen the keyboard would jump over half of what was opened.
    if (window.matchMedia("(pointer: coarse)").matches || input.disabled || !input.offsetParent) this.element.focus();
    else input.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      if (!this.picture.hidden) this.shrink();
      else if (!this.host.options.full) this.host.closed();
    }
    // Only where the panel covers the page: beside a page, Tab must lead back to it.
    const box = !this.picture.hidden ? this.picture : this.narrow.matches && !this.host.options.full ? this.element : undefined;
    if (event.key !== "Tab" || !box) return;
    const stops = Array.from(box.querySelectorAll<HTMLElement>(FOCUSABLE)).filter((e) => e.offsetParent || e === box);
    const active = this.host.root.activeElement;
    const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (active === edge || active === this.element) {
      event.preventDefault();
      const to = event.shiftKey ? stops[stops.length - 1] : stops[0];
      if (to) to.focus();
    }
  }

  private enlarge(url: string, name: string): void {
    const back = this.host.root.activeElement as HTMLElement | null;
    const close = h("button", { type: "button", class: "tool", "aria-label": this.says.say("dismiss"), onclick: () => this.shrink() }, icon("close"));
    this.picture.replaceChildren(close, h("img", { src: url, alt: name }));
    this.picture.setAttribute("aria-label", name);
    this.picture.hidden = false;
    this.back = back;
    close.focus();
  }

  private back: HTMLElement | null = null;

  private shrink(): void {
    this.picture.hidden = true;
    this.picture.replaceChildren();
    if (this.back) this.back.focus();
  }

  private toggleSound(): void {
    this.attention.muted = !this.attention.muted;
    this.drawSound();
  }

  private drawSound(): void {
    const { muted } = this.attention;
    this.sound.setAttribute("aria-label", this.says.say(muted ? "soundOn" : "soundOff"));
    fill(this.sound, String(muted), () => [icon(muted ? "mute" : "bell") as unknown as HTMLElement]);
  }

  /** Draws what has changed. */
  update(): void {
    const { session } = this;
    const { config } = session;
    this.head(config);
    const { thread } = session;
    const talking = session.active;
    const leaving = talking ? this.home.element : this.log.element.parentElement as HTMLElement;
    const turned = this.home.element.hidden !== talking;
    const moved = turned && leaving.contains(this.host.root.activeElement);
    this.home.element.hidden = talking;
    this.log.element.hidden = this.composer.element.hidden = !talking;
    if (turned && !talking) {
      // What was typed is what is kept of it, also in a panel that nobody sees:
      // that would write down again what was forgotten.
      this.composer.restore();
      this.home.restore();
    }
    if (!this.shown) return;
    if (moved) this.focus(); // what had the focus is gone with its view
    this.drawStrip();
    this.place.update(talking ? thread : undefined, session.busy, session.link.state === "live");
    if (!talking) {
      this.log.clear();
      this.queue.hidden = this.joining.hidden = this.again.hidden = true;
      this.home.update({ config, lines: session.lines, starting: session.starting, error: session.startError });
      return;
    }
    const choice = thread && choices(thread);
    this.composer.update({ attachments: config.site.attachments !== false, locked: !!choice && choice.locked, limit: session.limits });
    this.again.hidden = !thread || !isOver(thread);
    if (!thread) return;
    this.drawQueue();
    this.drawJoining();
    this.survey.update(session.survey);
    this.log.update(thread, session.outbox.all, { live: session.link.state === "live", typing: session.typing, older: session.older, now: Date.now() });
  }

  private head(config: SiteConfig): void {
    const { thread } = this.session;
    const agent = thread && isOpen(thread) ? (thread.ticket.conversation || {}).agent : undefined;
    const title = this.host.options.title || config.site.title || config.site.name || config.location.name;
    const now = availability(config);
    const word = now === "closed" && config.opens ? this.says.say("opens", { time: this.says.opening(config.opens) }) : this.says.say(now);
    this.title.textContent = title;
    this.face.textContent = initial(agent || title);
    this.element.setAttribute("aria-label", title);
    fill(this.presence, now + word + agent, () => [h("i", { class: "dot dot-" + now }), h("bdi", {}, agent || word)]);
    // Covering the page, it is a dialog of its own; beside it, only a part of the page.
    this.element.setAttribute("aria-modal", String(this.narrow.matches && !this.host.options.full));
  }

  private drawStrip(): void {
    const { link, active, thread } = this.session;
    const lost = active && !!thread && link.state !== "live" && link.since !== undefined;
    this.strip.hidden = !lost;
    if (!lost) return;
    const key = link.state === "offline" ? "offline" : "reconnecting";
    fill(this.strip, key + link.since, () => [h("span", {}, this.says.say(key, { time: this.says.clock(link.since as number) }))]);
  }

  private drawQueue(): void {
    const { thread } = this.session;
    const position = thread && thread.ticket.conversation && thread.ticket.conversation.position;
    // Who stands in a line has a place there, and needs no second one.
    const shown = !!thread && !!position && isOpen(thread) && !thread.ticket.status;
    this.queue.hidden = !shown;
    if (!thread || !position) return;
    const text = this.says.say(position === 1 ? "next" : "position", { n: position });
    const asOf = this.says.say("asOf", { time: this.says.clock(thread.asOf) });
    fill(this.queue, text + asOf, () => [h("strong", {}, text), h("small", {}, asOf)]);
  }

  private drawJoining(): void {
    const { session, says } = this;
    const ticket = session.thread && session.thread.ticket;
    const lines = (session.lines || []).filter((line) => line.open);
    const shown = !!session.thread && !!ticket && !ticket.status && !isOver(session.thread) && session.config.open && lines.length > 0;
    this.joining.hidden = !shown;
    fill(this.joining, JSON.stringify([shown, lines, session.busy]), () => !shown ? [] : [h("details", {}, h("summary", {}, icon("line"), says.say("lines")),
      ...lines.map((line) => lineButton(says, line, session.busy, () => session.command("ticket.enqueue", { line: line.id }).catch(() => undefined))))]);
  }

  noticed(name: string): void {
    this.composer.noticed(name);
    if (name === "muted") this.drawSound();
  }

  say(text: string): void {
    this.composer.set(text);
    this.home.input.value = text;
  }

  /** Writes down what is not sent yet. */
  keep(): void {
    if (this.session.active) this.composer.keep();
    else this.home.keep();
  }

  release(): void {
    this.keep();
    this.files.release();
  }
}
