// A value that can be watched.

/** Holds a value and tells its watchers when it becomes another one. */
export class Observable<T> {
  private current: T;
  private readonly same: (a: T, b: T) => boolean;
  private readonly watchers: Array<(value: T) => void> = [];

  constructor(initial: T, same: (a: T, b: T) => boolean) {
    this.current = initial;
    this.same = same;
  }

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (this.same(this.current, value)) {
      return;
    }
    this.current = value;
    // A copy: a watcher may stop watching while it is being told.
    for (const watcher of this.watchers.slice()) {
      watcher(value);
    }
  }

  /** Calls watcher now and on every change; returns how to stop. */
  watch(watcher: (value: T) => void): () => void {
    this.watchers.push(watcher);
    watcher(this.current);
    return () => {
      const at = this.watchers.indexOf(watcher);
      if (at >= 0) {
        this.watchers.splice(at, 1);
      }
    };
  }
}
