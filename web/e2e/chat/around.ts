// What is around tickets: contacts, users, the department, canned replies,
// messages without a ticket, phone calls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { day, listTime } from "./client";
import { ContactForm, DeletedForm, MessageForm, MessageReply, NO_GUID, ReplyForm, StatusForm, StatusLogForm, TagForm, UserForm, statuses } from "./forms";
import type { Contact, User } from "./forms";
import { SharpClient } from "./sharp";
import { at, chat, checked, clientOf, create, drain, fresh, get, mailClient, members, refused, rig, send } from "./rig";

const contactOf = async (id: string): Promise<Contact> => checked(ContactForm, await chat().contacts.get(id));

test("contacts: made with the ticket, renamed, given identifiers", async () => {
  const identifier = fresh();
  const id = clientOf(await create({ participants: [mailClient({ identifier, name: "Jack Bower" })] })).contactId;
  assert.notEqual(id, NO_GUID);
  const made = await contactOf(id);
  members(made, { id, name: "Jack Bower", uniqueArgument: "", isDeleted: false, isScrambled: false, tags: [], imageUri: null });
  assert.deepEqual(made.identifiers.map((i) => [i.contactId, i.identifierType, i.identifier]), [[id, "MailAddress", identifier]]);
  checked(MessageReply, await chat().contacts.setName(id, { nextName: "Jack B. Bower" }));
  checked(MessageReply, await chat().contacts.setUniqueArgument(id, { nextUniqueArgument: "crm-11" }));
  checked(MessageReply, await chat().contacts.addIdentifier(id, { identifierType: "phonenumber", identifier: "+972-52-7778899" }));
  const second = await contactOf(id);
  members(second, { name: "Jack B. Bower", uniqueArgument: "crm-11", creationDateTime: made.creationDateTime });
  assert.ok(at(second.updateDateTime) >= at(made.updateDateTime));
  const phone = second.identifiers.find((i) => i.identifierType === "PhoneNumber");
  members(phone ?? {}, { identifier: "972527778899", contactId: id });
  checked(MessageReply, await chat().contacts.deleteIdentifier(id, { contactIdentifierId: phone?.id }));
  assert.deepEqual((await contactOf(id)).identifiers.map((i) => i.identifier), [identifier]);
  for (const identifierType of ["FacebookId", "InstagramId"]) {
    await chat().contacts.addIdentifier(id, { identifierType, identifier: `${identifierType}-11` });
  }
  assert.deepEqual((await contactOf(id)).identifiers.map((i) => i.identifierType), ["MailAddress", "FacebookId", "InstagramId"]);
  await refused(chat().contacts.setName(id, { nextName: "x".repeat(26) }), 400, /nextName/);
  await refused(chat().contacts.setUniqueArgument(id, { nextUniqueArgument: "x".repeat(51) }), 400, /nextUniqueArgument/);
});

test("contacts: two that are one person become one", async () => {
  const [a, b] = [fresh(), fresh()];
  const [stays, goes] = [clientOf(await create({ participants: [mailClient({ identifier: a })] })), clientOf(await create({ participants: [mailClient({ identifier: b })] }))];
  const given = { identifierType: "MailAddress", identifier: b };
  await refused(chat().contacts.addIdentifier(stays.contactId, given), 409, /identifier/);
  await chat().contacts.addIdentifier(stays.contactId, { ...given, forceMerge: true });
  assert.deepEqual((await contactOf(stays.contactId)).identifiers.map((i) => i.identifier).sort(), [a, b].sort());
  assert.equal(clientOf(await create({ participants: [mailClient({ identifier: b })] })).contactId, stays.contactId);
  assert.equal((await contactOf(goes.contactId)).id, stays.contactId); // the old id stays good
});

const userOf = async (name: string): Promise<User | undefined> =>
  (await chat().users.getAll()).map((user) => checked(UserForm, user)).find((user) => user.UserName === name);

test("users: what the demonstration has", async () => {
  const all = (await chat().users.getAll()).map((user) => checked(UserForm, user));
  for (const { email } of rig().demo.users) {
    const user = all.find((one) => one.UserName === email);
    members(user ?? {}, { type: "AGENT", status: "Online", isAnonymous: false });
    for (const role of ["DepartmentAdmin", "EmailSession", "webChat"] as const) {
      assert.ok(user?.roles.includes(role), `${email} ${role}`);
    }
  }
});

