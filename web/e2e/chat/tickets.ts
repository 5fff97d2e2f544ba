// Tickets: made, read, changed, and what each change leaves behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Body } from "./client";
import { MessageReply, NEVER, NO_GUID, TicketForm } from "./forms";
import type { Ticket } from "./forms";
import { INTRODUCTION, at, chat, checked, clientOf, create, fresh, get, mailClient, members, names, past, rig, send, told, webClient } from "./rig";

const types = (ticket: Ticket): string[] => ticket.transactions.map((x) => x.type);

const details = {
  userAgent: "Mozilla/5.0", iPAddress: "144.31.95.46", location: "Kansas City, MO, USA", cardsPath: "a/b", source: { title: "Start", uri: "https://a.example/" },
  externalLink: "https://crm.example/7", isMobile: true, identityTokenClaims: { tier: "gold" },
  referral: { utmParameters: { utm_source: "facebook", utm_medium: "banner", utm_campaign: "launch", utm_content: "button", utm_term: "link" }, adId: "ad-1" },
};
/** Members of newer forms. */
const newer = {
  instagramStoryId: "1", instagramStoryMediaUrl: "https://a.example/s", appleIntentId: "2", appleGroupId: "3", twitterRootTweetId: "4", tikTokVideoId: "5",
  tikTokCommentId: "6", whatsappHeadline: "7", whatsappBody: "8", whatsappSourceType: "9", whatsappSourceId: "10", whatsappSourceUrl: "https://a.example/w",
};

test("create: all that it takes comes back, the customer first", async () => {
  const identifier = fresh();
  const fields = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`field${i + 1}`, `value ${i + 1}`]));
  const ticket = await create({
    ...fields, culture: "he-IL", tags: ["vip", "Info"], uniqueArgument: "crm-7", addIntroductionMessage: true, details,
    participants: [
      { type: "User", protocolType: "Web", identifier: rig().second },
      { type: "Client", protocolType: "Mail", subProtocolType: "MailTo", name: "Jack Bower", displayName: "Jack", identifier, departmentIdentifier: "desk@demo.example" },
      { type: "Client", protocolType: "Mail", subProtocolType: "MailCc", name: "Chloe", identifier: fresh() },
    ],
    transactions: [{ type: "Message", text: "Hi,\nI look for a vacation.", html: "<p>Hi</p>", fromParticipant: { type: "Client", identifier } }],
  });
  members(ticket, {
    ...fields, departmentId: rig().demo.chatApiKey, culture: "he-IL", ticketType: "Regular", tags: ["VIP", "Info"], state: "Open", close: NEVER,
    uniqueArgument: "crm-7", primaryProtocolType: "Mail", isIncoming: true, isScrambled: false, wasClosedAutomatically: false, ticketSummary: null,
    movedToTicketId: 0, movedFromTicketId: 0, movedToDepartmentId: NO_GUID, movedFromDepartmentId: NO_GUID, customerMessagesCount: 1,
    agentMessagesCount: 0, durationGross: "00:00:00", durationNet: "00:00:00", firstAgentMessageUserId: null, firstAgentMessageDateTime: null,
    transactionsCount: ticket.transactions.length, dynamicParameters: [], nestedTicketsIds: [], parentNestedTicketId: 0,
  });
  members(ticket.details, { ...details, referral: ticket.details.referral });
  members(ticket.details.referral, details.referral);
  const [first, second] = ticket.participants;
  members(first ?? {}, {
    type: "Client", name: "Jack Bower", displayName: "Jack", protocolType: "Mail", subProtocolType: "MailTo", identifier, isActive: true,
    isDeleted: false, departmentIdentifier: "desk@demo.example", userName: "",
  });
  members(second ?? {}, { type: "Client", name: "Chloe", subProtocolType: "MailCc" });
  const colleague = ticket.participants.find((p) => p.userName === rig().second);
  members(colleague ?? {}, { type: "User", protocolType: "Web", isActive: true, contactId: NO_GUID });
  assert.deepEqual(types(ticket), ["Message", "IntroductionMessage", "TicketOpened"]);
  const [message, introduction, opened] = ticket.transactions;
  members(message ?? {}, { text: "Hi,\nI look for a vacation.", html: "<p>Hi</p>", fromProtocolType: "Mail", attachments: [], payload: null });
  members(message?.fromParticipant ?? {}, { id: first?.id, type: "Client", name: "Jack Bower", contactId: first?.contactId });
  members(introduction ?? {}, { text: INTRODUCTION });
  assert.equal(introduction?.fromParticipant.identifier, ticket.owner?.id);
  members(opened ?? {}, { text: "", html: "", status: "Read", fromProtocolType: "Undefined" });
  assert.equal(opened?.fromParticipant.type, "System");
  assert.deepEqual(await get(ticket.id), ticket);
});

