// What the tests share: the server, its callers, and how an answer is checked.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { RealHub } from "../hub.mjs";
import { ChatClient, ChatError, listTime } from "./client";
import type { Body, Query } from "./client";
import { EventForm, ListedForm, TicketForm, TransactionForm } from "./forms";
import type { Change, ChatEvent, Listed, Participant, Ticket, Transaction } from "./forms";
import { exchange } from "./wire";

/** What the demonstration says of itself. */
export interface Demo {
  location: number;
  departmentId: string;
  departmentId2: string;
  chatApiKey: string;
  chatApiSecret: string;
  chatUserName: string;
  staffToken: string;
  users: { id: number; email: string; password: string }[];
}

export const INTRODUCTION = "Hello! How may we assist you today?";

/** A server of our own, with a caller. */
export class Rig {
  private constructor(readonly hub: RealHub, readonly demo: Demo, readonly domain: string) {}

  static async start(...flags: string[]): Promise<Rig> {
    const hub = await RealHub.start(...flags);
    return new Rig(hub, JSON.parse(readFileSync(hub.demoFile, "utf8")) as Demo, `localhost:${new URL(hub.url).port}`);
  }

  client(more: Partial<ConstructorParameters<typeof ChatClient>[0]> = {}): ChatClient {
    const { chatApiKey: apiKey, chatApiSecret: apiSecret, chatUserName: userName } = this.demo;
    return new ChatClient({ workspace: "demo", apiKey, apiSecret, userName, domain: this.domain, ...more });
  }

  get second(): string {
    const other = this.demo.users.find((user) => user.email !== this.demo.chatUserName);
    assert.ok(other, "the demonstration has two users");
    return other.email;
  }

  /** A page or a file behind a link of the API. */
  async open(link: string): ReturnType<typeof exchange> {
    return exchange(link, { method: "GET" });
  }

  /** A form's answer, as a browser posts it. */
  async post(link: string, fields: Record<string, string>): ReturnType<typeof exchange> {
    return exchange(link, {
      method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: new URLSearchParams(fields).toString(),
    });
  }
}

let started: Rig | undefined;
let caller: ChatClient | undefined;

/** The one server of the main tests, and its JavaScript client. */
export async function setUp(): Promise<void> {
  started = await Rig.start();
  caller = started.client();
}

export async function tearDown(): Promise<void> {
  await started?.hub.stop();
}

export function rig(): Rig {
  assert.ok(started, "the server runs");
  return started;
}

export function chat(): ChatClient {
  assert.ok(caller, "the server runs");
  return caller;
}

/** The value, when it has exactly its form; else what is wrong with it, member by member. */
export function checked<T>(form: z.ZodType<T>, value: unknown): T {
  const result = form.safeParse(value);
  if (!result.success) {
    assert.fail(`${z.prettifyError(result.error)}\nin ${JSON.stringify(value)?.slice(0, 2000)}`);
  }
  return result.data;
}

/** Checks members by value. */
export function members(value: object, want: Record<string, unknown>): void {
  for (const [name, one] of Object.entries(want)) {
    assert.deepEqual((value as Record<string, unknown>)[name], one, name);
  }
}

/** A refusal: its status, and words that tell what was wrong. */
export async function refused(promise: Promise<unknown>, code: number, words: RegExp): Promise<ChatError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ChatError, String(error));
    assert.deepEqual([error.code, words.test(error.message)], [code, true], `${error.code} ${error.message}, wanted ${code} ${words}`);
    assert.equal(error.answer.headers["content-type"], "application/json; charset=utf-8");
    assert.deepEqual(Object.keys(JSON.parse(error.answer.text) as object), ["message"]);
    assert.ok(!/goroutine|\.go:|store:|ledger:/.test(error.message), `internals: ${error.message}`);
    return error;
  }
  return assert.fail(`accepted, wanted ${code} ${words}`);
}

let number = 0;

/** An address that nobody has had. */
export const fresh = (word = "client"): string => `${word}.${++number}@mail.example`;

export const mailClient = (more: Body = {}): Body => ({ type: "Client", protocolType: "Mail", name: "Jack Bower", identifier: fresh(), ...more });
export const webClient = (more: Body = {}): Body => ({
  type: "Client", protocolType: "Web", name: "Jack Bower", identifier: `00000000-0000-4000-8000-${String(++number).padStart(12, "0")}`, ...more,
});

/** A new ticket, its form checked. */
export async function create(more: Body = {}, by = chat()): Promise<Ticket> {
  return checked(TicketForm, await by.tickets.create({ field1: "Tuscany vacation", participants: [webClient()], ...more }));
}

export const get = async (id: number, by = chat()): Promise<Ticket> => checked(TicketForm, await by.tickets.get(id));

export const send = async (id: number, p: Body | string, by = chat()): Promise<Transaction> =>
  checked(TransactionForm, await by.tickets.send(id, typeof p === "string" ? { text: p } : p));

export function clientOf(ticket: Ticket): Participant {
  const found = ticket.participants.find((p) => p.type === "Client");
  assert.ok(found);
  return found;
}

/** Everything of a list, each ticket's form checked. */
export async function list(q: Query, by = chat()): Promise<Listed[]> {
  return (await by.tickets.list(q)).map((ticket) => checked(ListedForm, ticket));
}

/** The window of an hour around now. */
export const around = (): { since: string; until: string } => ({
  since: listTime(new Date(Date.now() - 1800_000)), until: listTime(new Date(Date.now() + 1800_000)),
});

/** The instant of a time of the form. */
export const at = (time: string): number => Date.parse(time.endsWith("Z") ? time : `${time}Z`);

/** Resolves once the clock, which is the server's too, is past a time of the form: what comes now is later. */
export async function past(time: string): Promise<void> {
  while (Date.now() <= at(time)) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const seen: ChatEvent[] = [];

/** Takes what waits off the department's queue; everything is there once the call that caused it was answered. */
export async function drain(by = chat()): Promise<ChatEvent[]> {
  for (;;) {
    const batch = await by.webhooks.getevents({ deleteEvents: true });
    assert.ok(batch.length <= 100);
    if (batch.length === 0) {
      return seen;
    }
    seen.push(...batch.map((event) => checked(EventForm, event)));
  }
}

/** What was told of a ticket so far, in the order of telling. */
export async function told(ticket: number): Promise<Change[]> {
  const all = await drain();
  return all.flatMap((event) => event.changes).filter((change) => "ticketId" in change && change.ticketId === ticket);
}

export const names = (changes: Change[]): string[] => changes.map((change) => change._event);
