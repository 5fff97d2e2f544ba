// A department with settings of its own: what moves there, what it says by
// itself, and what happens there by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatClient } from "./client";
import { NO_GUID } from "./forms";
import { Rig, checked, clientOf, create, fresh, get, members, names, send, webClient } from "./rig";
import { EventForm } from "./forms";
import type { Change, Ticket } from "./forms";
import { exchange } from "./wire";

/** The second department: its caller, and two tickets that are left to themselves. */
export interface Second {
  client: ChatClient;
  idle: Ticket;
  asleep: Ticket;
}

const texts = { introduction: "Hello from here", always: true, byeBye: "Goodbye", reopened: "Welcome back" };

/** The settings' doors: there are none in the API itself. */
async function admin(own: Rig, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const headers = { Authorization: `Bearer ${own.demo.staffToken}`, "Content-Type": "application/json" };
  const answer = await exchange(`${own.hub.url}/hub/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as Record<string, unknown>;
}

/** Gives the second department a secret and settings. */
export async function prepare(own: Rig): Promise<Second> {
  const location = own.demo.location + 1;
  const { secret } = await admin(own, "POST", "/keys", { api: "chat", name: "Second department", location, admin: true });
  const client = own.client({ apiKey: own.demo.departmentId2, apiSecret: String(secret) });
  const settings = await admin(own, "GET", `/locations/${location}/department`);
  await admin(own, "PUT", `/locations/${location}/department`, { ...settings, texts, idle: { WhatsApp: "1s" }, snooze: "1s" });
  const idle = await create({ participants: [{ protocolType: "WhatsApp", name: "Ann", identifier: "972521119999" }] }, client);
  const asleep = await create({ state: "Snoozed" }, client);
  return { client, idle, asleep };
}

async function told(client: ChatClient, ticket: number): Promise<Change[]> {
  const all: Change[] = [];
  for (;;) {
    const batch = await client.webhooks.getevents({ deleteEvents: true });
    if (batch.length === 0) {
      return all;
    }
    all.push(...batch.flatMap((event) => checked(EventForm, event).changes).filter((c) => "ticketId" in c && c.ticketId === ticket));
  }
}

export function departmentTests(own: () => Rig, first: () => ChatClient, second: () => Second): void {
  test("a moved conversation takes its thread along, and its customer", async () => {
    const { client } = second();
    const participant = webClient({ name: "Ida" });
    const ticket = await create({
      field1: "Moving", uniqueArgument: "crm-3", tags: ["VIP"], participants: [participant],
      transactions: [{ type: "Message", text: "Before", fromParticipant: { type: "Client", identifier: participant["identifier"] } }],
    }, first());
    await send(ticket.id, "Just a moment", first());
    const before = await get(ticket.id, first());
    const { ticketId } = await first().tickets.setDepartment(ticket.id, { departmentId: own().demo.departmentId2 });
    const moved = await get(ticketId, client);
    members(moved, {
      departmentId: own().demo.departmentId2, field1: "Moving", uniqueArgument: "crm-3", movedFromTicketId: ticket.id,
      movedFromDepartmentId: own().demo.departmentId, movedToTicketId: 0, movedToDepartmentId: NO_GUID, state: "Open",
    });
    const words = (t: Ticket) => t.transactions.filter((x) => x.type === "Message").map((x) => [x.text, x.fromParticipant.type]);
    assert.deepEqual(words(moved), words(before));
    members(clientOf(moved), { name: "Ida", identifier: participant["identifier"] });
    assert.notEqual(clientOf(moved).contactId, clientOf(before).contactId); // a department's contacts are its own
    assert.equal((await client.contacts.get(clientOf(moved).contactId)).name, "Ida");
    members(await get(ticket.id, first()), { state: "Closed", movedToTicketId: ticketId, movedToDepartmentId: own().demo.departmentId2 });
    assert.ok(names(await told(client, ticketId)).includes("NEW_TICKET"));
  });

  test("what the department says by itself", async () => {
    const { client } = second();
    const ticket = await create({}, client);
    const says = async (type: string) => (await get(ticket.id, client)).transactions.filter((x) => x.type === type).map((x) => x.text);
    assert.deepEqual(await says("IntroductionMessage"), [texts.introduction]);
    await client.tickets.setState(ticket.id, { nextState: "Closed", sendTicketStateChangedMessage: false });
    assert.deepEqual(await says("ByeByeMessage"), []);
    await client.tickets.setState(ticket.id, { nextState: "Open" });
    assert.ok((await get(ticket.id, client)).transactions.some((x) => x.text === texts.reopened));
    await client.tickets.setState(ticket.id, { nextState: "Closed" });
    await client.tickets.setState(ticket.id, { nextState: "Closed" });
    assert.deepEqual(await says("ByeByeMessage"), [texts.byeBye]);
  });

  test("a program that owns a ticket has no words put into its mouth", async () => {
    const { client } = second();
    const name = fresh("bot");
    await client.users.add([{ userName: name }], { role: "SystemUser", userType: "BOT" });
    const ticket = await create({}, client);
    await client.tickets.setOwner(ticket.id, { nextOwnerUserName: name });
    await client.tickets.setState(ticket.id, { nextState: "Closed" });
    assert.ok((await get(ticket.id, client)).transactions.every((x) => x.text !== texts.byeBye));
  });
}

/** To be called when there was time for it to happen. */
export function lateTests(second: () => Second): void {
  test("an idle conversation closes, a sleeping one wakes", { timeout: 120_000 }, async () => {
    const { client, idle, asleep } = second();
    const until = async (ticket: Ticket, done: (t: Ticket) => boolean): Promise<Ticket> => {
      for (;;) {
        const now = await get(ticket.id, client);
        if (done(now)) {
          return now;
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    const closed = await until(idle, (t) => t.state === "Closed");
    members(closed, { wasClosedAutomatically: true });
    assert.ok(closed.transactions.some((x) => x.text === texts.byeBye));
    members(await until(asleep, (t) => t.state === "Open"), { wasClosedAutomatically: false });
  });
}
