// What other systems are told: by polling.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventForm, TicketForm } from "./forms";
import { SharpClient } from "./sharp";
import { chat, checked, clientOf, create, drain, get, members, names, rig, send, told, webClient } from "./rig";

test("events: a ticket's story, in its order", async () => {
  const participant = webClient();
  const ticket = await create({
    uniqueArgument: "crm-21", participants: [participant],
    transactions: [{ type: "Message", text: "First", fromParticipant: { type: "Client", identifier: participant["identifier"] } }],
  });
  const answer = await send(ticket.id, "Second");
  await chat().tickets.addNote(ticket.id, { text: "quiet" });
  await chat().tickets.setFields(ticket.id, { field2: "quiet too" });
  await chat().tickets.setOwner(ticket.id, { nextOwnerUserName: rig().demo.users.find((u) => u.email !== ticket.owner?.UserName)?.email });
  await chat().tickets.setState(ticket.id, { nextState: "Closed" });
  const changes = await told(ticket.id);
  assert.deepEqual(names(changes), ["NEW_TICKET", "NEW_MESSAGE", "NEW_MESSAGE", "TICKET_OWNER_CHANGE", "TICKET_STATE_CHANGE"]);
  const [made, first, second, owner, closed] = changes;
  assert.ok(made?._event === "NEW_TICKET" && first?._event === "NEW_MESSAGE" && second?._event === "NEW_MESSAGE");
  assert.ok(owner?._event === "TICKET_OWNER_CHANGE" && closed?._event === "TICKET_STATE_CHANGE");
  checked(TicketForm, made.ticket);
  assert.deepEqual(made.ticket, ticket);
  assert.deepEqual(first.transaction, ticket.transactions[0]);
  assert.equal(first.transaction.fromParticipant.id, clientOf(ticket).id);
  assert.deepEqual(second.transaction, answer);
  const now = await get(ticket.id);
  assert.deepEqual([owner.ownerId, owner.ownerUserName, closed.ticketState], [now.owner?.id, now.owner?.UserName, "Closed"]);
  for (const change of changes) {
    members(change, { uniqueArgument: "crm-21" });
  }
  const events = (await drain()).filter((e) => e.changes.some((c) => "ticketId" in c && c.ticketId === ticket.id));
  assert.ok(events.every((e) => e.key === rig().demo.departmentId));
  assert.equal(new Set(events.map((e) => e.queueMessageId)).size, events.length);
});

test("events: read twice unless deleted; deleted by their receipts", async () => {
  await drain();
  const sharp = new SharpClient(chat().options);
  const ticket = await create();
  const [ok, polled] = await sharp.webhooks.getEvents({ deleteEvents: false });
  assert.ok(ok && Array.isArray(polled));
  const [event] = polled.map((one) => checked(EventForm, one));
  assert.deepEqual([polled.length, event?.changes[0]?._event], [1, "NEW_TICKET"]);
  assert.deepEqual(await chat().webhooks.getevents({ deleteEvents: false }), [], "it is hidden for a while");
  // Receipts that are unknown, or the same once more, are passed over.
  const unknown = { queueReceiptHandle: "nothing", queueMessageId: "of ours" };
  assert.deepEqual((await sharp.webhooks.deleteEvents([{ queueReceiptHandle: event?.queueReceiptHandle, queueMessageId: event?.queueMessageId }, unknown]))[0], true);
  assert.deepEqual((await sharp.webhooks.deleteEvents(polled))[0], true);
  assert.ok(!names(await told(ticket.id)).includes("NEW_TICKET"));
  for (const [body, word] of [[{}, "array"], [[{ queueReceiptHandle: "x" }], "queueMessageId"], [[{ queueMessageId: "x" }], "queueReceiptHandle"]] as const) {
    const [done, , text] = await sharp.webhooks.deleteEvents(body as unknown[]);
    assert.ok(!done && text.includes(word), String(text));
  }
});

test("events: a misspelt parameter deletes nothing", async () => {
  await drain();
  const ticket = await create();
  const [event] = await chat().webhooks.getevents({ deleteEvent: true });
  assert.equal(event?.changes[0]?._event, "NEW_TICKET");
  const { status } = await new SharpClient(chat().options).webhooks.deleteEvents([event]).then(([ok]) => ({ status: ok }));
  assert.equal(status, true, "it was still there to be deleted");
  assert.deepEqual(await told(ticket.id), []);
});
