// Keeps the phone's screen on while somebody waits, where the phone lets us.

interface Lock {
  released: boolean;
  release(): Promise<void>;
  addEventListener(type: "release", run: () => void): void;
}

export type AwakeState = "on" | "off" | "none";

/** Holds the wake lock while wanted and visible. */
export class Awake {
  private wanted = false;
  private asking = false;
  private lock: Lock | undefined;
  private refused = false;

  constructor(private readonly changed: () => void) {
    document.addEventListener("visibilitychange", () => this.ask());
  }

  /** "none": this phone cannot be asked, and its owner should be told. */
  get state(): AwakeState {
    if (this.lock && !this.lock.released) return "on";
    return this.wakeLock() && !this.refused ? "off" : "none";
  }

  want(wanted: boolean): void {
    if (this.wanted === wanted) return;
    this.wanted = wanted;
    if (wanted) {
      this.ask();
    } else if (this.lock) {
      this.lock.release().catch(() => undefined);
      this.lock = undefined;
      this.changed();
    }
  }

  private wakeLock(): { request(type: "screen"): Promise<Lock> } | undefined {
    return (navigator as unknown as { wakeLock?: { request(type: "screen"): Promise<Lock> } }).wakeLock;
  }

  private ask(): void {
    const wakeLock = this.wakeLock();
    if (!wakeLock || !this.wanted || this.asking || document.hidden || this.state === "on") return;
    this.asking = true;
    wakeLock.request("screen").then(
      (lock) => {
        this.asking = false;
        this.refused = false;
        this.lock = lock;
        lock.addEventListener("release", () => this.changed());
        if (!this.wanted) lock.release().catch(() => undefined);
        this.changed();
      },
      () => {
        // Power saving refuses it; the next return to the page asks again.
        this.asking = false;
        this.refused = true;
        this.changed();
      },
    );
  }
}
