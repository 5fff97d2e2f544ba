// The client module that all pages share.
export { Client, OFFLINE_AFTER, STALE_AFTER } from "./client";
export type { ClientOptions } from "./client";
export type { Env, SocketLike } from "./env";
export { browserEnv, randomKey, socketURL, steadyClock } from "./env";
export type { Status, State } from "./status";
export type { ChannelHandler } from "./subscription";
export { Observable } from "./observable";
export { backoff, BACKOFF_CAP, BACKOFF_BASE, DRAIN_SPREAD } from "./backoff";
export { closeRule, CLOSE_BAD_TOKEN, CLOSE_EXPIRED } from "./close";
export { onWake } from "./wake";
export * from "./wire";
export * from "./board";
