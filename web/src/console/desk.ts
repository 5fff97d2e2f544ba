// What the clerk works with: a desk and lines. The hub keeps it (user.select), so
// colleagues see it and every console of one user is alike; a choice shows here at
// once and goes back if the hub refuses it.
import { Console } from "./state";

interface Choice {
  desk: number | undefined;
  /** Undefined: every line. */
  lines: number[] | undefined;
}

/** Tells the hub; answers whether it was done. */
export type Selecting = (params: { desk?: number; lines?: number[] }) => Promise<boolean>;

export class DeskChoice {
  /** What was chosen here and is not confirmed yet, or what a hub without users was told. */
  private chosen: Partial<Choice> = {};

  constructor(private readonly user: number, private readonly tell: Selecting) {}

  /** The hub has spoken about this user: what it says holds. */
  confirmed(): void {
    this.chosen = {};
  }

  /** The chosen desk, while there is one of that id. */
  desk(state: Console): number | undefined {
    const known = "desk" in this.chosen ? this.chosen.desk : state.users.find((u) => u.id === this.user)?.desk;
    return state.desks.some((d) => d.id === known) ? known : undefined;
  }

  lines(state: Console): Set<number> {
    const open = state.lines.filter((l) => !l.disabled && !l.archived).map((l) => l.id);
    const known = "lines" in this.chosen ? this.chosen.lines : state.users.find((u) => u.id === this.user)?.lines;
    return new Set(known?.length ? open.filter((id) => known.indexOf(id) >= 0) : open);
  }

  setDesk(desk: number | undefined): void {
    this.chosen.desk = desk;
    this.send({ desk: desk || 0 }, "desk");
  }

  /** The last line cannot be left: nobody would ever be called. */
  toggleLine(state: Console, line: number, on: boolean): boolean {
    const lines = this.lines(state);
    if (on) {
      lines.add(line);
    } else {
      lines.delete(line);
    }
    if (lines.size === 0) {
      return false;
    }
    this.chosen.lines = Array.from(lines);
    this.send({ lines: this.chosen.lines }, "lines");
    return true;
  }

  private send(params: { desk?: number; lines?: number[] }, part: keyof Choice): void {
    const asked = this.chosen[part];
    void this.tell(params).then((done) => {
      if (!done && this.chosen[part] === asked) delete this.chosen[part];
    });
  }
}
