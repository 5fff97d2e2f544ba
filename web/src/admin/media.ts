// Images and videos for the media zone, and the logo.
import { HubError } from "../client/index";
import { button, make, setText } from "../common/dom";
import { call } from "../common/http";
import { BoardSettings } from "./board";
import { at, Host } from "./host";
import { act, badge, card, faultLine, load, sure } from "./ui";
import { amount, errorWords, say } from "./words";

interface Stored {
  id: string;
  type: string;
  size: number;
}

interface Medium {
  id: string;
  type: string;
  seconds?: number;
}

const TYPES = "image/png,image/jpeg,image/webp,video/mp4,video/webm";

export function media(host: Host): void {
  const box = card(host.main, say("media.upload"), say("media.uploadIntro"));
  const list = make("ul", "media-list", host.main);
  const both = () => Promise.all([call("GET", at(host, "media")), call("GET", at(host, "board"))]);
  const show = ([files, board]: any[]) => new MediaList(host, list, files.media, board).paint();
  uploader(host, box, () => void act(host, both()).then((answers) => answers && host.alive() && show(answers)));
  load(host, host.main, both, show);
}

function uploader(host: Host, box: HTMLElement, done: () => void): void {
  const label = make("label", "drop", box, say("media.choose"));
  const input = make("input", "", label);
  input.type = "file";
  input.accept = TYPES;
  const bar = make("progress", "", box);
  bar.max = 1;
  bar.hidden = true;
  bar.setAttribute("aria-label", say("media.upload"));
  const fault = faultLine(box);
  input.addEventListener("change", () => {
    const file = input.files && input.files[0];
    if (!file) return;
    setText(fault, "");
    bar.hidden = false;
    bar.value = 0;
    // Not fetch: it tells nothing while a video goes up a slow line.
    const request = new XMLHttpRequest();
    request.open("POST", at(host, "media"));
    request.setRequestHeader("X-Nowserving", "1");
    request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
    request.onloadend = () => {
      if (!host.alive()) return;
      bar.hidden = true;
      input.value = "";
      if (request.status === 201) {
        host.notice(say("media.uploaded"));
        done();
        return;
      }
      let error = { code: "unavailable", message: "" };
      try {
        error = JSON.parse(request.responseText).error || error;
      } catch {
        // no answer of the hub's
      }
      setText(fault, errorWords(new HubError(error)));
    };
    request.send(file);
  });
}

/** The stored files; what is shown comes first, in its order. */
class MediaList {
  constructor(private readonly host: Host, private readonly list: HTMLElement, private files: Stored[], private board: BoardSettings) {}

  private zone(): Medium[] {
    return this.board.settings["media"] || [];
  }

  paint(): void {
    const order = this.zone().map((one) => one.id);
    const rank = (file: Stored) => (order.indexOf(file.id) < 0 ? order.length : order.indexOf(file.id));
    const sorted = this.files.slice().sort((a, b) => rank(a) - rank(b));
    this.list.replaceChildren(...sorted.map((file) => this.row(file)));
    if (sorted.length === 0) make("li", "none", this.list, say("media.none"));
  }

  private row(file: Stored): HTMLElement {
    const row = make("li", "card medium");
    const video = file.type.startsWith("video/");
    const source = `/board/${this.host.location}/media/${file.id}`;
    if (video) {
      const element = make("video", "preview", row);
      element.src = source;
      element.muted = true;
      element.controls = true;
      element.preload = "metadata";
    } else {
      const element = make("img", "preview", row);
      element.src = source;
      element.alt = "";
    }
    const about = make("div", "about", row);
    const shown = this.zone().find((one) => one.id === file.id);
    const logo = this.board.settings["logo"] === file.id;
    const head = make("p", "", about, `${say(video ? "media.video" : "media.image")}, ${amount(file.size / 1024)} kB `);
    if (shown) head.append(badge(say("media.shown"), "good"), " ");
    if (logo) head.append(badge(say("media.isLogo")));
    if (shown && !video) this.seconds(about, shown);
    const actions = make("div", "actions", about);
    if (shown) {
      button(actions, say("media.earlier"), () => this.move(file.id, -1)).disabled = this.zone()[0] === shown;
      button(actions, say("media.hide"), () => this.save({ media: this.zone().filter((one) => one.id !== file.id) }));
    } else {
      button(actions, say("media.show"), () => this.save({ media: this.zone().concat({ id: file.id, type: file.type }) }));
    }
    if (!video) button(actions, say(logo ? "media.noLogo" : "media.logo"), () => this.save({ logo: logo ? "" : file.id }));
    if (!shown && !logo) {
      button(actions, say("remove"), () => sure(say("remove"), say("media.sure"), say("remove"), () => void this.remove(file)), "danger");
    }
    return row;
  }

  private seconds(parent: HTMLElement, shown: Medium): void {
    const label = make("label", "seconds", parent, say("media.seconds"));
    const input = make("input", "", label);
    input.type = "number";
    input.min = "0";
    input.max = "600";
    input.value = String(shown.seconds || 10);
    input.addEventListener("change", () =>
      this.save({ media: this.zone().map((one) => (one.id === shown.id ? { ...one, seconds: Number(input.value) } : one)) }));
  }

  private move(id: string, by: number): void {
    const order = this.zone().slice();
    const from = order.findIndex((one) => one.id === id);
    const [one] = order.splice(from, 1);
    order.splice(from + by, 0, one!);
    this.save({ media: order });
  }

  private save(change: object): void {
    const body = { ...this.board, settings: { ...this.board.settings, ...change } };
    void act(this.host, call("PUT", at(this.host, "board"), body), say("saved")).then((answer) => {
      if (!this.host.alive()) return;
      if (answer) this.board = answer;
      this.paint();
    });
  }

  private async remove(file: Stored): Promise<void> {
    const answer = await act(this.host, call("DELETE", at(this.host, `media/${file.id}`)), say("removed"));
    if (answer && this.host.alive()) {
      this.files = answer.media;
      this.paint();
    }
  }
}
