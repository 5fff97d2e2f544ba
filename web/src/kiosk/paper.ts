// The number that was given: on the screen first, on paper second. Whatever
// happens to the paper, the number stays on the screen.
import { paintCode } from "../board/qr";
import { ZoneClock } from "../board/time";
import { byId, setText } from "../common/dom";
import { Words } from "../common/words";
import { Issued } from "../form/config";
import { waitRange } from "../form/say";

/** Time for the screen to paint before a print dialog may cover it. */
const PAINT = 250;

export class Paper {
  private printed = 0;
  private failed = false;
  private timer = 0;

  constructor(private readonly changed: () => void) {}

  /** Begins with a new number. */
  begin(print: boolean): void {
    this.printed = 0;
    this.failed = false;
    window.clearTimeout(this.timer);
    if (print) this.print();
  }

  print(): void {
    this.printed++;
    this.failed = false;
    this.changed();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      try {
        window.print();
      } catch {
        this.failed = true;
      }
      this.changed();
    }, PAINT);
  }

  clear(): void {
    window.clearTimeout(this.timer);
    setText(byId("number"), "");
    setText(byId("given-line"), "");
    setText(byId("given-facts"), "");
    paintCode(byId("qr") as unknown as Element, "");
  }

  render(issued: Issued, place: string, line: string, at: number, words: Words, form: Words, clock: ZoneClock, mayPrint: boolean): void {
    const { ticket } = issued;
    setText(byId("given-title"), form.say("yourNumber"));
    setText(byId("number"), ticket.publicId || "");
    byId("paper").style.setProperty("--figures", String(Math.max(4, (ticket.publicId || "").length)));
    setText(byId("given-line"), line);
    const wait = waitRange(form, ticket.wait);
    setText(byId("given-facts"), [ticket.position ? words.say("facts", { n: ticket.position }) : "", wait].filter((fact) => fact).join(" \u00b7 "));
    paintCode(byId("qr") as unknown as Element, new URL(issued.link, window.location.origin).href);
    setText(byId("qr-text"), words.say("scan"));
    setText(byId("paper-place"), place);
    setText(byId("paper-time"), clock.since(at, 0));
    // The second paper must not pass for another number.
    setText(byId("paper-copy"), this.printed > 1 ? words.say("copy") : "");
    setText(byId("print-note"), this.failed ? words.say("printFailed") : this.printed > 0 ? words.say("printing") : "");
    byId("print").hidden = !mayPrint;
    setText(byId("print"), words.say("printAgain"));
    setText(byId("done"), words.say("done"));
  }
}
