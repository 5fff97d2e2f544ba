// Shrinks texts to their boxes, and remembers what it found. Measuring costs a
// layout, and a burst of calls on a small machine has no time for one each.
import { fit, fitHeight, setProperty } from "./dom";

/** More than a day's different texts; what is forgotten is measured again. */
const REMEMBERED = 400;

/** Texts that are fitted together, without regard to any others. */
export interface Group {
  /** All that is written in its boxes. */
  text: string;
  boxes: HTMLElement[];
  /** Is fitted again after the others: it may need less than it seemed. */
  again?: HTMLElement;
  /** What all boxes together must not be higher than. */
  within?: HTMLElement;
}

/** What was measured on one screen. */
export class Fitting {
  private frame = "";
  private readonly known = new Map<string, string[]>();

  /** frame: everything else that widths depend on. */
  run(frame: string, groups: Group[]): void {
    if (frame !== this.frame || this.known.size > REMEMBERED) {
      this.known.clear();
      this.frame = frame;
    }
    const unknown: Group[] = [];
    for (const group of groups) {
      const found = this.known.get(shape(group));
      if (found) {
        group.boxes.forEach((box, i) => setProperty(box, "--fit", found[i]!));
      } else {
        unknown.push(group);
      }
    }
    if (unknown.length) {
      this.measure(unknown);
    }
  }

  private measure(groups: Group[]): void {
    const boxes = groups.reduce((all, group) => all.concat(group.boxes), [] as HTMLElement[]);
    if (fit(boxes)) {
      fit(groups.reduce((all, group) => all.concat(group.again || []), [] as HTMLElement[]));
    }
    for (const group of groups) {
      if (group.within) {
        fitHeight(group.within, group.boxes);
      }
      this.known.set(shape(group), group.boxes.map((box) => box.style.getPropertyValue("--fit")));
    }
  }
}

/** Digits are all of one width on a board, so that one number measures for many. */
function shape(group: Group): string {
  return (group.within ? "call " : "row ") + group.text.replace(/[0-9]/g, "0");
}