test("users: every status, its number and its event", async () => {
  const codes = { Offline: 1, Break: 2, Break2: 3, Break3: 4, Break4: 5, Break5: 6, Online: 10 };
  const me = await userOf(rig().demo.chatUserName);
  for (const status of statuses) {
    await chat().users.setStatus({ nextStatus: status.toUpperCase() });
    assert.deepEqual(checked(StatusForm, await chat().users.getStatus()), { Status: status, _Status: codes[status] });
  }
  const changes = (await drain()).flatMap((e) => e.changes).flatMap((c) => (c._event === "USER_STATUS_CHANGE" ? [c] : []));
  assert.deepEqual(changes.slice(-7).map((c) => [c.userId, c.userName, c.userStatus, c.doNotDisturb]),
    statuses.map((status) => [me?.id, me?.UserName, status, false]));
  await chat().users.setStatus({ nextStatus: "Online" });
  assert.equal((await drain()).flatMap((e) => e.changes).filter((c) => c._event === "USER_STATUS_CHANGE").length, changes.length); // it was that already
});

test("users: an offline agent is given nothing", async () => {
  const other = rig().client({ userName: rig().second });
  await chat().users.setStatus({ nextStatus: "Break" });
  assert.equal((await create()).owner?.UserName, rig().second);
  await other.users.setStatus({ nextStatus: "Offline" });
  const ticket = await create();
  assert.equal(ticket.owner, null);
  await chat().tickets.assignAvailableUser(ticket.id);
  assert.equal((await get(ticket.id)).owner, null);
  await other.users.setStatus({ nextStatus: "Online" });
  await chat().tickets.assignAvailableUser(ticket.id);
  assert.equal((await get(ticket.id)).owner?.UserName, rig().second);
  await chat().users.setStatus({ nextStatus: "Online" });
});

test("users: status logs, a row a day, both days included", async () => {
  const sharp = new SharpClient(chat().options);
  const me = await userOf(rig().demo.chatUserName);
  const now = Date.now(); // midnight may pass from here on: both days are asked for
  const days = { since: day(new Date(now - 86400_000)), until: day(new Date(now)) };
  const [ok, all] = await sharp.users.statusLogs(days);
  assert.ok(ok && Array.isArray(all));
  const logs = all.map((log) => checked(StatusLogForm, log));
  assert.ok(logs.length >= 2);
  const mine = logs.find((log) => log.userId === me?.id);
  assert.equal(mine?.userName, me?.UserName);
  const entries = mine?.dates.flatMap((d) => d.statusLogs) ?? [];
  for (const status of statuses) {
    assert.ok(entries.some((entry) => entry.nextStatus === status), status);
  }
  const times = entries.map((e) => at(e.dateTime));
  assert.deepEqual(times, [...times].sort((a, b) => a - b));
  const [, one] = await sharp.users.statusLogs({ ...days, userId: me?.id });
  assert.ok(Array.isArray(one) && one.length === 1);
  assert.equal(checked(StatusLogForm, one[0]).dates.length, 2);
});

test("users: added, changed, given roles, deleted", async () => {
  const name = fresh("agent");
  checked(MessageReply, await chat().users.add([{ userName: name, uniqueArgument: "hr-1" }], { role: "SystemUser", userType: "AGENT" }));
  const added = await userOf(name);
  members(added ?? {}, { type: "AGENT", uniqueArgument: "hr-1", status: "Offline" });
  assert.ok(added?.roles.includes("SystemUser"));
  assert.equal(checked(UserForm, await chat().users.getByUniqueArgument({ uniqueArgument: "hr-1" })).id, added?.id);
  await chat().users.setRoles(["ReadOnly", "webchat"], { userName: name });
  assert.deepEqual((await userOf(name))?.roles, ["ReadOnly", "webChat"]);
  const guest = rig().client({ userName: name });
  await guest.users.update({ shortName: "Ann", fullName: "Ann Lee", jobTitle: "Clerk" });
  await guest.users.update({ shortName: null, jobTitle: "Head clerk" });
  members((await userOf(name)) ?? {}, { shortName: "Ann", fullName: "Ann Lee", jobTitle: "Head clerk" });
  const ticket = await create();
  checked(UserForm, (await guest.users.getAll())[0]);
  for (const call of [() => guest.tickets.send(ticket.id, { text: "x" }), () => guest.tickets.setState(ticket.id, { nextState: "Closed" }),
    () => guest.users.add([{ userName: fresh() }], { role: "SystemUser", userType: "AGENT" }), () => guest.users.delete({ userName: rig().second }),
    () => guest.users.setRoles(["MasterUser"], { userName: name }), () => guest.tickets.scramble(ticket.id)]) {
    await refused(call(), 403, /./);
  }
  assert.equal((await get(ticket.id, guest)).id, ticket.id);
  const gone = checked(DeletedForm, await chat().users.delete({ UserName: name }));
  assert.deepEqual(gone.DeletedFromDepartments, [rig().demo.chatApiKey]);
  assert.equal(await userOf(name), undefined);
  await refused(guest.users.getStatus(), 401, /./);
  await refused(rig().client({ userName: name }).getToken(), 401, /./);
});