test("create: an available agent owns it, with a participant of theirs", async () => {
  const ticket = await create({ participants: [webClient({ type: undefined })] });
  assert.ok(ticket.owner);
  const agent = ticket.participants.find((p) => p.type === "User");
  members(agent ?? {}, { identifier: ticket.owner.id, userName: ticket.owner.UserName, protocolType: "Web", isActive: true });
  members(ticket, { isIncoming: false, customerMessagesCount: 0 });
  assert.ok(ticket.firstAgentAllocationTimestamp && ticket.lastAgentAllocationTimestamp);
  assert.deepEqual(types(ticket), ["TicketOpened"]);
});

test("create: without an agent it waits for one, then is given to one", async () => {
  const participant = webClient();
  const ticket = await create({
    getAvailableUser: false, participants: [participant],
    transactions: [{ type: "Message", text: "Anybody?", fromParticipant: { type: "Client", identifier: participant["identifier"] } }],
  });
  assert.equal(ticket.owner, null);
  const nobody = ticket.participants.find((p) => p.type === "User");
  members(nobody ?? {}, { name: "Unassigned Tickets", identifier: NO_GUID, isActive: true });
  await chat().tickets.assignAvailableUser(ticket.id);
  const given = await get(ticket.id);
  assert.ok(given.owner);
  members(given.participants.find((p) => p.id === nobody?.id) ?? {}, { isActive: false });
  assert.ok(given.participants.some((p) => p.identifier === given.owner?.id && p.isActive));
  assert.ok(names(await told(ticket.id)).includes("TICKET_OWNER_CHANGE"));
});

test("create: past conversations keep their times", async () => {
  const closed = await create({ state: "closed", open: "2018-11-26T19:42:53.15Z", close: "2018-11-27T21:42:53.65", tags: null, enableWebhook: false });
  members(closed, {
    state: "Closed", open: "2018-11-26T19:42:53.15", close: "2018-11-27T21:42:53.65", durationGross: "1.02:00:00.5000000",
  });
  assert.deepEqual(await told(closed.id), []);
  for (const state of ["Pending", "Snoozed"]) {
    members(await create({ state }), { state });
  }
});

test("create: one person is one contact, whatever the ticket", async () => {
  const identifier = fresh();
  const ids = new Set<string>();
  for (const given of [identifier, identifier.toUpperCase()]) {
    ids.add(clientOf(await create({ participants: [mailClient({ identifier: given })] })).contactId);
  }
  const phone = await create({ participants: [{ protocolType: "Whatsapp", name: "Ann", identifier: "+972 52-111-2233" }] });
  members(clientOf(phone), { identifier: "972521112233", protocolType: "WhatsApp", type: "Client" });
  const same = await create({ participants: [{ protocolType: "SMS", type: "Undefind", name: "Ann", identifier: "972521112233" }] });
  assert.equal(clientOf(same).contactId, clientOf(phone).contactId);
  assert.equal(ids.size, 1);
  const social = await create({ participants: [{ protocolType: "FacebookMessenger", name: "Ann", identifier: "fb-1" }] });
  members(social, { primaryProtocolType: "FBmessenger" });
});

