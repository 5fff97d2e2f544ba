// What the clerk has chosen: desk and lines, remembered per person and location.
import { Console, User } from "./state";

interface Choice {
  desk?: number;
  /** Undefined: every line. */
  lines?: number[];
}

/** The clerk's own settings. */
export class DeskChoice {
  private choice: Choice = {};
  private readonly name: string;
  private readonly stored: boolean;

  constructor(user: number, location: number) {
    this.name = `nowserving.console.${user}.${location}`;
    let text: string | null = null;
    try {
      text = localStorage.getItem(this.name);
      this.choice = text ? JSON.parse(text) : {};
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    this.stored = text !== null;
  }

  /** Takes over what the hub knows of this user, until there is a choice. */
  suggest(user: User | undefined): void {
    if (this.stored || !user) {
      return;
    }
    if (this.choice.desk === undefined && user.desk) this.choice.desk = user.desk;
    if (this.choice.lines === undefined && user.lines?.length) this.choice.lines = user.lines;
  }

  /** The chosen desk, while there is one of that id. */
  desk(state: Console): number | undefined {
    return state.desks.some((d) => d.id === this.choice.desk) ? this.choice.desk : undefined;
  }

  lines(state: Console): Set<number> {
    const open = state.lines.filter((l) => !l.disabled).map((l) => l.id);
    const { lines } = this.choice;
    return new Set(lines ? open.filter((id) => lines.indexOf(id) >= 0) : open);
  }

  setDesk(desk: number | undefined): void {
    if (desk === undefined) {
      delete this.choice.desk;
    } else {
      this.choice.desk = desk;
    }
    this.save();
  }

  toggleLine(state: Console, line: number, on: boolean): void {
    const lines = this.lines(state);
    if (on) {
      lines.add(line);
    } else {
      lines.delete(line);
    }
    this.choice.lines = Array.from(lines);
    this.save();
  }

  private save(): void {
    try {
      localStorage.setItem(this.name, JSON.stringify(this.choice));
    } catch {
      // See the constructor.
    }
  }
}