test("users: who is deleted leaves their tickets to others; bots and programs own no automatic words", async () => {
  const name = fresh("bot");
  await chat().users.add([{ userName: name }], { role: "SystemUser", userType: "BOT" });
  const ticket = await create();
  await chat().tickets.setOwner(ticket.id, { nextOwnerUserName: name });
  members(await get(ticket.id), { ticketType: "Bot" });
  await chat().users.delete({ userName: name });
  assert.equal((await get(ticket.id)).owner, null);
});

test("users: a name of one's own is one's own", async () => {
  await chat().users.setUniqueArgument({ nextUniqueArgument: "hr-7" });
  assert.equal((await chat().users.getByUniqueArgument({ uniqueArgument: "hr-7" })).UserName, rig().demo.chatUserName);
  assert.equal((await userOf(rig().demo.chatUserName))?.uniqueArgument, "hr-7");
});

test("tenants: open or not, and the tags", async () => {
  for (const departmentId of [rig().demo.departmentId, rig().demo.departmentId2, rig().demo.departmentId.toUpperCase()]) {
    assert.equal(typeof (await chat().tenants.isOnline({ departmentId })), "boolean");
    assert.equal(typeof (await chat().tenants.isOnline({ departmentId, protocolType: "facebookmessenger" })), "boolean");
  }
  const tags = (await chat().tenants.getTags()).map((tag) => checked(TagForm, tag));
  for (const name of ["Info", "Sales", "VIP"]) {
    assert.ok(tags.some((tag) => tag.name === name && !tag.isDeleted), name);
  }
});

test("canned replies: added, used, deleted", async () => {
  const given = {
    id: 0, title: "Greeting", text: "Hello <b>", html: "<b>Hello</b><script>x()</script>", rank: 3, autoTags: ["sales"], categoryName: "First", culture: "en-US",
    isPublished: true, isSuggested: true, isIncludedInAgentSuggestions: false, attachments: [],
  };
  const reply = checked(ReplyForm, await chat().cannedReplies.add(given));
  const want = { ...given, id: reply.id, html: "<b>Hello</b>", autoTags: ["Sales"] };
  assert.deepEqual(reply, want);
  const found = (await chat().cannedReplies.getAll()).map((one) => checked(ReplyForm, one)).find((one) => one.id === reply.id);
  assert.deepEqual(found, want);
  await chat().cannedReplies.delete({ cannedReplyId: reply.id });
  assert.ok(!(await chat().cannedReplies.getAll()).some((one) => one.id === reply.id));
  await refused(chat().cannedReplies.delete({ cannedReplyId: reply.id }), 404, /cannedReplyId/);
});

test("protocols: a message without a ticket", async () => {
  const before = (await drain()).length;
  const files = ["https://a.example/plan.pdf"];
  const sent = checked(MessageForm, await chat().protocols.send({ protocolType: "whatsapp", from: "972524646214", to: "+972 52-1112233", text: "Hello", files }));
  members(sent, {
    text: "Hello", html: "", protocolType: "WhatsApp", from: "972524646214", to: "972521112233", status: "Pending", files, attachmentUris: files,
    departmentId: rig().demo.departmentId,
  });
  checked(MessageForm, await chat().protocols.send({ protocolType: "SMS", from: "972526264195", to: "972521112233", html: "<p>Hello</p>" }));
  const changes = (await drain()).slice(before).flatMap((e) => e.changes);
  assert.ok(changes.every((c) => c._event === "NON_TICKET_MESSAGE_STATUS"), "no ticket arises");
});

test("phone calls: begun, ended, recorded", async () => {
  const ticket = await create();
  const began = new Date(Date.UTC(2026, 10, 21, 10, 20, 30, 450));
  await chat().phoneCalls.started(ticket.id, { dateTime: listTime(began) });
  await chat().phoneCalls.ended(ticket.id, { dateTime: listTime(new Date(began.getTime() + 61_000)) });
  await chat().phoneCalls.audioLink(ticket.id, { audioUri: "https://pbx.example/call.mp3" });
  const thread = (await get(ticket.id)).transactions;
  assert.deepEqual(thread.slice(0, 3).map((x) => x.type), ["PhoneCallRecording", "PhoneCallEnded", "PhoneCallStarted"]);
  assert.deepEqual(thread[0]?.attachments.map((a) => [a.type, a.uri, a.originalFileName]), [["Audio", "https://pbx.example/call.mp3", "call.mp3"]]);
  await send(ticket.id, "After the call");
  await refused(chat().phoneCalls.started(ticket.id, { dateTime: "2026-11-21T10:20:30Z" }), 400, /dateTime/);
  await refused(chat().phoneCalls.ended(ticket.id, { dateTime: "31/02/2026 10:20:30:45" }), 400, /dateTime/);
  await refused(chat().phoneCalls.audioLink(ticket.id, { audioUri: "javascript:x()" }), 400, /audioUri/);
});
