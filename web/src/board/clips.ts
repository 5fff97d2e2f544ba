// Speech is put together from clips that the hub rendered once: a letter, digits,
// "to desk", a number. They are kept by the device and work without the hub.

/** The clips that say a call; names as the hub serves them. */
export function clipNames(publicId: string, deskName: string): string[] {
  const names: string[] = [];
  for (const letter of publicId.toLowerCase().split("")) {
    if (/[0-9]/.test(letter)) {
      names.push("digit-" + letter);
    } else if (letter.toLowerCase() !== letter.toUpperCase()) {
      names.push("letter-" + letter);
    }
  }
  const desk = /^0*(\d{1,2})([A-Za-z]?)$/.exec(deskName);
  if (desk) {
    names.push("to-desk", "number-" + Number(desk[1]));
    if (desk[2]) {
      names.push("letter-" + desk[2].toLowerCase());
    }
  }
  return names;
}

type Get<Clip> = (path: string, done: (clip: Clip | undefined) => void) => void;

/** How long a clip that was not there is not asked for again. */
const RETRY = 60000;
/** More clips than a location needs; only a defect would bring more. */
const MOST = 400;

/** Loads each clip once. */
export class Clips<Clip> {
  private readonly get: Get<Clip>;
  private readonly now: () => number;
  private readonly version: (language: string) => string;
  private readonly loaded = new Map<string, Clip>();
  private readonly missing = new Map<string, number>();

  /** A clip is kept for ever under its address, which has the language's version. */
  constructor(get: Get<Clip>, now: () => number, version: (language: string) => string = () => "") {
    this.get = get;
    this.now = now;
    this.version = version;
  }

  /** The clips of one language, or undefined: half a sentence helps nobody. */
  load(language: string, names: string[], done: (clips: Clip[] | undefined) => void): void {
    let open = names.length;
    const finish = () => {
      if (--open === 0) {
        const clips = names.map((name) => this.loaded.get(language + "/" + name));
        done(clips.every((clip) => clip !== undefined) ? (clips as Clip[]) : undefined);
      }
    };
    if (open === 0) {
      done(undefined);
      return;
    }
    names.forEach((name) => this.one(language + "/" + name, finish));
  }

  private one(key: string, done: () => void): void {
    const tried = this.missing.get(key);
    if (this.loaded.has(key) || (tried !== undefined && this.now() - tried < RETRY)) {
      done();
      return;
    }
    const parts = key.split("/").map(encodeURIComponent);
    const version = this.version(key.slice(0, key.indexOf("/")));
    this.get("/hub/v1/speech/" + parts.join("/") + ".wav" + (version && "?v=" + version), (clip) => {
      if (clip === undefined) {
        this.missing.set(key, this.now());
      } else if (this.loaded.size < MOST) {
        this.loaded.set(key, clip);
        this.missing.delete(key);
      }
      done();
    });
  }
}
