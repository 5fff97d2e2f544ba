// Taking a number: what is asked and checked, one number for one request, and a
// kiosk that forgets who stood there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HubError } from "../src/client/index";
import { AskedField, closedWhy, FormConfig, Issued, TicketRequest, withLive } from "../src/form/config";
import { askable, faults, requestOf } from "../src/form/fields";
import { Issuer, Pending } from "../src/form/issuer";
import { offeredLanguages } from "../src/form/say";
import { atHome, back, chooseLanguage, chooseLine, GIVE_UP, home, issued, left, refused, submitted, touch, WARN, warning } from "../src/kiosk/flow";

const config: FormConfig = {
  location: { id: 1, name: "Main Street" }, open: true, fields: [], time: "2026-11-22T10:00:00.000Z",
  lines: [{ id: 1, name: "A", waiting: 2, wait: { min: 5, max: 10 }, open: true }, { id: 2, name: "B", waiting: 0, open: false }],
};
const fields: AskedField[] = [
  { name: "firstName", required: true }, { name: "email" }, { name: "phoneNumber" }, { name: "passport" },
  { field: "f-1", title: "Reason", type: "SELECT", multiple: true, lines: [2] }, { field: "f-2", title: "File", type: "ATTACHMENT" },
];

test("the board's numbers go into the lines, and an old range does not stay", () => {
  const live = withLive(config, [{ id: 1, name: "A", waiting: 3 }, { id: 9, name: "Z", waiting: 1 }]);
  assert.deepEqual(live.lines.map((line) => [line.id, line.waiting, line.wait]), [[1, 3, undefined], [2, 0, undefined]]);
  assert.equal(closedWhy(config, config.lines[0]!), "");
  assert.equal(closedWhy(config, config.lines[1]!), "lineClosed");
  assert.equal(closedWhy({ ...config, open: false }, config.lines[0]!), "closedNow");
});

test("what is asked depends on the line; what nobody knows is not asked", () => {
  assert.deepEqual(askable(fields, 1).map((f) => f.name || f.field), ["firstName", "email", "phoneNumber"]);
  assert.deepEqual(askable(fields, 2).map((f) => f.name || f.field), ["firstName", "email", "phoneNumber", "f-1"]);
});

test("what is missing or plainly wrong is told before it is sent", () => {
  const asked = askable(fields, 2);
  assert.deepEqual(faults(asked, {}), { firstName: "fieldMissing" });
  assert.deepEqual(faults(asked, { firstName: " ", email: "x", phoneNumber: "12" }), { firstName: "fieldMissing", email: "fieldEmail", phoneNumber: "fieldPhone" });
  assert.deepEqual(faults(asked, { firstName: "Ida", email: "i@b.c", phoneNumber: "+372 5551" }), {});
});

test("a request has what was typed and nothing empty", () => {
  assert.deepEqual(requestOf(askable(fields, 2), { firstName: " Ida ", email: "", "f-1": "o1,o2" }, 2, "es"), {
    line: 2, languageCode: "es", firstName: "Ida", fields: [{ field: "f-1", value: ["o1", "o2"] }],
  });
});

test("languages are those of the location that there are words for", () => {
  assert.deepEqual(offeredLanguages(["es-ES", "et", "en", "es"]), ["es", "en"]);
  assert.deepEqual(offeredLanguages(undefined), ["en"]);
});

