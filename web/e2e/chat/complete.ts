// The last test: that none was forgotten.
import assert from "node:assert/strict";
import { test } from "node:test";
import { operations } from "./errors";
import { answered } from "./wire";

test("every operation was called, and answered with 200", () => {
  const all = [...operations, "POST /token/get", "GET /tenants/isonline"].map((one) => one.replace(/\/\{.*/, ""));
  assert.equal(all.length, 47);
  assert.deepEqual([...answered].sort(), all.sort());
});
