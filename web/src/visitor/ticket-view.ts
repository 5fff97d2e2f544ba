// The visitor's slip: number, how it stands, where to go, and what may be said.
import { byId, setText } from "../common/dom";
import { Words } from "../common/words";
import { ZoneClock } from "../board/time";
import { State, Status } from "../client/index";
import { Answer, Ticket } from "../common/visit";
import { Stage, stageOf } from "./visit";

/** Everything the slip shows. */
export interface SlipModel {
  ticket: Ticket;
  status: Status;
  /** The hub's time of the last moment all of this was current, in ms. */
  asOf: number | undefined;
  now: number | undefined;
  clock: ZoneClock;
  words: Words;
  ringing: boolean;
  /** A command is on its way. */
  busy: boolean;
  note: string;
}

/** "Desk 3", or a desk's own words. */
export function deskWords(words: Words, name: string): string {
  return /^\d+[A-Za-z]?$/.test(name) ? words.say("desk", { name }) : name;
}

/** The strip says since when the page is not current; empty while it is. */
export function stripWords(words: Words, clock: ZoneClock, status: Status, now: number | undefined): string {
  const time = status.since === undefined ? "" : clock.since(status.since, now === undefined ? status.since : now);
  if (status.state === "stale") {
    return time ? words.say("stale", { time }) : words.say("staleNever");
  }
  if (status.state === "offline") {
    return time ? words.say("offline", { time }) : words.say("offlineNever");
  }
  return "";
}

/** What the visitor said and still holds, in words. */
export function answerWords(words: Words, clock: ZoneClock, answer: Answer | undefined, now: number | undefined): string {
  if (!answer) return "";
  if (answer.kind === "onMyWay") return words.say("saidOnMyWay", { time: clock.hm(Date.parse(answer.at)) });
  const until = Date.parse(answer.until || "");
  if (isNaN(until)) return "";
  return now !== undefined && until <= now ? words.say("saidTimeOver") : words.say("saidNeedTime", { time: clock.hm(until) });
}

/** Whether a wish for more time still holds the place. */
export function timeHolds(answer: Answer | undefined, now: number | undefined): boolean {
  return !!answer && answer.kind === "needTime" && (now === undefined || Date.parse(answer.until || "") > now);
}

const current = (state: State): boolean => state === "live" || state === "connecting";

export function renderSlip(m: SlipModel): void {
  const { ticket, words, clock } = m;
  const stage = stageOf(ticket);
  const body = document.body.dataset;
  body["stage"] = stage;
  body["state"] = m.status.state;
  body["ringing"] = m.ringing ? "yes" : "no";
  setText(byId("location"), ticket.location.name);
  setText(byId("line"), ticket.line ? ticket.line.name : "");
  renderNumber(ticket.publicId || "");
  setText(byId("number-label"), ticket.publicId ? words.say("number") : "");
  setText(byId("desk"), stage === "called" ? (ticket.desk ? deskWords(words, ticket.desk.name) : words.say("noDesk")) : "");
  byId("to").hidden = stage !== "called";
  setText(byId("stage"), stageWords(words, stage, ticket));
  setText(byId("stage-more"), moreWords(words, stage, ticket, clock));
  renderFacts(m, stage);
  setText(byId("as-of"), m.asOf === undefined || m.status.state === "connecting" && m.asOf === undefined ? "" : words.say("asOf", { time: clock.hms(m.asOf) }));
  setText(byId("strip"), stripWords(words, clock, m.status, m.now));
  setText(byId("silence"), words.say("silence"));
  renderActions(m, stage);
}

function renderNumber(publicId: string): void {
  setText(byId("number"), publicId);
  // The longer the number, the smaller its figures: it must never be cut off.
  byId("slip").style.setProperty("--figures", String(Math.max(4, publicId.length)));
}

function stageWords(words: Words, stage: Stage, ticket: Ticket): string {
  if (stage === "called") return words.say((ticket.recalls || 0) > 0 ? "calledAgain" : "called");
  if (stage === "waiting") return ticket.position === 1 ? words.say("next") : words.say("waiting");
  return words.say(`stage.${stage}`);
}

function moreWords(words: Words, stage: Stage, ticket: Ticket, clock: ZoneClock): string {
  switch (stage) {
    case "called":
      return ticket.calledAt ? words.say("calledAt", { time: clock.hm(Date.parse(ticket.calledAt)) }) : "";
    case "waiting":
      return words.say("waitingMore");
    case "chat": {
      const place = ticket.conversation && ticket.conversation.position;
      return place ? words.say("chatPlace", { n: place }) : words.say("chatMore");
    }
    default:
      return words.say(`more.${stage}`);
  }
}

function renderFacts(m: SlipModel, stage: Stage): void {
  const { ticket, words } = m;
  // Nobody can say how a line goes that cannot be heard.
  const shown = stage === "waiting" && m.status.state !== "offline" && ticket.position !== undefined;
  byId("facts").hidden = !shown;
  if (!shown) return;
  setText(byId("place-label"), words.say("place"));
  setText(byId("place"), String(ticket.position));
  setText(byId("wait-label"), words.say("wait"));
  setText(byId("wait"), waitWords(words, ticket.wait));
}

/** A range, or that nobody can say. */
export function waitWords(words: Words, wait: { min: number; max: number } | undefined): string {
  if (!wait) return words.say("waitUnknown");
  return wait.min === wait.max ? words.say("waitOne", { min: wait.min }) : words.say("waitRange", { min: wait.min, max: wait.max });
}

function renderActions(m: SlipModel, stage: Stage): void {
  const { ticket, words } = m;
  const may = current(m.status.state) && !m.busy;
  const here = stage === "waiting" || stage === "called";
  byId("actions").hidden = !here;
  const onMyWay = byId<HTMLButtonElement>("on-my-way");
  const needTime = byId<HTMLButtonElement>("need-time");
  const leave = byId<HTMLButtonElement>("leave");
  const answer = ticket.answer;
  const timed = timeHolds(answer, m.now);
  onMyWay.hidden = stage !== "called" && !timed;
  setText(onMyWay, timed && stage === "waiting" ? words.say("backAlready") : words.say("onMyWay"));
  setText(needTime, words.say("needTime"));
  setText(leave, words.say("leave"));
  onMyWay.disabled = !may || (stage === "called" && !!answer && answer.kind === "onMyWay");
  needTime.disabled = !may || timed;
  // A called ticket cannot be left: somebody stands at the desk already.
  leave.hidden = stage !== "waiting";
  leave.disabled = !may;
  const said = here ? answerWords(words, m.clock, answer, m.now) : "";
  setText(byId("answered"), said);
  setText(byId("action-note"), m.note || (here && !current(m.status.state) ? words.say("buttonsWait") : ""));
}
