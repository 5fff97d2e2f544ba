// The ring of a call: synthesised, so that there is nothing to load when it
// matters. Browsers refuse sound until somebody has touched the page.

/** A rising third, twice: unlike any phone's own ring. */
const NOTES = [659.25, 783.99, 659.25, 783.99];
const NOTE = 0.18;
const LEVEL = 0.4;
/** A call rings for about ten seconds, unless it is answered first. */
const EVERY = 2500;
const TIMES = 4;
const SHAKE = [300, 120, 300, 120, 500];

export type SoundState = "on" | "locked" | "none";

/** Rings and vibrates. */
export class Ring {
  private context: AudioContext | undefined;
  private timer = 0;
  private on = false;

  constructor(private readonly changed: () => void) {}

  get state(): SoundState {
    if (!window.AudioContext) return "none";
    return this.context && this.context.state === "running" ? "on" : "locked";
  }

  get ringing(): boolean {
    return this.on;
  }

  /** To be called on every tap and key: only then a browser lets a page sound. */
  unlock(): void {
    if (!window.AudioContext) return;
    if (!this.context) {
      this.context = new AudioContext();
      this.context.onstatechange = () => this.changed();
    }
    if (this.context.state !== "running") {
      this.context.resume().then(() => this.changed(), () => undefined);
    }
  }

  /** One short note, so that somebody who turned the sound on hears that it is. */
  sample(): void {
    this.unlock();
    const context = this.context;
    if (context) context.resume().then(() => play(context, NOTES.slice(0, 2)), () => undefined);
  }

  start(): void {
    window.clearTimeout(this.timer);
    this.on = true;
    this.round(TIMES);
    this.changed();
  }

  stop(): void {
    if (!this.on) return;
    window.clearTimeout(this.timer);
    this.on = false;
    shake(0);
    this.changed();
  }

  private round(left: number): void {
    if (left === 0) {
      this.stop();
      return;
    }
    shake(SHAKE);
    const context = this.context;
    if (context && context.state === "running") {
      play(context, NOTES);
    } else if (context) {
      // A phone that was locked has put the sound to sleep.
      context.resume().then(() => play(context, NOTES), () => undefined);
    }
    this.timer = window.setTimeout(() => this.round(left - 1), EVERY);
  }
}

function shake(pattern: number | number[]): void {
  // Not on every phone, and nowhere before the first tap.
  if (navigator.vibrate && (!navigator.userActivation || navigator.userActivation.hasBeenActive)) {
    navigator.vibrate(pattern);
  }
}

function play(context: AudioContext, notes: number[]): void {
  notes.forEach((frequency, i) => {
    const at = context.currentTime + i * NOTE;
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.type = "triangle";
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(LEVEL, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + NOTE);
    oscillator.connect(gain);
    gain.connect(context.destination);
    oscillator.onended = () => gain.disconnect();
    oscillator.start(at);
    oscillator.stop(at + NOTE);
  });
}
