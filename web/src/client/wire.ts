// The frames of PROTOCOL.md, as TypeScript sees them.

export const SUBPROTOCOL = "nowserving.v1";

/** A place in a location's journal: which life of it, and how far. */
export interface Position {
  epoch: string;
  offset: number;
}

export interface ConnectReply {
  session: string;
  audience: string;
  /** How often the client must send something, in seconds. */
  ping: number;
  /** The hub's clock. */
  time: string;
}

export interface SubscribeReply {
  channel: string;
  epoch: string;
  offset: number;
  recovered: boolean;
  snapshot?: unknown;
}

export interface CommandReply {
  offset: number;
  ticket?: unknown;
}

/** An unasked frame on a channel. Ephemeral ones have no offset. */
export interface Push {
  push: string;
  channel: string;
  offset?: number;
  prev?: number;
  time: string;
  data: { [member: string]: unknown };
}

export interface WireError {
  code: string;
  message: string;
  field?: string;
  retryAfter?: number;
}

export interface CommandFrame {
  name: string;
  key: string;
  params: unknown;
  location?: number;
}

/** The client's own codes, beside those of PROTOCOL.md. They never travel. */
export const LINK_LOST = "link_lost";
export const TIMED_OUT = "timed_out";
export const NOT_SENT = "not_sent";

/** Why a request failed: a code to branch on and a text for people. */
export class HubError extends Error {
  readonly code: string;
  readonly field: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(error: WireError) {
    super(error.message);
    this.name = "HubError";
    this.code = error.code;
    this.field = error.field;
    this.retryAfter = error.retryAfter;
  }
}
