// The C# client: how it differs on the wire, and what its own integration tests
// assert (sections 7.2 and 7.3 of the description), with Mail tickets, each with an
// address of its own, closed at the end.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { day } from "./client";
import type { Body, Query } from "./client";
import { ContactForm, DeletedForm, ListForm, MessageForm, MessageReply, StatusForm, TagForm, TicketForm, TransactionForm, UserForm } from "./forms";
import type { Ticket } from "./forms";
import { SharpClient, countryTime, isRequestValid, sharpParticipant, sharpTicket } from "./sharp";
import type { Outcome } from "./sharp";
import { around, chat, checked, clientOf, drain, fresh, members, rig } from "./rig";

describe("the C# client", () => {
  let sharp: SharpClient;
  const open: number[] = [];

  before(() => {
    sharp = new SharpClient(chat().options);
  });

  after(async () => {
    for (const id of open) {
      members(checked(TicketForm, value(await sharp.tickets.setState(id, { nextState: "Closed", getTicket: true }))), { id, state: "Closed" });
    }
  });

  function value(outcome: Outcome): unknown {
    assert.ok(outcome[0], `refused: ${outcome[2]}`);
    return outcome[1];
  }

  const get = async (id: number): Promise<Ticket> => checked(TicketForm, value(await sharp.tickets.get(id)));

  async function create(more: Body = {}): Promise<Ticket> {
    const ticket = checked(TicketForm, value(await sharp.tickets.create(sharpTicket({
      field1: "C# ticket", participants: [sharpParticipant({ name: "A name of thirty-nine characters, no more", protocolType: "Mail", identifier: fresh("sharp") })], ...more,
    }))));
    open.push(ticket.id);
    return ticket;
  }

  test("C# tickets: create, get, list", async () => {
    const ticket = await create();
    assert.ok(ticket.id > 0);
    assert.equal(ticket.field1, "C# ticket");
    members(clientOf(ticket), { type: "Client", name: "A name of thirty-nine characters, no more" });
    assert.equal(ticket.participants[0]?.type, "Client");
    members(await get(ticket.id), { id: ticket.id, field1: "C# ticket" });
    const list = checked(ListForm, value(await sharp.tickets.list({ ...around(), ticketState: "Open,Closed", sortOrder: "Ascending" })));
    assert.ok(list.tickets.length > 0);
  });

  test("C# tickets: dates with the separators of a country, names of an order", async () => {
    const ticket = await create();
    const { since, until } = around();
    for (const separator of ["/", ".", "-"]) {
      for (const sortOrder of ["Ascending", "Descending", ""]) {
        const q: Query = { since: countryTime(since, separator), until: countryTime(until, separator), ticketState: "Open", sortOrder };
        const list = checked(ListForm, value(await sharp.tickets.list(q)));
        const times = list.tickets.map((t) => t.open);
        assert.deepEqual(times, [...times].sort((a, b) => (a === b ? 0 : (a < b) === (sortOrder === "Descending") ? -1 : 1)), sortOrder);
        assert.ok(list.paging.next || list.tickets.some((t) => t.id === ticket.id));
      }
    }
  });

  test("C# tickets: send, tags, fields, names, notes, summary", async () => {
    const ticket = await create();
    assert.equal(checked(TransactionForm, value(await sharp.tickets.send(ticket.id, { text: "Echo" }))).text, "Echo");
    const [, tags] = await sharp.tickets.addTags(ticket.id, ["Info", "VIP"]);
    assert.ok(Array.isArray(tags) && tags.includes("Info"));
    const [, left] = await sharp.tickets.removeTag(ticket.id, { tag: "Info" });
    assert.ok(Array.isArray(left) && !left.includes("Info"));
    value(await sharp.tickets.setFields(ticket.id, { field1: "one", field2: "two", field3: "three", uniqueArgument: "unique" }));
    value(await sharp.tickets.setParticipantName(ticket.id, { id: clientOf(ticket).id, name: "Renamed" }));
    value(await sharp.tickets.addNote(ticket.id, { text: "A note" }));
    value(await sharp.tickets.setSummary(ticket.id, { summary: "A summary" }));
    const now = await get(ticket.id);
    members(now, { field1: "one", field2: "two", field3: "three", field4: "", uniqueArgument: "unique", culture: "en-US" });
    assert.equal(clientOf(now).name, "Renamed");
    assert.equal(now.ticketSummary?.value, "A summary");
    assert.equal(now.ticketSummary?.userId, (await chat().users.getAll()).find((u) => u.UserName === rig().demo.chatUserName)?.id);
    assert.equal((await sharp.tickets.setSummary(ticket.id, { summary: null }))[0], false);
  });

  test("C# tickets: states, with and without a body", async () => {
    const ticket = await create();
    checked(MessageReply, value(await sharp.tickets.setState(ticket.id, { nextState: "Pending", getTicket: false, sendTicketStateChangedMessage: true, enableWebhook: true })));
    const closed = checked(TicketForm, value(await sharp.tickets.setState(ticket.id, { nextState: "Closed", getTicket: true }, { summary: "Done" })));
    members(closed, { state: "Closed" });
    assert.equal(closed.ticketSummary?.value, "Done");
    members(await get(ticket.id), { state: "Closed" });
  });

  test("C# tickets: owner, available user, department", async () => {
    const ticket = await create();
    value(await sharp.tickets.setOwner(ticket.id, { nextOwnerUserName: rig().second, keepCurrentOwnerInConversation: false }));
    assert.equal((await get(ticket.id)).owner?.UserName, rig().second);
    value(await sharp.tickets.assignAvailableUser(ticket.id));
    assert.notEqual((await get(ticket.id)).owner, null);
    const moved = value(await sharp.tickets.setDepartment(ticket.id, { departmentId: rig().demo.departmentId2 })) as { ticketId: number };
    assert.ok(Number.isInteger(moved.ticketId) && moved.ticketId > 0);
  });

  test("C# tickets: exports of their media types, survey link, scramble", async () => {
    const ticket = await create();
    const request = { includeDetails: true, includeConversationLink: true, includeNotes: true, replaceContentId: true, showParticipantType: true, fontSizeInPixels: 14 };
    const page = value(await sharp.tickets.html(ticket.id, request)) as string;
    assert.ok(page.includes("C# ticket") && page.includes(clientOf(ticket).name));
    const pdf = value(await sharp.tickets.pdf(ticket.id, request)) as Buffer;
    assert.equal(pdf.subarray(0, 4).toString(), "%PDF");
    const { surveyLink } = value(await sharp.tickets.generateSurveyLink(ticket.id, { surveyId: 1, participantId: 0 })) as { surveyLink: string };
    assert.equal(new URL(surveyLink).host, `demo.${rig().domain}`);
    value(await sharp.tickets.scramble(ticket.id));
    members(await get(ticket.id), { isScrambled: true });
  });

  test("C# contacts: five", async () => {
    const ticket = await create();
    const id = ticket.participants[0]?.contactId ?? "";
    assert.match(id, /[1-9a-f]/);
    const contact = checked(ContactForm, value(await sharp.contacts.get(id)));
    assert.equal(contact.id, id);
    assert.ok(clientOf(ticket).name.startsWith(contact.name) || contact.name.includes(clientOf(ticket).name));
    assert.ok(contact.identifiers.some((i) => i.identifier === clientOf(ticket).identifier));
    for (const outcome of [await sharp.contacts.setName(id, { nextName: "Short name" }), await sharp.contacts.setUniqueArgument(id, { nextUniqueArgument: "sharp-1" }),
      await sharp.contacts.addIdentifier(id, { forceMerge: false, identifierType: "PhoneNumber", identifier: "972501234567" })]) {
      assert.ok(checked(MessageReply, value(outcome)).Message);
    }
    const changed = checked(ContactForm, value(await sharp.contacts.get(id)));
    members(changed, { name: "Short name", uniqueArgument: "sharp-1" });
    const added = changed.identifiers.find((i) => i.identifier === "972501234567");
    checked(MessageReply, value(await sharp.contacts.deleteIdentifier(id, { contactIdentifierId: added?.id })));
    assert.ok(!checked(ContactForm, value(await sharp.contacts.get(id))).identifiers.some((i) => i.identifier === "972501234567"));
  });

  test("C# users: ten", async () => {
    assert.ok((value(await sharp.users.allUsers()) as unknown[]).length > 0);
    for (const status of ["Offline", "Break", "Online"] as const) {
      value(await sharp.users.setStatus({ nextStatus: status }));
      assert.equal(checked(StatusForm, value(await sharp.users.getStatus())).Status, status);
    }
    const me = (await chat().users.getAll()).find((user) => user.UserName === rig().demo.chatUserName);
    const days = { since: countryTime(day(new Date(Date.now() - 86400_000)), "."), until: countryTime(day(new Date()), ".") };
    assert.ok((value(await sharp.users.statusLogs(days)) as unknown[]).length >= 2);
    assert.deepEqual((value(await sharp.users.statusLogs({ ...days, userId: me?.id })) as { userId: string }[]).map((log) => log.userId), [me?.id]);
    value(await sharp.users.update({ shortName: "Ann" }));
    const userName = fresh("sharp.agent");
    assert.ok(checked(MessageReply, value(await sharp.users.add({ userType: "API", role: "ReadOnly" }, [{ userName, uniqueArgument: "sharp-hr" }]))).Message);
    value(await sharp.users.setRoles({ userName }, ["SystemUser"]));
    value(await sharp.users.setUniqueArgument({ nextUniqueArgument: "sharp-me" }));
    assert.equal(checked(UserForm, value(await sharp.users.getByUniqueArgument({ uniqueArgument: "sharp-me" }))).id, me?.id);
    const gone = checked(DeletedForm, value(await sharp.users.delete({ userName })));
    assert.ok(gone.DeletedFromDepartments.length > 0);
  });

  test("C# tenants, replies, protocols", async () => {
    const tags = (value(await sharp.tenants.getTags()) as unknown[]).map((tag) => checked(TagForm, tag));
    assert.ok(tags.length > 1);
    const { departmentId } = rig().demo;
    assert.equal(typeof value(await sharp.tenants.isOnline({ departmentId })), "boolean");
    assert.equal(typeof value(await sharp.tenants.isOnline({ departmentId, protocolType: "FacebookMessenger" })), "boolean");
    value(await sharp.cannedReplies.getAll());
    checked(MessageForm, value(await sharp.protocols.send({ protocolType: "SMS", from: "972526264195", to: "972501234567", text: "Hello" })));
  });

  test("C# webhooks: polled, deleted, and a signature that holds", async () => {
    await drain();
    await create();
    const events = value(await sharp.webhooks.getEvents({ deleteEvents: false })) as { queueReceiptHandle: string; queueMessageId: string }[];
    assert.ok(events[0]?.queueReceiptHandle && events[0].queueMessageId);
    value(await sharp.webhooks.deleteEvents(events));
    // A signature that was recorded elsewhere; those of real deliveries are in hooks.ts.
    const recorded = { "x-glassix-auth-date": "Mon, 26 Nov 2018 19:42:53 GMT", "x-glassix-auth": "sha1=6a2d5e087362cfca4007efcad393897bec4717a4" };
    assert.ok(isRequestValid(recorded, "secret"));
    assert.ok(!isRequestValid(recorded, "another"));
  });

  test("C# token: one for many calls, and a failure as text", async () => {
    assert.equal(sharp.tokens, 1);
    const [ok, , text] = await sharp.tickets.get(2147483647);
    assert.ok(!ok && (JSON.parse(text) as { message: string }).message.includes("2147483647"));
  });
});
