// What is shown beside the calls: cards, images and muted videos, one after
// another. Nothing of it moves while somebody is being called.
import { Env } from "../client/index";
import { byId, setAttribute, setData, setText } from "./dom";
import { Card, Medium } from "./look";

/** How long a card or an image stays, unless it says otherwise. */
export const CARD_FOR = 10000;
/** A video that does not end is moved on from. */
const VIDEO_LIMIT = 300000;

type Item = { card: Card; medium?: undefined } | { medium: Medium; card?: undefined };
type Load = (path: string, done: (blob: Blob | undefined) => void) => void;

/** Loads with the screen's token: an address alone opens nothing. */
export function loadBlob(token: () => string | undefined): Load {
  return (path, done) => {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.responseType = "blob";
    const bearer = token();
    if (bearer) {
      request.setRequestHeader("Authorization", "Bearer " + bearer);
    }
    request.onload = () => done(request.status === 200 ? (request.response as Blob) : undefined);
    request.onerror = () => done(undefined);
    request.send();
  };
}

/** One image, one video and one card element, whatever there is to show. */
export class Zone {
  private readonly env: Env;
  private readonly load: Load;
  private readonly image = byId("zone-image") as HTMLImageElement;
  private readonly video = byId("zone-video") as HTMLVideoElement;
  private readonly card = byId("zone-card");
  private readonly urls = new Map<string, string>();
  private key = "";
  private items: Item[] = [];
  private at = -1;
  private frozen = false;
  private turns = 0;
  /** How many items in a row could not be shown. */
  private missed = 0;

  constructor(env: Env, load: Load) {
    this.env = env;
    this.load = load;
    // Set here as well: some engines ignore the attribute in the page.
    this.video.muted = true;
    this.video.onended = () => this.next();
  }

  /** What there is to show; location is where its files are. */
  set(location: number, cards: Card[], media: Medium[], logo: string): void {
    const key = JSON.stringify([location, cards, media, logo]);
    if (key === this.key) {
      return;
    }
    this.key = key;
    this.items = [];
    const wanted = media.map((medium) => medium.id).concat(logo || []);
    this.urls.forEach((url, id) => {
      if (wanted.indexOf(id) < 0) {
        URL.revokeObjectURL(url);
        this.urls.delete(id);
      }
    });
    for (let i = 0; i < Math.max(cards.length, media.length); i++) {
      if (media[i]) this.items.push({ medium: media[i] as Medium });
      if (cards[i]) this.items.push({ card: cards[i] as Card });
    }
    for (const id of wanted) {
      this.fetch("/board/" + location + "/media/" + id, id);
    }
    this.showLogo(logo);
    this.at = -1;
    this.missed = 0;
    this.next();
  }

  private fetch(path: string, id: string): void {
    if (this.urls.has(id)) {
      return;
    }
    this.load(path, (blob) => {
      if (blob && this.key.indexOf(id) >= 0 && !this.urls.has(id)) {
        this.urls.set(id, URL.createObjectURL(blob));
        this.showLogo(JSON.parse(this.key)[3]);
      }
    });
  }

  private showLogo(logo: string): void {
    const element = byId("logo") as HTMLImageElement;
    const url = this.urls.get(logo);
    element.style.display = url ? "block" : "";
    if (url) {
      setAttribute(element, "src", url);
    }
  }

  /** A call begins or ends. */
  freeze(frozen: boolean): void {
    if (frozen === this.frozen) {
      return;
    }
    this.frozen = frozen;
    const current = this.items[this.at];
    if (!current || !current.medium || !/^video/.test(current.medium.type)) {
      return;
    }
    if (frozen) {
      this.video.pause();
    } else {
      this.play();
    }
  }

  private play(): void {
    const playing = this.video.play() as Promise<void> | undefined;
    if (playing && playing.catch) {
      playing.catch(() => undefined); // refused, or cut off by a call; the limit moves on
    }
  }

  private later(ms: number): void {
    const turn = ++this.turns;
    this.env.after(ms, () => {
      if (turn === this.turns) {
        this.next();
      }
    });
  }

  private next(): void {
    if (this.items.length === 0) {
      this.turns++;
      this.show(undefined);
      return;
    }
    if (this.frozen && this.at >= 0) {
      this.later(1000);
      return;
    }
    this.at = (this.at + 1) % this.items.length;
    const item = this.items[this.at] as Item;
    if (item.card) {
      setText(this.card, item.card.text);
      setAttribute(this.card, "lang", item.card.language);
      setAttribute(this.card, "dir", "auto");
      this.show(this.card);
      this.later(CARD_FOR);
      return;
    }
    const url = this.urls.get(item.medium.id);
    if (!url) {
      // Not loaded, or not yet: the next one, soon. Where nothing is, the call is.
      if (++this.missed >= this.items.length) {
        this.show(undefined);
      }
      this.later(1000);
      return;
    }
    this.showMedium(item.medium, url);
  }

  private showMedium(medium: Medium, url: string): void {
    if (/^video/.test(medium.type)) {
      setAttribute(this.video, "src", url);
      this.video.currentTime = 0;
      this.show(this.video);
      this.play();
      this.later(VIDEO_LIMIT);
    } else {
      setAttribute(this.image, "src", url);
      this.show(this.image);
      this.later((medium.seconds || 0) * 1000 || CARD_FOR);
    }
  }

  private show(element: HTMLElement | undefined): void {
    if (element) this.missed = 0;
    setData("zone", element ? "full" : "empty");
    for (const one of [this.image, this.video, this.card]) {
      one.classList.toggle("shown", one === element);
    }
    if (element !== this.video) {
      this.video.pause();
    }
  }
}
