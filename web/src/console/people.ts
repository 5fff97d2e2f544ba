// Colleagues, whom they serve, and the screens of the location.
import { HubError } from "../client/index";
import { Device, DRIFT, SILENT } from "../common/displays";
import { byId, Item, KeyedList, make, setText } from "../common/dom";
import { Host } from "./host";
import { claimScreen } from "./http";
import { calledTickets, Display, User } from "./state";
import { errorWords, fullName, say } from "./words";

/** What is wrong with a screen that is there, as keys of words. */
export function screenTroubles(display: Display, device: Device | undefined, now: number): string[] {
  if (!display.online || !device) return [];
  return [
    !display.mute && device.sound === "locked" ? "sound.locked" : "",
    Math.abs(device.drift) >= DRIFT ? "screenDrift" : "",
    now - Date.parse(device.seen) > SILENT ? "screenStuck" : "",
  ].filter(Boolean);
}

export class People {
  private readonly colleagues: KeyedList<User>;
  private readonly screens: KeyedList<Display>;

  constructor(private readonly host: Host) {
    const heir = byId("people");
    this.colleagues = new KeyedList(byId("colleagues"), (u) => String(u.id), () => colleagueRow(host), heir);
    this.screens = new KeyedList(byId("screens"), (d) => String(d.id), () => screenRow(host), heir);
    byId("pair").hidden = !host.user.admin;
    byId("admin-link").hidden = !host.user.admin;
  }

  listen(on: (target: EventTarget, type: string, run: (event: any) => void) => void): void {
    on(byId("pair"), "submit", (event: Event) => this.pair(event));
  }

  render(): void {
    const state = this.host.state();
    this.colleagues.update(state.users.filter((u) => u.id !== this.host.user.id));
    this.screens.update(state.displays);
    const online = state.displays.filter((d) => d.online).length;
    setText(byId("screens-count"), state.displays.length ? `${online}/${state.displays.length}` : "");
    byId("screens-none").hidden = state.displays.length > 0;
  }

  private pair(event: Event): void {
    event.preventDefault();
    const code = byId<HTMLInputElement>("pair-code").value.replace(/[\s-]/g, "").toUpperCase();
    const name = byId<HTMLInputElement>("pair-name").value.trim();
    const note = byId("pair-note");
    claimScreen(code, this.host.location, name).then(
      () => {
        note.className = "note good";
        setText(note, say("paired", { name }));
        byId<HTMLInputElement>("pair-code").value = "";
      },
      (error: HubError) => {
        note.className = "note";
        setText(note, error.code === "not_found" ? say("pairUnknown") : errorWords(error));
      },
    );
  }
}

/** A row: whether it is there, its name, and what there is to say about it. */
function row(className: string): { element: HTMLElement; show(online: boolean, name: string, about: string[]): void } {
  const element = make("li", className);
  const dot = make("span", "dot", element);
  dot.setAttribute("role", "img");
  const who = make("span", "person-who", element);
  const name = make("span", "person-name", who);
  const about = make("span", "person-about", who);
  return {
    element,
    show(online, called, parts) {
      element.classList.toggle("online", online);
      dot.setAttribute("aria-label", say(online ? "online" : "offline"));
      setText(name, called);
      setText(about, parts.filter(Boolean).join(" \u00b7 "));
    },
  };
}

function colleagueRow(host: Host): Item<User> {
  const { element, show } = row("person");
  return {
    element,
    update(user) {
      const state = host.state();
      const online = state.presence.some((p) => p.user === user.id);
      const served = calledTickets(state).filter((t) => t.called?.caller === user.id).map((t) => t.publicId);
      const lines = (user.lines || []).map((id) => host.lineName(id)).filter(Boolean);
      show(online, fullName(user) || user.email,
        [user.desk ? host.deskName(user.desk) : say("noDesk"), served.length ? say("serves", { numbers: served.join(", ") }) : "", lines.join(", ")]);
    },
  };
}

function screenRow(host: Host): Item<Display> {
  const { element, show } = row("person screen");
  return {
    element,
    update(display) {
      const device = host.state().devices.get(display.id);
      const troubles = screenTroubles(display, device, host.now());
      element.dataset["display"] = String(display.id);
      element.classList.toggle("care", troubles.length > 0);
      const sound = !display.online || !device || device.sound === "locked" ? "" : display.mute ? say("sound.muted") : say(`sound.${device.sound}`);
      show(!!display.online, display.name, [say(display.online ? "online" : "offline"), sound, ...troubles.map((key) => say(key))]);
    },
  };
}
