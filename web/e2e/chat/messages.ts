// Messages without a ticket, with a provider of text messages that is ours.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { EventForm, MessageForm } from "./forms";
import type { ChatEvent, Message } from "./forms";
import type { ChatClient } from "./client";
import { Rig, chat, checked, rig } from "./rig";
import { exchange } from "./wire";

const ACCOUNT = "account";
const SECRET = "token of the provider";
/** How the provider reaches the server, were it a real one. */
const PUBLIC = "http://hub.example";

/** What became of a message, when that is told. */
async function fate(client: ChatClient, message: Message): Promise<Message> {
  const headers = await client.getRequestHeaders();
  for (;;) {
    const answer = await exchange(`${client.base}/webhooks/getevents?deleteEvents=true&waitSeconds=10`, { method: "GET", headers });
    for (const event of (JSON.parse(answer.text) as ChatEvent[]).map((one) => checked(EventForm, one))) {
      const [change] = event.changes;
      if (change?._event === "NON_TICKET_MESSAGE_STATUS" && change.message.providerMessageId === message.providerMessageId) {
        return change.message;
      }
    }
  }
}

describe("messages without a ticket", { timeout: 60_000 }, () => {
  const orders: { path: string; form: URLSearchParams }[] = [];
  let own: Rig;
  const provider = createServer((incoming, answer) => {
    let body = "";
    incoming.on("data", (part: Buffer) => (body += part.toString("utf8")));
    incoming.on("end", () => {
      const form = new URLSearchParams(body);
      orders.push({ path: incoming.url ?? "", form });
      const refused = form.get("Body") === "refuse";
      answer.writeHead(refused ? 400 : 201, { "Content-Type": "application/json" });
      answer.end(JSON.stringify(refused ? { code: 21211, message: "no number", status: 400 } : { sid: "SM1", status: "queued" }));
    });
  });

  before(async () => {
    await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
    const at = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    own = await Rig.start("-text-account", ACCOUNT, "-text-token", SECRET, "-text-from", "+972526264195", "-text-url", at, "-public-url", PUBLIC);
  });

  after(async () => {
    provider.closeAllConnections();
    await new Promise((resolve) => provider.close(resolve));
    await own.hub.stop();
  });

  const send = async (client: ChatClient, protocolType: string, text: string): Promise<Message> => {
    const from = protocolType === "SMS" ? "972526264195" : "972524646214";
    return checked(MessageForm, await client.protocols.send({ protocolType, from, to: "972524646299", text }));
  };

  test("delivered, as the provider says", { timeout: 15_000 }, async () => {
    const client = own.client();
    const message = await send(client, "WhatsApp", "Hello");
    assert.equal(message.status, "Pending");
    while (orders.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { path, form } = orders[0] ?? assert.fail();
    assert.ok(path.includes(ACCOUNT));
    assert.deepEqual([form.get("To"), form.get("From"), form.get("Body")], ["whatsapp:+972524646299", "whatsapp:+972524646214", "Hello"]);
    // The provider calls back, and signs what it says.
    const callback = form.get("StatusCallback") ?? "";
    assert.ok(callback.startsWith(PUBLIC), callback);
    const told = { AccountSid: ACCOUNT, MessageSid: "SM1", MessageStatus: "delivered" };
    const call = (secret: string) => exchange(callback.replace(PUBLIC, own.hub.url), {
      method: "POST", body: new URLSearchParams(told).toString(),
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": createHmac("sha1", secret).update(callback + Object.entries(told).sort().flat().join("")).digest("base64"),
      },
    });
    assert.ok((await call("another's")).status >= 400);
    assert.ok((await call(SECRET)).status < 300);
    assert.deepEqual(await fate(client, message), { ...message, status: "Delivered" });
  });

  test("rejected, by the provider or because there is none", async () => {
    const refused = await send(own.client(), "SMS", "refuse");
    assert.deepEqual(await fate(own.client(), refused), { ...refused, status: "Rejected" });
    assert.equal(orders.filter((order) => order.form.get("Body") === "refuse").length, 1, "what is refused is not tried again");
    const nobody = await send(chat(), "WhatsApp", "Hello");
    assert.deepEqual(await fate(chat(), nobody), { ...nobody, status: "Rejected" });
    assert.equal(rig().demo.departmentId, nobody.departmentId);
  });
});
