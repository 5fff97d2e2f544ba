// Files, and the pages behind links that customers get.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { TransactionForm } from "./forms";
import type { Attachment } from "./forms";
import { formOf } from "./client";
import { chat, checked, clientOf, create, get, members, refused, rig, send, told } from "./rig";

/** A PNG of one colour, big enough to have a thumbnail. */
function png(width: number, height: number): Buffer {
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const sum = (data: Buffer) => {
    let c = 0xffffffff;
    for (const byte of data) c = (table[(c ^ byte) & 0xff] ?? 0) ^ (c >>> 8);
    return (c ^ 0xffffffff) >>> 0;
  };
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [size, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(data.length);
    crc.writeUInt32BE(sum(body));
    return Buffer.concat([size, body, crc]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height, 128);
  for (let y = 0; y < height; y++) rows[y * (width + 1)] = 0;
  return Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

const PDF = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");

test("files: the type is the content's, the link the file's alone", async () => {
  const ticket = await create();
  const picture = png(600, 300);
  const links = await chat().files.upload(formOf([
    { name: "holiday.pdf", content: picture, type: "application/pdf" }, { name: "../../plan.pdf", content: PDF },
    { name: "page.html", content: Buffer.from("<html><script>alert(1)</script></html>"), type: "text/html" },
    { name: "pic.svg", content: Buffer.from("<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"x()\"/>"), type: "image/svg+xml" },
    { name: "straße 1.txt", content: Buffer.from("plain words") },
  ]));
  assert.equal(links.length, 5);
  const message = await send(ticket.id, { text: "See", files: links });
  assert.deepEqual(message.attachments.map((a) => [a.type, a.originalFileName, a.isEmbedded, a.sanitizationState]), [
    ["Image", "holiday.pdf", false, "Allowed"], ["Document", "plan.pdf", false, "Allowed"], ["File", "page.html", false, "Allowed"],
    ["Document", "pic.svg", false, "Allowed"], ["Document", "straße 1.txt", false, "Allowed"],
  ]);
  members(await get(ticket.id), { agentMediaCount: 5, agentMessagesCount: 1 });
  const opened = await Promise.all(message.attachments.map((a) => rig().open(a.uri)));
  for (const answer of opened) {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    assert.match(answer.headers["content-disposition"] ?? "", /^attachment/);
  }
  assert.deepEqual(opened[0]?.body, picture);
  assert.deepEqual(opened.map((answer) => answer.type), ["image/png", "application/pdf", "application/octet-stream", "text/plain", "text/plain"]);
  const [image] = message.attachments as [Attachment];
  const small = await rig().open(image.thumbnails[0] ?? "");
  assert.deepEqual([small.status, small.type, image.thumbnails.length], [200, "image/jpeg", 1]);
  assert.deepEqual(image.thumbnailsFileIdentifiers.map((name) => new URL(image.thumbnails[0] ?? "").pathname.endsWith(`/${name}`)), [true]);
  assert.deepEqual(message.attachments.slice(1).map((a) => a.thumbnails.length), [0, 0, 0, 0]);
});

test("files: a link that was changed opens nothing", async () => {
  const [a, b] = await chat().files.upload(formOf([{ name: "a.txt", content: Buffer.from("aaaa") }, { name: "b.txt", content: Buffer.from("bbbb") }]));
  assert.ok(a && b);
  const [own, other] = [new URL(a), new URL(b)];
  const swapped = own.href.replace(own.pathname, other.pathname);
  const wrong = [swapped, own.href.split("?")[0] ?? ""];
  for (const [name, value] of own.searchParams) {
    const changed = new URL(own);
    // One more second, or one other letter.
    changed.searchParams.set(name, /^\d+$/.test(value) ? String(Number(value) + 1) : (value.startsWith("A") ? "B" : "A") + value.slice(1));
    wrong.push(changed.href);
    changed.searchParams.delete(name);
    wrong.push(changed.href);
  }
  assert.equal((await rig().open(own.href)).text, "aaaa");
  for (const link of wrong) {
    const answer = await rig().open(link);
    assert.ok([403, 404].includes(answer.status), `${answer.status} ${link}`);
    assert.ok(!answer.text.includes("aaaa") && !answer.text.includes("bbbb"));
  }
  // Three hours, and nothing else to be told by the link.
  const until = [...own.searchParams.values()].map(Number).find((n) => n > 1e9);
  assert.ok(until && until * 1000 > Date.now() + 2.9 * 3600_000 && until * 1000 < Date.now() + 3.3 * 3600_000);
});

test("files: what cannot be one", async () => {
  await refused(chat().files.upload(formOf([])), 400, /file/);
  await refused(chat().files.upload({ type: "application/json", body: Buffer.from("{}") }), 400, /multipart/);
  await refused(chat().files.upload({ type: "multipart/form-data; boundary=x", body: Buffer.from("--x\r\nbroken") }), 400, /multipart/);
  await refused(chat().files.upload(formOf([{ name: "big", content: Buffer.alloc(11 << 20, 1) }])), 413, /bytes/);
  const ticket = await create();
  await refused(chat().tickets.send(ticket.id, { files: ["ftp://a.example/x"] }), 400, /files/);
  const message = await send(ticket.id, { files: ["https://a.example/map.png"] });
  assert.deepEqual(message.attachments.map((a) => [a.type, a.uri, a.originalFileName]), [["Image", "https://a.example/map.png", "map.png"]]);
});

test("survey: a link, a page, an answer, an event", async () => {
  const ticket = await create({ uniqueArgument: "crm-5" });
  const { surveyLink } = await chat().tickets.generateSurveyLink(ticket.id, { surveyId: 1, participantId: 0 });
  assert.ok(surveyLink.startsWith(`http://demo.${rig().domain}/`), surveyLink);
  const page = await rig().open(surveyLink);
  assert.deepEqual([page.status, page.type], [200, "text/html"]);
  const inputs = [...page.text.matchAll(/name="(q\d+)"/g)].map((m) => m[1]);
  assert.deepEqual([...new Set(inputs)], ["q1", "q2"]);
  for (const bad of [{ q2: "words only" }, { q1: "6", q2: "" }, { q1: "0" }, { q1: "x" }]) {
    assert.equal((await rig().post(surveyLink, bad as unknown as Record<string, string>)).status, 400);
  }
  const words = "Fast & <b>friendly</b>";
  const thanks = await rig().post(surveyLink, { q1: "5", q2: words });
  assert.equal(thanks.status, 200);
  assert.match(thanks.text, /Thank you/);
  const again = await rig().post(surveyLink, { q1: "1", q2: "changed" });
  assert.equal(again.status, 409);
  const changes = (await told(ticket.id)).flatMap((c) => (c._event === "SURVEY_UPDATE" ? [c] : []));
  assert.equal(changes.length, 1);
  members(changes[0] ?? {}, { uniqueArgument: "crm-5" });
  members(changes[0]?.participant ?? {}, { id: clientOf(ticket).id, type: "Client", name: "Jack Bower" });
  assert.deepEqual(changes[0]?.surveys.map((s) => [s.surveyId, s.questionType, s.value, s.isMandatory, s.isDisabled]),
    [[1, "Rating", "5", true, false], [1, "Text", words, false, false]]);
  await refused(chat().tickets.generateSurveyLink(ticket.id, { surveyId: 99 }), 404, /surveyId/);
  await refused(chat().tickets.generateSurveyLink(ticket.id, { surveyId: 1, participantId: 99 }), 404, /participantId/);
  await refused(chat().tickets.generateSurveyLink(ticket.id, {}), 400, /surveyId/);
  assert.equal((await rig().open(surveyLink.slice(0, -1) + (surveyLink.endsWith("0") ? "1" : "0"))).status, 404);
});

test("interactive document: a form by link, its answer in the thread", async () => {
  const ticket = await create({ uniqueArgument: "crm-6" });
  const message = checked(TransactionForm, await chat().interactiveDocuments.send(ticket.id, {
    baseTemplateId: 20, message: "Please fill in", shouldLockDocument: true,
    fields: [{ type: "Text", name: "Full name", value: "Jack <Bower>" }, { type: "text", name: "Passport" }],
  }));
  members(message, { type: "Message", text: "Please fill in" });
  const [document] = message.attachments;
  assert.equal(document?.type, "InteractiveDocument");
  const link = document?.uri ?? "";
  const page = await rig().open(link);
  assert.deepEqual([page.status, page.type], [200, "text/html"]);
  assert.ok(page.text.includes("Jack &lt;Bower&gt;") && !page.text.includes("<Bower>"));
  const passport = /for="(q\d+)">Passport/.exec(page.text)?.[1] ?? "";
  assert.match(passport, /^q\d+$/);
  assert.equal((await rig().post(link, { [passport]: "X<1>" })).status, 200);
  assert.equal((await rig().post(link, { [passport]: "other" })).status, 409); // it was to be locked
  const [signed] = (await told(ticket.id)).flatMap((c) => (c._event === "DOCUMENT_SIGNED" ? [c] : []));
  const fields = signed?.document.fields.map((f) => [f.name, f.value]) ?? [];
  assert.ok(fields.some(([name, value]) => name === "Passport" && value === "X<1>"), JSON.stringify(fields));
  assert.ok(fields.some(([name, value]) => name === "Full name" && value === "Jack <Bower>"), JSON.stringify(fields));
  members(signed ?? {}, { uniqueArgument: "crm-6" });
  const entry = (await get(ticket.id)).transactions[0];
  members(entry ?? {}, { type: "DocumentSigned" });
  assert.ok(entry?.text.includes("Passport: X<1>"));
  assert.equal(entry?.fromParticipant.type, "Client");
  await refused(chat().interactiveDocuments.send(ticket.id, { baseTemplateId: 21 }), 404, /baseTemplateId/);
  await refused(chat().interactiveDocuments.send(ticket.id, { message: "x" }), 400, /baseTemplateId/);
  await refused(chat().interactiveDocuments.send(ticket.id, { baseTemplateId: 20, fields: [{ type: "Blink", name: "x" }] }), 400, /fields/);
});
