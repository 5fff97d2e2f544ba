// How true the waits were that visitors were told.
import { make } from "../common/dom";
import { call } from "../common/http";
import { at, Host } from "./host";
import { badge, card, load, Table } from "./ui";
import { amount, say, share } from "./words";

interface Accuracy {
  quotes: number;
  within: number;
  early: number;
  late: number;
  medianError: number;
  bias: number;
}

interface LineAccuracy extends Accuracy {
  line: number;
  name: string;
  hours: Array<Accuracy & { hour: number }>;
}

export function waits(host: Host): void {
  load(host, host.main, () => call("GET", at(host, "wait-accuracy")), (answer: { lines: LineAccuracy[] }) => {
    if (answer.lines.length === 0) make("p", "none", host.main, say("wait.none"));
    for (const line of answer.lines) {
      const box = card(host.main, line.name);
      if (!line.quotes) {
        make("p", "none", box, say("wait.none"));
        continue;
      }
      const sum = make("p", "sum", box);
      sum.append(
        badge(say("wait.within", { share: share(line.within) }), line.within >= 0.8 ? "good" : "warn"), " ",
        say("wait.detail", { quotes: line.quotes, early: share(line.early), late: share(line.late), error: amount(line.medianError, 1) }),
      );
      const table = new Table(box, line.name, [say("wait.hour"), say("wait.quotes"), say("wait.withinHead"), say("wait.early"), say("wait.late"), say("wait.error")]);
      table.fill(line.hours.filter((hour) => hour.quotes > 0), (hour) => [
        `${hour.hour}:00`, String(hour.quotes), share(hour.within), share(hour.early), share(hour.late), amount(hour.medianError, 1),
      ]);
    }
  });
}
