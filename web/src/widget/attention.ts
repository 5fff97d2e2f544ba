// Getting somebody's attention: a sound, the page's title, the phone's buzz. For
// a call all of them together, since some see, some hear and some feel.
import { Store } from "../launcher/api";

const FLASH_EVERY = 1200;
/** Two rising tones for a call, one for a message: hertz, start and length in seconds. */
const CALL = [[660, 0, 0.22], [880, 0.26, 0.5]] as const;
const MESSAGE = [[720, 0, 0.16]] as const;

export class Attention {
  private audio: AudioContext | undefined;
  private title: string | undefined;
  private timer = 0;
  private readonly seen = () => {
    if (!document.hidden) this.calm();
  };

  constructor(private readonly store: Store) {
    document.addEventListener("visibilitychange", this.seen);
  }

  get muted(): boolean {
    return this.store.get("muted") === "1";
  }

  set muted(muted: boolean) {
    this.store.set("muted", muted ? "1" : undefined);
  }

  /** To be called in a click: browsers let nothing sound before one. */
  unlock(): void {
    try {
      this.audio = this.audio || new AudioContext();
      this.audio.resume().catch(() => undefined);
    } catch {
      // A browser without sound still has the rest.
    }
  }

  /** It is the visitor's turn; id names the call, so that one tab of several sounds. */
  call(text: string, id: string): void {
    if (navigator.vibrate) {
      try {
        navigator.vibrate([300, 150, 300, 150, 500]);
      } catch {
        // Not before a gesture, in a frame.
      }
    }
    this.flash(text);
    this.first("rung", id, () => this.play(CALL));
  }

  message(text: string, id: string): void {
    if (!document.hidden) return;
    this.flash(text);
    this.first("heard", id, () => this.play(MESSAGE));
  }

  /** Runs in the first tab that comes by; one that can be seen goes first. */
  private first(name: string, id: string, run: () => void): void {
    window.setTimeout(() => {
      if (this.store.get(name) === id) return;
      this.store.set(name, id);
      run();
    }, document.hidden ? 400 : 0);
  }

  private play(tones: ReadonlyArray<readonly [number, number, number]>): void {
    const audio = this.audio;
    if (this.muted || !audio || audio.state !== "running") return;
    for (const [pitch, start, length] of tones) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      const at = audio.currentTime + start;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.3, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + length);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + length + 0.05);
    }
  }

  /** Says it in the title until the page is looked at. */
  private flash(text: string): void {
    if (!document.hidden) return;
    this.calm();
    this.title = document.title;
    const before = this.title;
    let on = false;
    const turn = () => {
      on = !on;
      document.title = on ? text : before;
    };
    turn();
    this.timer = window.setInterval(turn, FLASH_EVERY);
  }

  private calm(): void {
    window.clearInterval(this.timer);
    if (this.title !== undefined) document.title = this.title;
    this.title = undefined;
  }

  stop(): void {
    this.calm();
    document.removeEventListener("visibilitychange", this.seen);
    if (this.audio) this.audio.close().catch(() => undefined);
  }
}
