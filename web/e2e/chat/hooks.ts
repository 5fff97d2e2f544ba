// Webhooks: events that are sent to a receiver of ours, signed.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { EventForm } from "./forms";
import type { Change, ChatEvent } from "./forms";
import { isRequestValid } from "./sharp";
import { chat, checked, create, drain, get, names, rig, send } from "./rig";
import { exchange } from "./wire";

interface Delivery {
  path: string;
  headers: IncomingHttpHeaders;
  raw: Buffer;
  event: ChatEvent;
}

/** Another system: it keeps what comes, and answers as it is told. */
class Receiver {
  readonly got: Delivery[] = [];
  /** The status for a path; 200 unless it is set. */
  readonly answers = new Map<string, number>();
  private readonly waiting: (() => void)[] = [];
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on("request", (incoming, answer) => {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.on("end", () => {
        const [raw, path] = [Buffer.concat(parts), incoming.url ?? ""];
        const events = JSON.parse(raw.toString("utf8")) as unknown[];
        assert.deepEqual([incoming.method, events.length], ["POST", 1]);
        receiver.got.push({ path, headers: incoming.headers, raw, event: checked(EventForm, events[0]) });
        answer.writeHead(receiver.answers.get(path) ?? 200).end();
        receiver.waiting.splice(0).forEach((wake) => wake());
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** The deliveries at a path, once there are so many. */
  async at(path: string, many: number): Promise<Delivery[]> {
    for (;;) {
      const found = this.got.filter((delivery) => delivery.path === path);
      if (found.length >= many) {
        return found;
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe("webhooks", { timeout: 60_000 }, () => {
  let receiver: Receiver;

  before(async () => {
    receiver = await Receiver.start();
  });

  after(async () => {
    for (const id of made) {
      await admin("DELETE", `/${id}`);
    }
    await receiver.stop();
  });

  const made: string[] = [];

  /** The settings' door: there is none in the API itself. */
  async function admin(method: string, path: string, body?: unknown): Promise<{ id?: string }> {
    const headers = { Authorization: `Bearer ${rig().demo.staffToken}`, "Content-Type": "application/json" };
    const answer = await exchange(`${rig().hub.url}/hub/v1/webhooks${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    assert.ok(answer.status < 300, `${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as { id?: string };
  }

  async function register(path: string, more: Record<string, unknown> = {}): Promise<string> {
    const { id } = await admin("POST", "", { api: "chat", name: `Test ${path}`, url: receiver.url(path), location: rig().demo.location, ...more });
    assert.ok(id);
    made.push(id);
    return id;
  }

  const changes = (deliveries: Delivery[]): Change[] => deliveries.flatMap((d) => d.event.changes);

  test("each event once, in order, signed, and as it is polled", async () => {
    await register("/all", { headers: { "X-Mine": "yes" } });
    await drain();
    const ticket = await create({ uniqueArgument: "crm-31" });
    await send(ticket.id, "Straße & <b>");
    await chat().tickets.setState(ticket.id, { nextState: "Closed" });
    const got = await receiver.at("/all", 3);
    assert.deepEqual(names(changes(got)), ["NEW_TICKET", "NEW_MESSAGE", "TICKET_STATE_CHANGE"]);
    const sha1 = (message: Buffer | string) => `sha1=${createHmac("sha1", rig().demo.chatApiSecret).update(message).digest("hex")}`;
    for (const { headers, raw } of got) {
      const date = String(headers["x-glassix-auth-date"]);
      assert.equal(headers["x-hub-signature"], sha1(raw));
      assert.deepEqual([headers["x-glassix-auth"], headers["x-glassix-auth-signature"]], [sha1(date), sha1(date)]);
      assert.ok(isRequestValid(headers, rig().demo.chatApiSecret) && !isRequestValid(headers, `${rig().demo.chatApiSecret}x`));
      assert.ok(Math.abs(Date.parse(date) - Date.now()) < 60_000, date);
      assert.deepEqual([headers["x-glassix-api-key"], headers["x-glassix-request-count"], headers["x-mine"]], [rig().demo.departmentId, "1", "yes"]);
      assert.match(headers["content-type"] ?? "", /^application\/json/);
    }
    const polled = (await drain()).slice(-3);
    // Links to files are minted anew, but this ticket has none.
    assert.deepEqual(changes(got), polled.flatMap((e) => e.changes));
    assert.equal(new Set(got.map((d) => d.event.queueMessageId)).size, 3);
  });

  test("a receiver hears of what it wants only, and of nothing that is to be kept quiet", async () => {
    await register("/messages", { events: ["NEW_MESSAGE"] });
    const quiet = await create({ enableWebhook: false });
    await chat().tickets.setState(quiet.id, { nextState: "Pending", enableWebhook: false });
    const ticket = await create();
    await send(ticket.id, "One");
    await send(ticket.id, "Two");
    const got = changes(await receiver.at("/messages", 2));
    assert.deepEqual(got.map((c) => (c._event === "NEW_MESSAGE" ? [c.ticketId, c.transaction.text] : c._event)), [[ticket.id, "One"], [ticket.id, "Two"]]);
    await receiver.at("/all", 6);
    assert.ok(!changes(receiver.got).some((c) => "ticketId" in c && c.ticketId === quiet.id));
  });

  test("one that fails is tried again, the same event, and delays no other", async () => {
    receiver.answers.set("/broken", 500);
    const id = await register("/broken");
    const before = receiver.got.filter((d) => d.path === "/all").length;
    const ticket = await create();
    await receiver.at("/broken", 1);
    await send(ticket.id, "Meanwhile");
    const elsewhere = changes(await receiver.at("/all", before + 2)).slice(-2);
    assert.deepEqual(names(elsewhere), ["NEW_TICKET", "NEW_MESSAGE"]);
    receiver.answers.delete("/broken");
    await admin("POST", `/${id}/retry`);
    const got = await receiver.at("/broken", 3);
    assert.deepEqual(names(changes(got)), ["NEW_TICKET", "NEW_TICKET", "NEW_MESSAGE"]);
    assert.deepEqual(got.map((d) => d.headers["x-glassix-request-count"]), ["1", "2", "1"]);
    assert.equal(got[0]?.event.queueMessageId, got[1]?.event.queueMessageId);
    assert.equal((await get(ticket.id)).agentMessagesCount, 1);
  });
});
