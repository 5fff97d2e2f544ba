// Which screens have shown and sounded which call.
import { Push } from "../client/index";
import { Display } from "./state";

/** More calls than this are not looked back at. */
const KEPT = 200;

interface Proof {
  painted: Set<number>;
  spoken: Set<number>;
}

export interface Shown {
  painted: number;
  spoken: number;
  screens: number;
  offline: number;
  /** Screens that are there and have not shown it. */
  silent: number;
  /** Rooms with a screen that can be heard, and those where it was. */
  rooms: number;
  heard: number;
}

/** Receipts by the offset of the push that they are for. */
export class Receipts {
  private readonly proofs = new Map<number, Proof>();

  take(push: Push): void {
    const { offset, display, painted, spoken } = push.data as { [name: string]: any };
    if (!offset || !display) {
      return;
    }
    let proof = this.proofs.get(offset);
    if (!proof) {
      proof = { painted: new Set(), spoken: new Set() };
      this.proofs.set(offset, proof);
      if (this.proofs.size > KEPT) {
        this.proofs.delete(this.proofs.keys().next().value as number);
      }
    }
    // A screen reports twice, when it has painted and when it has sounded.
    if (painted) proof.painted.add(display);
    if (spoken) proof.spoken.add(display);
  }

  /** What is known of the call at offset, over the screens that there are. */
  shown(offset: number | undefined, all: Display[]): Shown {
    const displays = all.filter((d) => d.kind !== "kiosk");
    const proof = offset === undefined ? undefined : this.proofs.get(offset);
    const rooms = (all: Display[]) => new Set(all.map((d) => d.room || "")).size;
    const audible = displays.filter((d) => d.online && !d.mute);
    const count = (set: Set<number> | undefined) => displays.filter((d) => set && set.has(d.id)).length;
    return {
      painted: count(proof?.painted),
      spoken: count(proof?.spoken),
      screens: displays.length,
      offline: displays.filter((d) => !d.online).length,
      silent: displays.filter((d) => d.online && !(proof && proof.painted.has(d.id))).length,
      rooms: rooms(audible),
      heard: rooms(audible.filter((d) => proof?.spoken.has(d.id))),
    };
  }
}
