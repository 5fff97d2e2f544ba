// A server of its own: lists of many tickets, events that are read and come back,
// and limits of rate, which would be in the way of everything else.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ListForm } from "./forms";
import type { ChatEvent, List, Listed } from "./forms";
import type { ChatClient } from "./client";
import { listTime } from "./client";
import { Rig, around, checked, create, list, refused, webClient } from "./rig";
import { departmentTests, lateTests, prepare } from "./department";
import type { Second } from "./department";
import { exchange } from "./wire";
import type { Answer } from "./wire";

let own: Rig;
let client: ChatClient;
let second: Second;
let firstRead: { at: number; ids: string[] };

/** Begins early what takes a while: what is read and not deleted comes back at the end. */
export async function begin(): Promise<void> {
  own = await Rig.start();
  client = own.client();
  await create({}, client);
  await create({}, client);
  const at = Date.now();
  const events = await client.webhooks.getevents({});
  firstRead = { at, ids: events.map((e) => e.queueMessageId) };
  second = await prepare(own);
}

describe("lists, limits and a restart, on a server of their own", () => {
  const VISIBILITY = 30_000;
  const MANY = 205;
  const month = { since: "01/03/2019 00:00:00:00", until: "01/04/2019 00:00:00:00" };

  after(() => own.hub.stop());

  const minute = (n: number): Date => new Date(Date.UTC(2019, 2, 2, 0, n));

  /** An imported conversation of March 2019. */
  const past = (n: number) =>
    client.tickets.create({
      field1: `past ${n}`, state: "Closed", open: minute(n).toISOString(), close: minute(n + 30).toISOString(), enableWebhook: false,
      getAvailableUser: false, participants: [webClient({ identifier: "00000000-0000-4000-9000-000000000001" })],
    });

  const numbers = (tickets: Listed[]): number[] => tickets.map((t) => Number(t.field1.slice(5)));
  const down = Array.from({ length: MANY }, (_, i) => MANY - 1 - i);

  async function page(url: string): Promise<List> {
    const answer = await exchange(url, { method: "GET", headers: await client.getRequestHeaders() });
    assert.equal(answer.status, 200, answer.text);
    return checked(ListForm, JSON.parse(answer.text));
  }

  const first = (q: Record<string, string>): Promise<List> => page(`${client.base}/tickets/list?${new URLSearchParams(q)}`);

  test("list: a hundred a page, each ticket once, whatever changes meanwhile", async () => {
    await Promise.all(Array.from({ length: MANY }, (_, n) => past(n)));
    const newest = await list({ ...month, sortOrder: "ASC" }, client);
    assert.deepEqual(numbers(newest), down);
    assert.deepEqual(numbers(await list(month, client)), down, "newest first is the default");
    assert.deepEqual(numbers(await list({ ...month, sortOrder: "DESC" }, client)), [...down].reverse());

    const one = await first({ ...month, ticketState: "Closed" });
    assert.deepEqual([one.tickets.length, numbers(one.tickets)], [100, down.slice(0, 100)]);
    const next = one.paging.next ?? "";
    assert.match(next, new RegExp(`^http://demo\\.${own.domain}/api/v1\\.2/tickets/list\\?page=[^&]+$`));
    // Tickets of this list are opened, closed and made while it is being read.
    const [listed, behind] = [one.tickets[3]?.id ?? 0, newest[150]?.id ?? 0];
    await client.tickets.setState(listed, { nextState: "Open" });
    await client.tickets.setState(behind, { nextState: "Open" });
    await past(500);
    const two = await page(next);
    const three = await page(two.paging.next ?? "");
    assert.deepEqual(numbers([...one.tickets, ...two.tickets, ...three.tickets]), down);
    assert.deepEqual(three.paging, {});
    assert.deepEqual(numbers((await page(next)).tickets), numbers(two.tickets), "a page can be read again");
    const open = await list({ ...month, ticketState: "open,Pending" }, client);
    assert.deepEqual(open.map((t) => t.id).sort(), [listed, behind].sort());

    await refused(client.tickets.list({ page: `${new URL(next).searchParams.get("page")}x` }), 400, /page/);
    await refused(client.tickets.list({ page: new URL(next).searchParams.get("page"), ...month }), 400, /page/);
  });

  test("list: a month at most, by opening, closing or last activity", async () => {
    const edge = async (since: string, until: string) => (await list({ since, until }, client)).map((t) => t.field1);
    const ticket = await client.tickets.create({
      field1: "edge", state: "Closed", open: "2018-05-31T23:59:59.99Z", close: "2018-06-30T12:00:00.00Z", enableWebhook: false, participants: [webClient()],
    });
    assert.deepEqual(await edge("31/05/2018 23:59:59:99", "31/05/2018 23:59:59:99"), ["edge"], "both ends belong to it");
    assert.deepEqual(await edge("01/06/2018 00:00:00:00", "30/06/2018 11:59:59:99"), []);
    assert.deepEqual(await edge("30/06/2018 12:00:00:00", "30/07/2018 12:00:00:00"), ["edge"], "by its close");
    assert.ok((await list(around(), client)).some((t) => t.id === ticket.id), "by its last activity");
    const wrong: [Record<string, string>, RegExp][] = [
      [{ until: month.until }, /since/], [{ since: month.since }, /until/], [{ ...month, until: "01/04/2019 00:00:00:01" }, /until/],
      [{ since: month.until, until: month.since }, /since/], [{ ...month, since: "2019-03-01T00:00:00Z" }, /since/],
      [{ ...month, since: "31/02/2019 00:00:00:00" }, /since/], [{ ...month, ticketState: "Open,Ajar" }, /ticketState/],
      [{ ...month, sortOrder: "UP" }, /sortOrder/], [{ page: "nonsense" }, /page/],
    ];
    for (const [q, words] of wrong) {
      await refused(client.tickets.list(q), 400, words);
    }
    assert.match(listTime(new Date()), /^\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d:\d\d$/);
  });

  /** Calls until a limit is reached; there is one, or this would not end before its own. */
  async function exhausted(act: () => Promise<Answer>, most: number): Promise<[Answer, number]> {
    for (let n = 1; n <= most; n += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, act));
      const over = answers.find((answer) => answer.status !== 200);
      if (over) {
        return [over, n + answers.filter((answer) => answer.status === 200).length];
      }
    }
    return assert.fail(`${most} calls, and no limit`);
  }

  function limited(answer: Answer): void {
    assert.equal(answer.status, 429);
    assert.match(answer.headers["retry-after"] ?? "", /^[1-9]\d*$/);
    assert.deepEqual(Object.keys(JSON.parse(answer.text) as object), ["message"]);
  }

  test("429: a department's calls of one group, and no other's", { timeout: 120_000 }, async () => {
    const headers = await client.getRequestHeaders();
    const [over, after] = await exhausted(() => exchange(`${client.base}/cannedreplies/getall`, { method: "GET", headers }), 20_000);
    limited(over);
    assert.ok(after > 600, `after ${after} calls`);
    await client.users.getStatus();
  });

  test("429: tokens of one address, and no other's", { timeout: 120_000 }, async () => {
    const { apiKey, apiSecret, userName } = client.options;
    const body = JSON.stringify({ apiKey, apiSecret, userName });
    const ask = (from: string) => exchange(`${client.base}/token/get`, { method: "POST", headers: { "Content-Type": "application/json" }, body, from });
    const [over, after] = await exhausted(() => ask("127.0.0.2"), 20_000);
    limited(over);
    assert.ok(after > 60, `after ${after} calls`);
    assert.equal((await ask("127.0.0.1")).status, 200);
  });

  departmentTests(() => own, () => client, () => second);

  test("events that were read and not deleted come back after a while", { timeout: 120_000 }, async () => {
    assert.ok(firstRead.ids.length >= 2);
    const headers = await client.getRequestHeaders();
    const poll = async () => JSON.parse((await exchange(`${client.base}/webhooks/getevents?deleteEvents=false&waitSeconds=5`, { method: "GET", headers })).text) as ChatEvent[];
    const again = new Set<string>();
    while (!firstRead.ids.every((id) => again.has(id))) {
      const batch = await poll();
      if (batch.some((e) => firstRead.ids.includes(e.queueMessageId))) {
        assert.ok(Date.now() - firstRead.at >= VISIBILITY, `back after ${Date.now() - firstRead.at} ms`);
      }
      batch.forEach((e) => again.add(e.queueMessageId));
    }
  });

  lateTests(() => second);

  test("events: a poll can wait for them", { timeout: 60_000 }, async () => {
    while ((await client.webhooks.getevents({ deleteEvents: true })).length > 0);
    const headers = await client.getRequestHeaders();
    const waiting = exchange(`${client.base}/webhooks/getevents?deleteEvents=true&waitSeconds=20`, { method: "GET", headers });
    const ticket = await create({}, client);
    const [event] = JSON.parse((await waiting).text) as ChatEvent[];
    assert.deepEqual(event?.changes.map((c) => "ticketId" in c && c.ticketId), [ticket.id]);
  });

  test("tickets and their events outlive a kill", { timeout: 60_000 }, async () => {
    const ticket = await create({ uniqueArgument: "kept" }, client);
    await own.hub.kill();
    await own.hub.up();
    assert.deepEqual(await client.tickets.get(ticket.id), ticket, "the token too");
    const events = await client.webhooks.getevents({ deleteEvents: true });
    assert.ok(events.some((e) => e.changes.some((c) => c._event === "NEW_TICKET" && c.ticketId === ticket.id)));
  });
});
