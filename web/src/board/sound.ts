// The chime and the voice. Browsers refuse sound until somebody has touched
// the page, so being locked is a state of its own, shown and never assumed away.
import { Env } from "../client/index";
import { Clips } from "./clips";
import { voiceVersion } from "./words";

/** A third down, bright and short: heard over talk without startling. */
const NOTES = [
  { frequency: 783.99, at: 0 },
  { frequency: 622.25, at: 0.32 },
];
const NOTE_LENGTH = 0.8;
const CHIME_LENGTH = 1150;
const LEVEL = 0.5;
/** Three seconds of warning: heard, and over soon. */
const ALARM_NOTES = 6;
const ALARM_STEP = 0.5;
const RETRY = 10000;
/** A hub that is slow with a clip must not hold up the next call. */
const LOAD_LIMIT = 4000;
/** Between two clips, and after a language, in seconds. */
const GAP = 0.04;
const PAUSE = 0.5;

type After = (ms: number, run: () => void) => () => void;

/** How sound is: open, locked until somebody presses a key, or not there at all. */
export type SoundState = "open" | "locked" | "none";

/** One audio context for the life of the page. */
export class Sound {
  private readonly after: After;
  private readonly changed: (locked: boolean) => void;
  private readonly context: AudioContext | undefined;
  private readonly clips: Clips<AudioBuffer>;
  private readonly token: () => string | undefined;
  private told: boolean | undefined;

  constructor(env: Env, token: () => string | undefined, changed: (locked: boolean) => void) {
    this.after = (ms, run) => env.after(ms, run);
    this.token = token;
    this.changed = changed;
    this.clips = new Clips((path, done) => this.get(path, done), () => env.now(), voiceVersion);
    this.context = makeContext();
    this.watch();
  }

  get state(): SoundState {
    return !this.context ? "none" : this.context.state === "running" ? "open" : "locked";
  }

  /** To be called on every key, click and touch. */
  unlock(): void {
    if (this.context && this.context.state === "suspended") {
      // Pends until a gesture, fails on some engines; the state is what counts.
      this.context.resume().then(() => this.tell(), () => undefined);
    }
  }

  chime(done: (played: boolean) => void): void {
    const context = this.context;
    if (!context || context.state !== "running") {
      this.unlock();
      done(false);
      return;
    }
    for (const note of NOTES) {
      ring(context, note.frequency, context.currentTime + note.at);
    }
    this.after(CHIME_LENGTH, () => done(true));
  }

  /** The warning tone of an emergency: two tones in turn, unlike the chime. */
  alarm(): void {
    const context = this.context;
    if (!context || context.state !== "running") {
      this.unlock();
      return;
    }
    for (let i = 0; i < ALARM_NOTES; i++) {
      ring(context, i % 2 ? 740 : 988, context.currentTime + i * ALARM_STEP);
    }
  }

  /** Loads and keeps a clip; undefined when it cannot be had. */
  private get(path: string, done: (clip: AudioBuffer | undefined) => void): void {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.responseType = "arraybuffer";
    request.timeout = LOAD_LIMIT;
    const token = this.token();
    if (token) {
      request.setRequestHeader("Authorization", "Bearer " + token);
    }
    const fail = () => done(undefined);
    request.onerror = fail;
    request.ontimeout = fail;
    request.onload = () => {
      if (request.status !== 200 || !this.context) {
        fail();
        return;
      }
      // With callbacks: the oldest engines answer with nothing.
      const decoded = this.context.decodeAudioData(request.response as ArrayBuffer, done, fail) as Promise<AudioBuffer> | undefined;
      if (decoded) {
        decoded.catch(() => undefined);
      }
    };
    request.send();
  }

  /** Fetches what a call needs while its chime is still sounding. */
  prepare(names: string[], languages: string[]): void {
    if (this.context) {
      languages.forEach((language) => this.clips.load(language, names, () => undefined));
    }
  }

  /** Says a call in one language after another; done says whether any was said. */
  speak(names: string[], languages: string[], done: (spoken: boolean) => void): void {
    const [language, ...rest] = languages;
    const context = this.context;
    if (!language || !context || context.state !== "running") {
      done(false);
      return;
    }
    this.clips.load(language, names, (clips) => {
      const length = clips ? play(context, clips) : 0;
      this.after(length, () => this.speak(names, rest, (more) => done(more || length > 0)));
    });
  }

  private watch(): void {
    this.unlock();
    this.tell();
    this.after(RETRY, () => this.watch());
  }

  private tell(): void {
    const locked = !!this.context && this.context.state !== "running";
    if (locked !== this.told) {
      this.told = locked;
      this.changed(locked);
    }
  }
}

function makeContext(): AudioContext | undefined {
  const Context = window.AudioContext
    || (window as unknown as { webkitAudioContext?: typeof AudioContext }).webkitAudioContext;
  try {
    return Context ? new Context() : undefined;
  } catch (_) {
    return undefined; // no sound device
  }
}

/** Schedules clips one behind the other; answers how long they take, in ms. */
function play(context: AudioContext, clips: AudioBuffer[]): number {
  let at = context.currentTime + 0.05;
  for (const clip of clips) {
    const source = context.createBufferSource();
    source.buffer = clip;
    source.connect(context.destination);
    source.start(at);
    at += clip.duration + GAP;
  }
  return (at - context.currentTime + PAUSE) * 1000;
}

/** One struck note: a sine with its octave, dying away. */
function ring(context: AudioContext, frequency: number, at: number): void {
  for (const partial of [{ times: 1, level: LEVEL }, { times: 2, level: LEVEL / 5 }]) {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.type = "sine";
    oscillator.frequency.value = frequency * partial.times;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(partial.level, at + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_LENGTH);
    oscillator.connect(gain);
    gain.connect(context.destination);
    oscillator.onended = () => gain.disconnect();
    oscillator.start(at);
    oscillator.stop(at + NOTE_LENGTH);
  }
}
