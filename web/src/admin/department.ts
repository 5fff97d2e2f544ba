// What a department says by itself, its tags, whom its messages come from, and
// when conversations end.
import { HubError } from "../client/index";
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { DocumentList } from "./documents";
import { Form, Part, Spec, Values } from "./form";
import { at, Host } from "./host";
import { Rows } from "./rows";
import { card, load } from "./ui";
import { say } from "./words";

const TEXTS = ["introduction", "byeBye", "pending", "reopened"];
const SPANS = ["alert", "expire", "snooze"];

interface Tag {
  name: string;
  color: string;
  parentTags: string[];
  isDeleted: boolean;
}

/** "90m", "1h30m0s" or "" as minutes, 0 for none. */
export function spanMinutes(span: string | undefined): number {
  const form = /([\d.]+)(h|m(?!s)|s)/g;
  let total = 0;
  for (let part = form.exec(span || ""); part; part = form.exec(span || "")) {
    total += Number(part[1]) * { h: 60, m: 1, s: 1 / 60 }[part[2] as "h" | "m" | "s"];
  }
  return Math.round(total);
}

/** Minutes as a span; what was there stays when it is as many minutes. */
export function spanOf(minutes: number | string, before: string | undefined): string {
  return before !== undefined && spanMinutes(before) === Number(minutes) ? before : `${minutes || 0}m`;
}

export function department(host: Host): void {
  load(host, host.main, () => call("GET", at(host, "department")), (loaded: Values) => {
    let current = loaded;
    const specs: Spec[] = [
      ...TEXTS.map((name): Spec => ({ name, label: say(`department.${name}`), kind: "area", max: 1000 })),
      { name: "always", label: say("department.always"), kind: "check" },
      { name: "idle", label: say("department.idle"), kind: "number", hint: say("department.minutesHint"), half: true },
      ...SPANS.map((name): Spec => ({ name, label: say(`department.${name}`), kind: "number", hint: say("department.minutesHint"), half: true })),
    ];
    const form = new Form(card(host.main, ""), specs, say("save"), async (values) => {
      current = await call("PUT", at(host, "department"), merged(current, values, {
        idle: idle.read(current["idle"]), senders: senders.read(), tags: tags.read(), surveys: surveys.read(), templates: templates.read(),
      }));
      host.notice(say("saved"));
    });
    const channels = (loaded["channels"] as string[]).map((name): [string, string] => [name, name]);
    const idle = form.part("idle", new IdleList(card(form.more, say("department.idleBy"), say("department.idleByIntro")), loaded["idle"] || {}, channels));
    const senders = form.part("senders", new Rows(card(form.more, say("department.senders"), say("department.sendersIntro")), {
      columns: [
        { name: "protocol", label: say("department.channel"), kind: "select", options: channels },
        { name: "from", label: say("department.from"), max: 254, ltr: true },
        { name: "free", label: say("department.free"), kind: "check" },
      ],
      add: say("department.addSender"), fresh: () => ({ protocol: channels[0]![0] }),
    }, loaded["senders"]));
    const tags = new TagList(card(form.more, say("department.tags"), say("department.tagsIntro")), loaded["tags"]);
    const surveys = new DocumentList(card(form.more, say("department.surveys"), say("department.surveysIntro")), loaded["surveys"], "questions", ["Rating", "Text"]);
    const templates = new DocumentList(card(form.more, say("department.templates"), say("department.templatesIntro")), loaded["templates"], "fields", ["Text", "Number", "Date", "Checkbox"]);
    const filled: Values = { ...loaded["texts"], always: (loaded["texts"] || {}).always, idle: spanMinutes((loaded["idle"] || {})[""]) };
    SPANS.forEach((name) => { filled[name] = spanMinutes(loaded[name]); });
    form.fill(filled);
  });
}

