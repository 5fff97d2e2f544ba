// The chime and the voice. Browsers refuse sound until somebody has touched
// the page, so being locked is a state of its own, shown and never assumed away.

/** A third down, bright and short: heard over talk without startling. */
const NOTES = [
  { frequency: 783.99, at: 0 },
  { frequency: 622.25, at: 0.32 },
];
const NOTE_LENGTH = 0.8;
const CHIME_LENGTH = 1150;
const LEVEL = 0.5;
const RETRY = 10000;
/** Some engines never tell that speech has ended. */
const SPEECH_LIMIT = 7000;

type After = (ms: number, run: () => void) => () => void;

/** One audio context for the life of the page. */
export class Sound {
  private readonly after: After;
  private readonly changed: (locked: boolean) => void;
  private readonly context: AudioContext | undefined;
  private told: boolean | undefined;

  constructor(after: After, changed: (locked: boolean) => void) {
    this.after = after;
    this.changed = changed;
    this.context = makeContext();
    this.watch();
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

  /** Speaks where there is a voice for it; the chime alone is a full announcement. */
  speak(text: string, language: string, done: (spoken: boolean) => void): void {
    const synthesis = window.speechSynthesis;
    if (!synthesis || synthesis.getVoices().length === 0) {
      done(false);
      return;
    }
    let ended = false;
    const end = (spoken: boolean) => {
      if (!ended) {
        ended = true;
        done(spoken);
      }
    };
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = language;
    utterance.rate = 0.9;
    utterance.onend = () => end(true);
    utterance.onerror = () => end(false);
    this.after(SPEECH_LIMIT, () => {
      if (!ended) {
        synthesis.cancel();
        end(false);
      }
    });
    synthesis.speak(utterance);
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
