// The app behind the launcher: puts the parts together and listens to the page.
import all from "words:widget";
import { Client } from "../client/client";
import { browserEnv, socketURL } from "../client/env";
import { onWake } from "../client/wake";
import { chooseWords } from "../common/words";
import { App, Host, Part } from "../launcher/api";
import { Attention } from "./attention";
import { palette } from "./color";
import { Doors } from "./doors";
import { serveFrame } from "./frames";
import { identityOf } from "./identity";
import { readOptions } from "./options";
import { Panel } from "./panel";
import { Preview } from "./preview";
import { Says } from "./says";
import { Session } from "./session";
import { openStore } from "./store";
import { Surroundings } from "./surroundings";
import css from "css:widget/widget";

const AGENT = "widget/1.0";

/** Starts the app in the launcher's shadow root. */
export function start(loader: Host): App {
  const { raw } = loader;
  const host: Surroundings = { ...loader, options: readOptions(raw), store: openStore(loader.key, raw["kept"], raw["keep"]) };
  const says = new Says(chooseWords(all, [host.language]), host.config.location.timezone);
  const doors = new Doors(host.hub, host.key);
  const attention = new Attention(host.store);
  const env = browserEnv(socketURL(new URL(host.hub)));
  let open = false;
  let due = false;
  let events: (() => void) | undefined;

  // Several changes at once are drawn once; not with the next frame, which a
  // hidden tab does not have.
  const draw = () => {
    if (due) return;
    due = true;
    Promise.resolve().then(() => {
      due = false;
      panel.update();
    });
  };
  const session = new Session(host, doors, (token) => new Client(env, { name: AGENT, token: () => token }), env.after, () => Date.now(), {
    changed: draw,
    message: (message) => {
      const by = message.fromName || host.config.site.title || host.config.location.name;
      attention.message("● " + says.say("newMessage"), String(message.seq));
      if (!open) preview.show(by, message.text || (message.attachments[0] || { originalFileName: "" }).originalFileName);
    },
    called: (ticket) => {
      const desk = ticket.desk ? ticket.desk.name : "";
      const where = ticket.publicId + (desk ? " → " + says.say("desk", { desk }) : "");
      attention.call(where, ticket.calledAt + "/" + (ticket.recalls || 0));
      host.emit("called", ticket.publicId || "", desk);
      if (!open) preview.show(says.say("called"), where, true);
    },
  });
  const panel = new Panel(host, says, doors, session, attention);
  const preview = new Preview(says, () => host.opened());

  host.style(css);
  const colors = palette(host.options.color || host.config.site.color);
  const element = host.root.host as HTMLElement;
  for (const name of Object.keys(colors)) element.style.setProperty(name, colors[name] as string);
  const ground = host.root.lastElementChild as HTMLElement;
  ground.insertBefore(panel.element, ground.firstChild);
  ground.insertBefore(preview.element, ground.firstChild);

  const look = () => session.setReading(open && !document.hidden);
  // How busy the site is interests whoever looks; a closed panel keeps no stream.
  const listen = () => {
    if (open && !document.hidden && !events) {
      events = doors.events((config) => {
        session.config = config;
        if (config.lines) session.lines = config.lines;
        draw();
      });
    } else if (events && (!open || document.hidden)) {
      events();
      events = undefined;
    }
  };
  const seen = () => {
    look();
    listen();
  };
  const keep = () => panel.keep();
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("pagehide", keep);
  const stops = [
    host.store.watch((name) => {
      session.noticed(name);
      panel.noticed(name);
    }),
    onWake(() => session.returned()),
    () => document.removeEventListener("visibilitychange", seen),
    () => window.removeEventListener("pagehide", keep),
  ];
  session.wake();

  return {
    show(shown) {
      open = shown;
      if (shown) preview.hide();
      panel.show(shown);
      host.store.set("open", shown && !host.options.full ? "1" : undefined);
      seen();
    },
    change(more) {
      Object.assign(host.options, readOptions({ ...host.options, ...more }));
      if (identityOf(host.options.identity) !== session.identity) session.wake();
      draw();
    },
    say: (text) => panel.say(text),
    destroy() {
      panel.release();
      for (const stop of stops) stop();
      if (events) events();
      session.stop();
      attention.stop();
    },
  };
}

const script = document.currentScript as (HTMLScriptElement & { boot?: (part: Part) => void }) | null;
if (script && script.boot) script.boot({ start, serveFrame });
