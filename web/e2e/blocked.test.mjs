// The lobby board behind a proxy that lets no WebSocket through: it hears all the
// same, and says so when it does not.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { hero, launch, openPage, state } from "./browser.mjs";
import { RealHub } from "./hub.mjs";

const problems = [];
let hub;
let proxy;
let browser;
let board;
let refused = 0;

/** Passes requests on as they are, and refuses to upgrade. */
function startProxy(to) {
  const server = createServer((req, res) => {
    const on = request(to + req.url, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
      answer.on("error", () => res.destroy());
    });
    on.on("error", () => res.destroy());
    res.on("close", () => on.destroy());
    req.pipe(on);
  });
  server.on("upgrade", (req, socket) => {
    refused++;
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function call(line) {
  const made = await hub.queue("POST", "/tickets", { lineId: line, firstName: "Ida" }, true);
  const called = await hub.queue("POST", `/v1/tickets/${made.id}/call?desk=3`);
  assert.equal(called.status, "CALLED");
  return made;
}

before(async () => {
  hub = await RealHub.start();
  proxy = await startProxy(hub.url);
  browser = await launch();
  const url = new URL(hub.demo.pages.board);
  url.port = String(proxy.address().port);
  board = await openPage(await browser.newContext({ viewport: { width: 1280, height: 720 } }), url.href, problems);
});

after(async () => {
  await browser?.close();
  proxy?.closeAllConnections();
  proxy?.close();
  await hub?.stop();
});

test("the board is live, and shows who is called", async () => {
  await state(board, "live", 30000);
  assert.ok(refused >= 2, `${refused} sockets were refused`);
  const made = await call(hub.demo.lines[0]);
  await hero(board, made.publicId);
  if (process.env.SHOTS) {
    await board.screenshot({ path: `${process.env.SHOTS}/blocked.png` });
  }
});

test("it recovers from the server's end without a reload, and misses nothing", async () => {
  await board.evaluate(() => { window.sameDocument = true; });
  await hub.kill();
  await board.waitForSelector('body:not([data-state="live"])', { timeout: 20000 });
  await hub.up();
  const made = await call(hub.demo.lines[1]);
  await state(board, "live", 60000);
  await hero(board, made.publicId);
  assert.ok(await board.evaluate(() => window.sameDocument === true), "the page was loaded again");
});

test("nothing went wrong in the page", () => {
  assert.deepEqual(problems, []);
});
