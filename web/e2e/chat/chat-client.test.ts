// Every endpoint of the conversation API, driven by clients that were written
// from its description only, against the real server.
import { after, before } from "node:test";
import { setUp, tearDown } from "./rig";
import "./tickets";
import "./around";
import "./pages";
import "./events";
import "./hooks";
import "./errors";
import "./sharp-tests";
import "./messages";
import { begin } from "./lists";
import "./complete";

before(async () => {
  await setUp();
  await begin();
});
after(tearDown);