function merged(current: Values, values: Values, lists: Values): Values {
  const texts: Values = { ...current["texts"], always: values["always"] };
  TEXTS.forEach((name) => { texts[name] = values[name]; });
  const before = current["idle"] || {};
  const out: Values = { ...current, ...lists, texts, idle: { ...lists["idle"], "": spanOf(values["idle"], before[""]) } };
  SPANS.forEach((name) => { out[name] = spanOf(values[name], current[name]); });
  return out;
}

/** Channels on which conversations end sooner or later than on the others. */
class IdleList implements Part {
  private readonly rows: Rows;

  constructor(parent: HTMLElement, idle: { [channel: string]: string }, channels: Array<[string, string]>) {
    const named = Object.keys(idle).filter((name) => name).sort();
    this.rows = new Rows(parent, {
      columns: [
        { name: "channel", label: say("department.channel"), kind: "select", options: channels },
        { name: "minutes", label: say("department.minutes"), kind: "number" },
      ],
      add: say("department.addIdle"), fresh: () => ({ channel: this.unused(channels) }),
    }, named.map((channel) => ({ channel, minutes: spanMinutes(idle[channel]) || "" })));
  }

  private unused(channels: Array<[string, string]>): string {
    const used = this.rows.read().map((row) => row["channel"]);
    return (channels.find(([name]) => used.indexOf(name) < 0) || channels[0]!)[0];
  }

  clear(): void {
    this.rows.clear();
  }

  /** What is not about one channel is about the time of all others, which is a field. */
  fail(rest: string, words: string): boolean {
    return rest.charAt(0) === "." && this.rows.failAt("channel", rest.slice(1), words);
  }

  read(before: { [channel: string]: string } = {}): { [channel: string]: string } {
    const idle: { [channel: string]: string } = {};
    for (const { channel, minutes } of this.rows.read() as Array<{ channel: string; minutes: string }>) {
      if (idle[channel] !== undefined) {
        throw new HubError({ code: "bad_request", message: say("department.twice", { name: channel }), field: `idle.${channel}` });
      }
      idle[channel] = spanOf(minutes, before[channel]);
    }
    return idle;
  }
}

/** Tags with their colours. One that is taken out stays on old conversations. */
class TagList {
  private readonly list: HTMLElement;
  private readonly rows: Array<{ tag: Tag; row: HTMLElement; name: HTMLInputElement; color: HTMLInputElement }> = [];
  private readonly gone: Tag[];

  constructor(parent: HTMLElement, tags: Tag[]) {
    this.list = make("div", "card-list", parent);
    this.gone = tags.filter((tag) => tag.isDeleted);
    tags.filter((tag) => !tag.isDeleted).forEach((tag) => this.add(tag, false));
    button(make("div", "actions", parent), say("department.addTag"), () => this.add({ name: "", color: "#1C6EA4", parentTags: [], isDeleted: false }, true));
  }

  private add(tag: Tag, fresh: boolean): void {
    const row = make("div", "card-row", this.list);
    const color = make("input", "", row);
    color.type = "color";
    color.value = tag.color || "#1C6EA4";
    color.setAttribute("aria-label", say("line.color"));
    const name = make("input", "", row);
    name.value = tag.name;
    name.maxLength = 100;
    name.dir = "auto";
    name.setAttribute("aria-label", say("department.tag"));
    const entry = { tag, row, name, color };
    this.rows.push(entry);
    button(row, say("remove"), () => {
      row.remove();
      this.rows.splice(this.rows.indexOf(entry), 1);
      if (!fresh) this.gone.push({ ...tag, isDeleted: true });
    }, "quiet");
    if (fresh) name.focus();
  }

  read(): Tag[] {
    const live = this.rows.filter(({ name }) => name.value.trim())
      .map(({ tag, name, color }) => ({ ...tag, name: name.value.trim(), color: color.value, isDeleted: false }));
    const names = live.map((tag) => tag.name.toLowerCase());
    return live.concat(this.gone.filter((tag) => names.indexOf(tag.name.toLowerCase()) < 0));
  }
}
