// One call after the other: each is shown, chimed and spoken in full before the
// next one begins, however close together the clerks press.

export interface Call {
  key: string;
  publicId: string;
  /** The desk in words, empty where there is none, and as it is named. */
  desk: string;
  deskName?: string;
  /** What the location shows of the visitor's name. */
  name?: string;
  /** 1 for a call, 2 and more for a recall. */
  times: number;
  /** The push's offset, for receipts; undefined when it came in a snapshot. */
  offset: number | undefined;
}

/** What the announcer directs; sounds call back when they have ended. */
export interface Stage {
  show(call: Call): void;
  /** Nothing is being announced any more. */
  rest(): void;
  chime(done: (played: boolean) => void): void;
  speak(call: Call, done: (spoken: boolean) => void): void;
  /** The sound of call has ended; whether it was heard. */
  heard(call: Call, sounded: boolean): void;
}

export const HOLD = 8000;
/** How long a call stays when others wait. */
export const HOLD_MIN = 6000;
/** With more than this many behind it a call gets its chime and little else. */
export const BURST = 3;
export const HOLD_BURST = 1500;
const PAUSE = 300;
/** More than this cannot be waited for; the list on screen has them all. */
const QUEUE_MAX = 20;

/** A first-in first-out queue of calls over one stage. */
export class Announcer {
  private readonly after: (ms: number, run: () => void) => () => void;
  private readonly stage: Stage;
  private readonly queue: Call[] = [];
  private current: Call | undefined;
  private soundDone = false;
  private minPassed = false;
  private holdPassed = false;

  constructor(after: (ms: number, run: () => void) => () => void, stage: Stage) {
    this.after = after;
    this.stage = stage;
  }

  /** The call on stage. */
  get announcing(): Call | undefined {
    return this.current;
  }

  /** How many calls wait for theirs. */
  get queued(): number {
    return this.queue.length;
  }

  add(call: Call): void {
    // A ticket that waits to be announced and is called again needs one
    // announcement, the newer one.
    for (let i = 0; i < this.queue.length; i++) {
      if (this.queue[i]!.key === call.key) {
        this.queue[i] = call;
        return;
      }
    }
    this.queue.push(call);
    if (this.queue.length > QUEUE_MAX) {
      this.queue.shift();
    }
    this.advance();
  }

  /** Takes back a call that waits: its ticket is in a line again. */
  drop(key: string): void {
    for (let i = this.queue.length - 1; i >= 0; i--) {
      if (this.queue[i]!.key === key) {
        this.queue.splice(i, 1);
      }
    }
  }

  private advance(): void {
    if (this.current && !(this.soundDone && this.minPassed)) {
      return;
    }
    const next = this.queue.shift();
    if (next) {
      this.begin(next);
    } else if (this.current && this.holdPassed) {
      this.current = undefined;
      this.stage.rest();
    }
  }

  private begin(call: Call): void {
    this.current = call;
    this.soundDone = this.minPassed = this.holdPassed = false;
    const burst = this.queue.length >= BURST;
    this.later(call, burst ? HOLD_BURST : HOLD_MIN, () => {
      this.minPassed = true;
    });
    this.later(call, HOLD, () => {
      this.holdPassed = true;
    });
    this.stage.show(call);
    this.stage.chime((played) => {
      if (!played || burst) {
        this.soundEnded(call, played);
        return;
      }
      this.after(PAUSE, () => this.stage.speak(call, () => this.soundEnded(call, true)));
    });
  }

  private soundEnded(call: Call, sounded: boolean): void {
    if (this.current !== call || this.soundDone) {
      return;
    }
    this.soundDone = true;
    this.stage.heard(call, sounded);
    this.advance();
  }

  private later(call: Call, ms: number, mark: () => void): void {
    this.after(ms, () => {
      if (this.current === call) {
        mark();
        this.advance();
      }
    });
  }
}