test("send: the message is the thread's newest, and counted", async () => {
  const ticket = await create();
  const message = await send(ticket.id, "Hi Jack");
  members(message, { type: "Message", text: "Hi Jack", html: "", fromProtocolType: "Web", status: "Delivered", attachments: [], payload: null });
  const me = (await chat().users.getAll()).find((user) => user.UserName === rig().demo.chatUserName);
  members(message.fromParticipant, { type: "User", identifier: me?.id });
  const after = await get(ticket.id);
  assert.deepEqual(after.transactions[0], message);
  members(after, {
    agentMessagesCount: 1, agentMediaCount: 0, transactionsCount: ticket.transactionsCount + 1, firstAgentMessageUserId: me?.id,
    firstAgentMessageDateTime: message.dateTime, lastAgentMessageDateTime: message.dateTime, lastActivity: message.dateTime,
  });
  assert.ok(after.participants.some((p) => p.identifier === me?.id && p.isActive));
  const second = await send(ticket.id, { html: "<p>One</p><p>Two &amp; three</p>" });
  members(second, { text: "One\nTwo & three", html: "<p>One</p><p>Two &amp; three</p>" });
  members(await get(ticket.id), { agentMessagesCount: 2, firstAgentMessageDateTime: message.dateTime, lastAgentMessageDateTime: second.dateTime });
  const mail = await create({ participants: [mailClient()] });
  // What a gateway has to carry is not there yet.
  assert.ok(!["Delivered", "Read"].includes((await send(mail.id, "By mail")).status));
});

test("send: HTML comes out without anything that runs", async () => {
  const ticket = await create();
  const dirty: [string, string][] = [
    ["<p>Hi</p><script>alert(1)</script>", "<p>Hi</p>"], ["<p onclick=\"x()\">Hi</p>", "<p>Hi</p>"], ["<b>Hi</b><iframe src=//e.example></iframe>", "<b>Hi</b>"],
    ["<a href=\"javascript:x()\">Hi</a>", "Hi"], ["<a href=\"jAva\tscript:x()\">Hi</a>", "Hi"], ["Hi<img src=x onerror=x()>", "Hi<img src=\"x\">"],
    ["Hi<svg><script>x()</script></svg>", "Hi"], ["<p style=\"background:url(javascript:x())\">Hi</p>", "<p>Hi</p>"], ["<form action=x><p>Hi</p></form>", "<p>Hi</p>"],
  ];
  for (const [given, want] of dirty) {
    const { html, text } = await send(ticket.id, { html: given });
    assert.equal(html.trim(), want, given);
    assert.equal(text, "Hi", given);
  }
  const kept = await send(ticket.id, { html: "<p><b>Bold</b> <a href=\"https://a.example/?q=1\">link</a></p>", text: "Bold link" });
  assert.match(kept.html, /^<p><b>Bold<\/b> <a href="https:\/\/a\.example\/\?q=1"[^>]*>link<\/a><\/p>$/);
  members(await send(ticket.id, { text: "<script>alert(1)</script>" }), { text: "<script>alert(1)</script>", html: "" });
});

test("send: buttons, quick replies and cards come back as payload", async () => {
  const ticket = await create();
  const payload = {
    templates: [{
      title: "Rome", subtitle: "4 days", coverImageUrl: "https://a.example/rome.png", coverImageHeight: 90, coverImageWidth: 160,
      buttons: [{ title: "Book", type: "postback", data: "rome" }, { title: "See", type: "web_url", uri: "https://a.example/rome" }, { title: "Call", type: "phone_number", uri: "tel:+3725551234" }],
    }],
    quickReplies: [{ title: "Yes", imageUrl: "https://a.example/y.png" }, { title: "No" }],
    enableFreeTextInput: true,
  };
  const message = await send(ticket.id, { text: "Where to?", ...payload });
  assert.deepEqual(message.payload, payload);
  assert.deepEqual((await send(ticket.id, { templates: payload.templates })).payload, { ...payload, quickReplies: [], enableFreeTextInput: false });
});

const states = ["Open", "Closed", "Pending", "Snoozed"] as const;