/** An issuer whose hub answers when the test says so. */
function issuer() {
  const sent: Array<{ key: string; request: TicketRequest }> = [];
  const answers: Array<(answer: Issued | HubError) => void> = [];
  const timers: Array<{ ms: number; run: () => void }> = [];
  let saved: Pending | undefined;
  let keys = 0;
  const it = new Issuer({
    key: () => `k${++keys}`, now: () => 0, random: () => 0.5,
    after: (ms, run) => {
      const timer = { ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    issue: (key, request) => new Promise((resolve, reject) => {
      sent.push({ key, request });
      answers.push((answer) => (answer instanceof HubError ? reject(answer) : resolve(answer)));
    }),
    save: (pending) => { saved = pending; },
    changed: () => undefined,
  });
  const settle = async (answer: Issued | HubError) => {
    answers.shift()!(answer);
    await new Promise(setImmediate);
  };
  return { it, sent, settle, timers, saved: () => saved };
}
const given: Issued = { ticket: { publicId: "A-1" }, link: "/t/x" };
const fault = (code: string, more = {}) => new HubError({ code, message: "", ...more });
const request: TicketRequest = { line: 1, languageCode: "en" };

test("without an answer it is asked again with the same key, and pressing again changes nothing", async () => {
  const { it, sent, settle, timers, saved } = issuer();
  it.ask(request);
  it.ask({ ...request, line: 2 });
  assert.equal(sent.length, 1);
  await settle(fault("unavailable"));
  assert.deepEqual(it.state, { name: "asking", away: true });
  assert.equal(saved()?.key, "k1");
  timers[0]!.run();
  await settle(fault("internal"));
  it.hurry();
  assert.deepEqual(sent.map((one) => one.key), ["k1", "k1", "k1"]);
  await settle(given);
  assert.deepEqual(it.state, { name: "issued", issued: given });
  assert.equal(saved(), undefined);
  it.ask(request);
  assert.equal(sent[3]!.key, "k2", "the next person gets a key of their own");
});

test("a hub that says wait is not asked before", async () => {
  const { it, settle, timers, sent } = issuer();
  it.ask(request);
  await settle(fault("rate_limited", { retryAfter: 7 }));
  assert.deepEqual(it.state, { name: "waiting", until: 7000 });
  assert.equal(timers[0]!.ms, 7000);
  it.hurry();
  assert.equal(sent.length, 1);
});

test("a refusal is final and names the field", async () => {
  const { it, settle, saved } = issuer();
  it.ask(request);
  await settle(fault("bad_request", { field: "email" }));
  assert.deepEqual(it.state, { name: "refused", code: "bad_request", field: "email" });
  assert.equal(saved(), undefined);
});

test("an answer for somebody who has gone is not shown to the next", async () => {
  const { it, settle } = issuer();
  it.ask(request);
  it.reset();
  await settle(given);
  assert.deepEqual(it.state, { name: "idle" });
});

test("a page that is loaded again goes on with the key it had", async () => {
  const { it, sent } = issuer();
  it.resume({ key: "old", request });
  assert.equal(sent[0]!.key, "old");
});

const two = ["en", "es"];

test("two touches to a number: language, line", () => {
  let flow = home(two, 0);
  assert.equal(flow.screen, "language");
  flow = chooseLanguage("es", 1);
  assert.deepEqual([flow.screen, flow.language], ["line", "es"]);
  assert.equal(chooseLine(flow, 1, false, 2).screen, "issuing");
  assert.equal(chooseLine(flow, 1, true, 2).screen, "details");
  assert.equal(home(["en"], 0).screen, "line", "with one language one touch is enough");
});

test("back goes one step, and a refusal to where it can be put right", () => {
  const details = chooseLine(chooseLanguage("es", 0), 1, true, 0);
  assert.deepEqual([back(details, two, 1).screen, back(details, two, 1).line], ["line", undefined]);
  assert.ok(atHome(back(back(details, two, 1), two, 2), two));
  const asked = submitted(details, 1);
  assert.equal(refused(asked, true, true, 2).screen, "details");
  assert.deepEqual([refused(asked, true, false, 2).screen, refused(asked, true, false, 2).line], ["line", undefined]);
});

test("it forgets after the time-out, warns before, and never at home", () => {
  const at = home(two, 0);
  assert.equal(left(at, two, 25000, 1e9), undefined);
  let flow = chooseLanguage("en", 0);
  assert.equal(warning(flow, left(flow, two, 25000, 14999)), undefined);
  assert.equal(warning(flow, left(flow, two, 25000, 25000 - WARN)), 10);
  assert.equal(warning(flow, left(flow, two, 25000, 24500)), 1);
  assert.equal(left(flow, two, 25000, 25000), 0);
  flow = touch(flow, 24000);
  assert.equal(left(flow, two, 25000, 25000), 24000);
  const waits = submitted(flow, 0);
  assert.equal(left(waits, two, 25000, 30000), GIVE_UP - 30000, "somebody stands there and waits for the hub");
  assert.equal(warning(issued(flow, 0), 5000), undefined);
  assert.equal(left(issued(flow, 0), two, 25000, 25000), 0, "a number does not stay for the next to see");
});
