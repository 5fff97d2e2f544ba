// Opening hours, in the location's own time, and the days that differ.
import { HubError } from "../client/index";
import { button, make, setText } from "../common/dom";
import { call } from "../common/http";
import { at, Host } from "./host";
import { clock, minutes } from "./place";
import { actions, card, faultLine, load, tick } from "./ui";
import { errorWords, say, weekday } from "./words";

interface Span {
  opens: number;
  closes: number;
}

interface Day {
  closed?: boolean;
  spans?: Span[];
}

interface Exception extends Day {
  date: string;
  reason?: string;
}

interface Hours {
  timezone: string;
  always: boolean;
  week: Day[];
  exceptions: Exception[];
  version: string;
}

const MIDNIGHT = 24 * 60;
/** What a day begins with when somebody opens it. */
const USUAL: Span = { opens: 9 * 60, closes: 17 * 60 };

export function hours(host: Host): void {
  load(host, host.main, () => call("GET", at(host, "hours")), (loaded: Hours) => show(host, loaded));
}

function show(host: Host, loaded: Hours): void {
  let { version } = loaded;
  const form = make("form", "form", host.main);
  form.noValidate = true;
  const box = card(form, "");
  make("p", "zone", box, say("hours.zone", { zone: loaded.timezone }));
  const always = tick(box, say("hours.always"), loaded.always);
  const timed = make("div", "", form);
  const week = card(timed, say("hours.week"));
  const days = loaded.week.map((day, i) => new DayRow(week, weekday(i), loaded.always ? { spans: [USUAL] } : day));
  const other = card(timed, say("hours.exceptions"), say("hours.exceptionsIntro"));
  let exceptions: ExceptionRow[] = [];
  const add = (one: Exception, focus: boolean) => {
    const row = new ExceptionRow(other, one, () => { exceptions = exceptions.filter((x) => x !== row); });
    exceptions.push(row);
    if (focus) row.date.focus();
  };
  const more = actions(timed);
  button(more, say("hours.addException"), () => add({ date: "", closed: true }, true));
  loaded.exceptions.forEach((one) => add(one, false));
  const fault = faultLine(form);
  make("button", "primary", actions(form), say("save")).type = "submit";
  const toggle = () => { timed.hidden = always.checked; };
  always.addEventListener("change", toggle);
  toggle();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setText(fault, "");
    const body = { always: always.checked, week: days.map((day) => day.read()), exceptions: exceptions.map((one) => one.read()), version };
    call("PUT", at(host, "hours"), body).then(
      (answer: Hours) => {
        version = answer.version;
        host.notice(say("saved"));
      },
      (error: HubError) => setText(fault, errorWords(error)),
    );
  });
}

/** One day: closed, open all day, or open at times. */
class DayRow {
  readonly element: HTMLElement;
  private readonly kind: HTMLSelectElement;
  private readonly spans: HTMLElement;

  constructor(parent: HTMLElement, private readonly name: string, day: Day) {
    this.element = make("div", "day", parent);
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", name);
    make("span", "day-name", this.element, name);
    this.kind = make("select", "", this.element);
    this.kind.setAttribute("aria-label", say("hours.kind", { day: name }));
    for (const kind of ["times", "allDay", "closed"]) {
      this.kind.append(new Option(say(`hours.${kind}`), kind));
    }
    this.spans = make("div", "spans", this.element);
    const spans = day.spans || [];
    this.kind.value = day.closed ? "closed" : spans.length ? "times" : "allDay";
    (spans.length ? spans : [USUAL]).forEach((span) => this.add(span));
    this.kind.addEventListener("change", () => this.toggle());
    this.toggle();
  }

  private toggle(): void {
    this.spans.hidden = this.kind.value !== "times";
  }

  private add(span: Span): void {
    const row = make("span", "span");
    this.spans.append(row);
    const field = (value: number, key: string) => {
      const input = make("input", "", row);
      input.type = "time";
      input.value = clock(value);
      input.setAttribute("aria-label", say(key, { day: this.name }));
    };
    field(span.opens, "hours.opens");
    make("span", "", row, "\u2013").setAttribute("aria-hidden", "true");
    field(span.closes, "hours.closes");
    const more = button(row, "+", () => this.add({ opens: span.closes % MIDNIGHT, closes: Math.min(span.closes + 60, MIDNIGHT) }), "quiet");
    more.setAttribute("aria-label", say("hours.more", { day: this.name }));
    const less = button(row, "\u2212", () => {
      if (this.spans.children.length > 1) {
        row.remove();
        this.kind.focus();
      }
    }, "quiet");
    less.setAttribute("aria-label", say("hours.less", { day: this.name }));
  }

  read(): Day {
    if (this.kind.value !== "times") {
      return this.kind.value === "closed" ? { closed: true } : {};
    }
    return {
      spans: Array.from(this.spans.children, (row) => {
        const [opens, closes] = Array.from(row.querySelectorAll("input"), (input) => minutes(input.value));
        // Midnight at the end of a day is the day's last minute and not its first.
        return { opens: opens || 0, closes: closes || MIDNIGHT };
      }),
    };
  }
}

class ExceptionRow {
  readonly date: HTMLInputElement;
  private readonly reason: HTMLInputElement;
  private readonly day: DayRow;

  constructor(parent: HTMLElement, one: Exception, gone: () => void) {
    const box = make("div", "exception", parent);
    this.date = make("input", "", box);
    this.date.type = "date";
    this.date.value = one.date;
    this.date.setAttribute("aria-label", say("hours.date"));
    this.reason = make("input", "", box);
    this.reason.value = one.reason || "";
    this.reason.maxLength = 30;
    this.reason.dir = "auto";
    this.reason.placeholder = say("hours.reason");
    this.reason.setAttribute("aria-label", say("hours.reason"));
    this.day = new DayRow(box, one.date || say("hours.newDay"), one);
    button(box, say("remove"), () => {
      box.remove();
      gone();
    }, "danger");
  }

  read(): Exception {
    return { date: this.date.value, reason: this.reason.value.trim(), ...this.day.read() };
  }
}
