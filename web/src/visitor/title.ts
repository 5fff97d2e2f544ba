// The tab's title: the number and how it stands, blinking while a call is not seen.

const BLINK = 1000;

export class Title {
  private texts: [string, string] = ["", ""];
  private timer = 0;
  private odd = false;

  constructor() {
    document.addEventListener("visibilitychange", () => this.paint());
  }

  /** With a second text the two take turns for as long as nobody looks. */
  set(text: string, other = ""): void {
    if (this.texts[0] === text && this.texts[1] === other) return;
    this.texts = [text, other];
    this.paint();
  }

  private paint(): void {
    window.clearTimeout(this.timer);
    const [text, other] = this.texts;
    this.odd = !this.odd && document.hidden && other !== "";
    document.title = this.odd ? other : text;
    if (document.hidden && other) {
      this.timer = window.setTimeout(() => this.paint(), BLINK);
    }
  }
}