test("states: every way from one to another, each told once", async () => {
  const entry = { Open: "TicketOpened", Closed: "TicketClosed", Pending: "TicketPending", Snoozed: "TicketSnoozed" };
  for (const from of states) {
    for (const to of states) {
      const ticket = await create({ state: from });
      const answer = await chat().tickets.setState(ticket.id, { nextState: to });
      checked(MessageReply, answer);
      const after = await get(ticket.id);
      assert.equal(after.state, to);
      assert.equal(after.close === NEVER, to !== "Closed");
      const changes = (await told(ticket.id)).filter((c) => c._event === "TICKET_STATE_CHANGE");
      assert.deepEqual(changes.map((c) => c.ticketState), from === to ? [] : [to], `${from} to ${to}`);
      const added = after.transactions.slice(0, after.transactions.length - ticket.transactions.length);
      assert.deepEqual(added.map((x) => x.type), from === to ? [] : [entry[to]], `${from} to ${to}`);
    }
  }
});

test("states: closing with a summary and tags, and the ticket itself as the answer", async () => {
  const ticket = await create();
  await send(ticket.id, "Bye");
  const closed = checked(TicketForm, await chat().tickets.setState(ticket.id, { nextState: "closed", getTicket: true, summary: "All is well", tags: ["Sales"] }));
  members(closed, { id: ticket.id, state: "Closed", tags: ["Sales"] });
  members(closed.ticketSummary ?? {}, { value: "All is well", userId: closed.firstAgentMessageUserId });
  assert.match(closed.close, /^\d{4}/);
  assert.equal(closed.close, closed.lastActivity);
  const length = at(closed.close) - at(closed.open);
  const [hours, minutes, seconds] = closed.durationGross.split(":").map(Number);
  assert.equal(Math.round(((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000), length);
  const quiet = await create();
  await chat().tickets.setState(quiet.id, { nextState: "Pending", enableWebhook: false });
  assert.ok(!names(await told(quiet.id)).includes("TICKET_STATE_CHANGE"));
  await chat().tickets.setState(quiet.id, { nextState: "Open" });
  assert.ok(names(await told(quiet.id)).includes("TICKET_STATE_CHANGE"));
});

test("states: a message opens what was pending or asleep, and nothing passes when closed", async () => {
  for (const state of ["Pending", "Snoozed"]) {
    const ticket = await create({ state });
    await send(ticket.id, "Awake");
    members(await get(ticket.id), { state: "Open", agentMessagesCount: 1 });
    const changes = names(await told(ticket.id));
    assert.deepEqual(changes.filter((name) => name !== "NEW_TICKET"), ["TICKET_STATE_CHANGE", "NEW_MESSAGE"]);
  }
});

test("fields: what is absent or null stays, an empty text empties", async () => {
  const ticket = await create({ field2: "two", field3: "three", uniqueArgument: "crm-1", details });
  await past(ticket.lastActivity);
  await chat().tickets.setFields(ticket.id, { field1: "Renamed", field2: null, field3: "", details: { location: "Tallinn", isMobile: null } });
  const after = await get(ticket.id);
  members(after, { field1: "Renamed", field2: "two", field3: "", field4: "", uniqueArgument: "crm-1" });
  members(after.details, { location: "Tallinn", isMobile: true, iPAddress: details.iPAddress });
  assert.ok(at(after.lastActivity) > at(ticket.lastActivity));
  await chat().tickets.setFields(ticket.id, { uniqueArgument: "crm-2" });
  members(await get(ticket.id), { uniqueArgument: "crm-2", field1: "Renamed" });
});

test("details: where the customer came from, in its newer forms too", async () => {
  const ticket = await create({ details: { referral: { ...details.referral, ...newer } } });
  members(ticket.details.referral, { ...details.referral, ...newer });
  members((await create()).details.referral, { utmParameters: null, adId: "", adTitle: "", productId: "", refData: "", fbPostId: "" });
});

test("participants: a new name is this ticket's only", async () => {
  const participant = mailClient();
  const [ticket, other] = [await create({ participants: [participant] }), await create({ participants: [participant] })];
  await chat().tickets.setParticipantName(ticket.id, { id: clientOf(ticket).id, name: "Renée O'Neil <b>" });
  assert.equal(clientOf(await get(ticket.id)).name, "Renée O'Neil <b>");
  assert.equal(clientOf(await get(other.id)).name, "Jack Bower");
  assert.equal((await chat().contacts.get(clientOf(ticket).contactId)).name, "Jack Bower");
});

test("owner: the new one joins, the old one leaves unless kept", async () => {
  const ticket = await create();
  assert.ok(ticket.owner);
  const [a, b] = [rig().demo.chatUserName, rig().second];
  const active = (t: Ticket) => t.participants.filter((p) => p.type === "User" && p.isActive).map((p) => p.userName).sort();
  await chat().tickets.setOwner(ticket.id, { nextOwnerUserName: a });
  await chat().tickets.setOwner(ticket.id, { nextOwnerUserName: b });
  const moved = await get(ticket.id);
  assert.equal(moved.owner?.UserName, b);
  assert.deepEqual(active(moved), [b]);
  await chat().tickets.setOwner(ticket.id, { nextOwnerUserName: a.toUpperCase(), keepCurrentOwnerInConversation: true });
  const kept = await get(ticket.id);
  assert.equal(kept.owner?.UserName, a);
  assert.deepEqual(active(kept), [a, b].sort());
  const changes = (await told(ticket.id)).filter((c) => c._event === "TICKET_OWNER_CHANGE");
  assert.deepEqual(changes.slice(-2).map((c) => [c.ownerUserName, c.ownerId]), [[b, moved.owner?.id], [a, kept.owner?.id]]);
  assert.ok(kept.transactions.some((x) => x.type === "OwnerChanged" && x.fromParticipant.type === "System"));
});

test("tags: of the department's only, each once", async () => {
  const ticket = await create({ tags: ["Info"] });
  assert.deepEqual(await chat().tickets.addTags(ticket.id, ["Sales", "info", "Sales"]), ["Info", "Sales"]);
  assert.deepEqual(await chat().tickets.removeTag(ticket.id, { tag: "Info" }), ["Sales"]);
  assert.deepEqual(await chat().tickets.removeTag(ticket.id, { tag: "Info" }), ["Sales"]);
  assert.deepEqual((await get(ticket.id)).tags, ["Sales"]);
});

test("notes: for agents only", async () => {
  const ticket = await create();
  await chat().tickets.addNote(ticket.id, { text: "Owes us money" });
  await chat().tickets.addNote(ticket.id, { html: "<b>Loud</b><script>x()</script>" });
  const after = await get(ticket.id);
  assert.deepEqual(after.transactions.slice(0, 2).map((x) => [x.type, x.text, x.html]), [["Note", "Loud", "<b>Loud</b>"], ["Note", "Owes us money", ""]]);
  members(after, { agentMessagesCount: 0 });
  assert.ok(!names(await told(ticket.id)).includes("NEW_MESSAGE"));
});

const forms = (given: Body) => ({ includeDetails: false, includeConversationLink: false, includeNotes: false, ...given });

test("exports: a page and a PDF, all text escaped", async () => {
  const ticket = await create({ field1: "Rome & <Naples>", participants: [webClient({ name: "<img src=x>" })], tags: ["VIP"] });
  await send(ticket.id, { text: "1 < 2 <script>alert(1)</script>" });
  await chat().tickets.addNote(ticket.id, { text: "secret note" });
  const page = await chat().tickets.html(ticket.id, {});
  for (const part of ["Rome &amp; &lt;Naples&gt;", "&lt;img src=x&gt;", "1 &lt; 2 &lt;script&gt;", "VIP"]) {
    assert.ok(page.includes(part), `${part} in ${page}`);
  }
  assert.ok(!/<script|<img src=x/i.test(page));
  assert.ok((await chat().tickets.html(ticket.id, forms({ includeNotes: true }))).includes("secret note"));
  const bare = await chat().tickets.html(ticket.id, forms({ fontSizeInPixels: 20 }));
  assert.ok(!bare.includes("secret note") && !bare.includes("Rome &amp;") && bare.includes("20px"));
  const pdf = await chat().tickets.pdf(ticket.id, { showParticipantType: true, replaceContentId: true });
  assert.ok(pdf.startsWith("%PDF-") && pdf.trimEnd().endsWith("%%EOF"));
  assert.ok(/^[\x00-\x7f]*$/.test(pdf), "a PDF that is read as text has to be ASCII");
});

test("scramble: nothing personal is left, what is no one's stays", async () => {
  const identifier = fresh("secret");
  const ticket = await create({
    field2: "SECRET-FIELD", uniqueArgument: "crm-9", participants: [mailClient({ identifier, name: "SECRET-NAME" })],
    transactions: [{ type: "Message", text: "SECRET-TEXT", fromParticipant: { type: "Client", identifier } }],
  });
  await chat().tickets.addNote(ticket.id, { text: "SECRET-NOTE" });
  const [link] = await chat().files.upload({ type: "multipart/form-data; boundary=b", body: Buffer.from("--b\r\nContent-Disposition: form-data; name=\"0\"; filename=\"SECRET.txt\"\r\n\r\nSECRET-FILE\r\n--b--\r\n") });
  await send(ticket.id, { text: "SECRET-ANSWER", files: [link] });
  const before = await get(ticket.id);
  const contact = clientOf(before).contactId;
  await past(before.lastActivity);
  await chat().tickets.scramble(ticket.id);
  const after = await get(ticket.id);
  assert.ok(!/secret/i.test(JSON.stringify(after)), JSON.stringify(after));
  members(after, {
    isScrambled: true, id: ticket.id, open: before.open, owner: before.owner, agentMessagesCount: before.agentMessagesCount,
    customerMessagesCount: before.customerMessagesCount, agentMediaCount: before.agentMediaCount, state: before.state,
    firstAgentMessageDateTime: before.firstAgentMessageDateTime, transactionsCount: before.transactionsCount, field1: "", field2: "",
    uniqueArgument: "", ticketSummary: null, dynamicParameters: [],
  });
  assert.ok(at(after.lastActivity) > at(before.lastActivity));
  const person = await chat().contacts.get(contact);
  members(person, { isScrambled: true });
  assert.ok(!/secret/i.test(JSON.stringify(person)));
  assert.ok(link && [403, 404].includes((await rig().open(link)).status));
  assert.ok(!/secret/i.test(await chat().tickets.html(ticket.id, {})));
  await chat().tickets.scramble(ticket.id); // once more does no harm
  members(await get(ticket.id), { ...after, lastActivity: (await get(ticket.id)).lastActivity });
});

test("department: the conversation goes on as a new ticket in the other one", async () => {
  const ticket = await create({ field1: "Moving", uniqueArgument: "crm-3" });
  await send(ticket.id, "Before");
  const { departmentId2 } = rig().demo;
  const { ticketId } = await chat().tickets.setDepartment(ticket.id, { departmentId: departmentId2.toUpperCase() });
  assert.ok(ticketId > 0 && ticketId !== ticket.id);
  members(await get(ticket.id), { state: "Closed", movedToTicketId: ticketId, movedToDepartmentId: departmentId2 });
  await assert.rejects(chat().tickets.get(ticketId), /not found/i); // it is another department's now
});

test("parallel sends: each once, in one order for everybody", async () => {
  const ticket = await create();
  const texts = Array.from({ length: 60 }, (_, i) => `message ${i}`);
  const answers = await Promise.all(texts.map((text) => send(ticket.id, text)));
  const thread = (await get(ticket.id)).transactions.filter((x) => x.type === "Message").reverse();
  assert.deepEqual(thread.map((x) => x.text).sort(), [...texts].sort());
  assert.deepEqual(new Map(answers.map((x) => [x.guidTransactionId, x.text])), new Map(thread.map((x) => [x.guidTransactionId, x.text])));
  const heard = (await told(ticket.id)).flatMap((c) => (c._event === "NEW_MESSAGE" ? [c.transaction.guidTransactionId] : []));
  assert.deepEqual(heard, thread.map((x) => x.guidTransactionId));
});
