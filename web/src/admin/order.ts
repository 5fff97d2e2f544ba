// Moving the rows of a table up and down; the focus stays with what was moved.
import { button } from "../common/dom";
import { call } from "../common/http";
import { at, Host } from "./host";
import { act } from "./ui";
import { say } from "./words";

interface Thing {
  id: number | string;
}

export class Order<T extends Thing> {
  /** In their order, as they were shown last. */
  all: readonly T[] = [];

  constructor(
    private readonly host: Host,
    private readonly path: string,
    private readonly name: (thing: T) => string,
    private readonly show: (answer: any) => void,
  ) {}

  buttons(box: HTMLElement, thing: T): void {
    const arrow = (by: number, sign: string, key: string) => {
      const element = button(box, sign, () => this.move(thing, by), "quiet");
      element.setAttribute("aria-label", say(key, { name: this.name(thing) }));
      element.dataset["move"] = `${thing.id} ${by}`;
      element.disabled = by < 0 ? this.all[0] === thing : this.all[this.all.length - 1] === thing;
    };
    arrow(-1, "\u2191", "line.up");
    arrow(1, "\u2193", "line.down");
  }

  private move(thing: T, by: number): void {
    const order = this.all.map((one) => one.id);
    const from = order.indexOf(thing.id);
    order.splice(from, 1);
    order.splice(from + by, 0, thing.id);
    void act(this.host, call("PUT", at(this.host, this.path), { order }), say("line.moved", { name: this.name(thing) })).then((answer) => {
      if (!answer) return;
      this.show(answer);
      document.querySelector<HTMLElement>(`[data-move="${thing.id} ${by}"]:not(:disabled), [data-move="${thing.id} ${-by}"]`)?.focus();
    });
  }
}
