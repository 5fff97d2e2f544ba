// A hub for the pages' own tests: enough of PROTOCOL.md for the board and the
// console, over a branch in memory, and knobs that a real hub does not have.
//   node e2e/fake-server.mjs [port]     serves the built pages to look at
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, FakeBranch, USER } from "./fake-branch.mjs";
import { upgrade } from "./socket.mjs";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "media-src 'self' blob:; font-src 'self'; base-uri 'none'; form-action 'self'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };
const COOKIE = "nowserving_session=fake";
const PASSWORD = "fake-password";

/** One blue dot. */
const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==";

/** A WAV file of that many seconds. */
function silence(seconds) {
  const data = Buffer.alloc(Math.round(seconds * 8000) * 2);
  const head = Buffer.from("RIFF    WAVEfmt                     data    ", "latin1");
  head.writeUInt32LE(36 + data.length, 4);
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, 8000, 4], [28, 16000, 4], [32, 2, 2], [34, 16, 2], [40, data.length, 4]]
    .forEach(([at, value, size]) => head.writeUIntLE(value, at, size));
  return Buffer.concat([head, data]);
}

export class FakeHub extends FakeBranch {
  constructor(options = {}) {
    super();
    this.autoPair = options.autoPair ?? true;
    this.silent = false;
    this.refuse = false;
    // The length of every spoken clip in seconds; 0: there are none.
    this.speech = 0;
    this.clips = [];
    this.sockets = new Set();
    this.keys = new Map();
    this.pairings = new Map();
  }

  async start(port = 0) {
    this.server = createServer((request, response) => this.http(request, response));
    this.server.on("upgrade", (request, raw) => {
      if (this.refuse) return raw.destroy();
      this.session(upgrade(request, raw), request);
    });
    await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends like a killed process: no close frames. */
  stop() {
    for (const s of this.sockets) s.socket.destroy();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  // Sessions

  /** Sends a push to all who are on its channel. */
  deliver(channel, text) {
    for (const s of this.sockets) {
      if (s.channels.has(channel) && !this.silent) s.socket.send(text);
    }
  }

  session(socket, request) {
    const s = { socket, channels: new Set(), display: undefined, audience: undefined, id: `s-${Math.random()}` };
    this.sockets.add(s);
    socket.onclose = () => {
      this.sockets.delete(s);
      if (s.display) this.presence(s, false);
    };
    socket.onmessage = (text) => {
      if (this.silent) return;
      const frame = JSON.parse(text);
      try {
        const reply = this.frame(s, frame, request);
        if (reply !== undefined) socket.send(JSON.stringify({ id: frame.id, reply }));
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        socket.send(JSON.stringify({ id: frame.id, error: failure }));
      }
    };
  }

  frame(s, frame, request) {
    if (frame.connect) {
      return this.connect(s, frame.connect, request);
    }
    if (frame.subscribe) {
      this.subscribe(s, frame);
      return undefined;
    }
    if (frame.command) {
      const known = this.keys.get(frame.command.key);
      const reply = known ?? (() => {
        const ticket = this.command(frame.command);
        return { offset: this.offset, ticket };
      })();
      this.keys.set(frame.command.key, reply);
      return reply;
    }
    if (frame.receipt && s.display) {
      const name = this.displays.find((d) => d.id === s.display).name;
      const { offset, painted, spoken } = frame.receipt;
      this.send("console:1", { push: "receipt", channel: "console:1", time: this.now().toISOString(), data: { display: s.display, name, offset, painted, spoken } });
    }
    return {};
  }

  connect(s, { token }, request) {
    const display = /^display-(\d+)$/.exec(token ?? "");
    if (display && this.displays.some((d) => d.id === Number(display[1]))) {
      s.audience = "display";
      s.display = Number(display[1]);
      this.presence(s, true);
    } else if (!token && (request.headers.cookie ?? "").includes(COOKIE)) {
      s.audience = "staff";
    } else {
      setImmediate(() => s.socket.close(4201));
      throw new Failure("unauthenticated", "unknown credential");
    }
    return { session: s.id, audience: s.audience, ping: s.display ? 5 : 25, time: this.now().toISOString() };
  }

  presence(s, online) {
    const shown = this.displays.find((d) => d.id === s.display);
    if (shown) shown.online = online;
    this.send("console:1", { push: "presence", channel: "console:1", time: this.now().toISOString(), data: { session: s.id, audience: "display", display: s.display, online } });
  }

  subscribe(s, frame) {
    const { channel, since } = frame.subscribe;
    s.channels.add(channel);
    const base = { channel, epoch: "fake", offset: channel.startsWith("display:") ? 0 : this.offset };
    if (since && since.epoch === "fake" && !this.forgetful) {
      s.socket.send(JSON.stringify({ id: frame.id, reply: { ...base, recovered: true } }));
      this.history.filter((h) => h.channel === channel && h.offset > since.offset).forEach((h) => s.socket.send(h.text));
    } else {
      s.socket.send(JSON.stringify({ id: frame.id, reply: { ...base, recovered: false, snapshot: this.snapshot(channel) } }));
    }
  }

  // Pages and the few HTTP calls

  http(request, response) {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const path = request.url.split("?")[0];
      const answer = (status, value, headers = {}) => {
        response.writeHead(status, { "Content-Type": "application/json", ...headers });
        response.end(JSON.stringify(value));
      };
      const clip = /^\/hub\/v1\/speech\/(.+)\.wav$/.exec(path);
      if (clip) {
        this.clips.push(clip[1]);
        const wav = this.speech ? silence(this.speech) : undefined;
        response.writeHead(wav ? 200 : 204, { "Content-Type": "audio/wav", "Cache-Control": "no-store" }).end(wav);
      } else if (/^\/board\/1\/media\//.test(path)) {
        response.writeHead(200, { "Content-Type": "image/png" }).end(Buffer.from(PICTURE, "base64"));
      } else if (path === "/healthz" || path === "/sse") {
        request.socket.destroy(); // this hub has sockets or nothing
      } else if (path.startsWith("/hub/")) {
        this.api(request, path, body ? JSON.parse(body) : {}, answer);
      } else {
        this.page(path, response);
      }
    });
  }

  page(path, response) {
    const file = /^\/board\//.test(path) ? "board.html" : path === "/console" ? "console.html" : path.slice(1);
    try {
      const packed = /\.(js|css)$/.test(file); // the build leaves them compressed, and a browser takes that
      const content = readFileSync(join(dist, packed ? `${file}.gz` : file));
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": POLICY, "Cache-Control": "no-store", ...(packed && { "Content-Encoding": "gzip" }) });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  }

  api(request, path, body, answer) {
    const fail = (status, code, message) => answer(status, { error: { code, message } });
    const signedIn = (request.headers.cookie ?? "").includes(COOKIE);
    if (path === "/hub/v1/session") {
      if (request.method === "GET") return signedIn ? answer(200, { user: USER }) : fail(401, "unauthenticated", "not signed in");
      if (request.method === "DELETE") return answer(200, {}, { "Set-Cookie": "nowserving_session=; Max-Age=0; Path=/" });
      if (request.headers["x-nowserving"] !== "1") return fail(403, "forbidden", "header missing");
      if (body.email !== USER.email || body.password !== PASSWORD) return fail(401, "unauthenticated", "no such user");
      return answer(200, { user: USER }, { "Set-Cookie": `${COOKIE}; HttpOnly; SameSite=Strict; Path=/` });
    }
    if (path === "/hub/v1/texts") return answer(200, { texts: [] });
    const empty = /^\/hub\/v1\/locations\/1\/(tickets|replies|fields)$/.exec(path);
    if (empty) return answer(200, { [empty[1]]: [] });
    if (path === "/hub/v1/locations") return answer(200, { locations: [{ id: 1, name: "Main Street" }] });
    const claim = /^\/hub\/v1\/pairings\/([^/]+)\/claim$/.exec(path);
    if (claim) {
      const pairing = this.pairings.get(claim[1]);
      return pairing ? answer(200, { display: this.claim(pairing, body.name) }) : fail(404, "not_found", "no such code");
    }
    const poll = /^\/hub\/v1\/pairings\/([^/]+)$/.exec(path);
    if (poll) {
      const pairing = this.pairings.get(poll[1]);
      if (!pairing || request.headers["pairing-secret"] !== pairing.secret) return fail(404, "not_found", "no such code");
      const { display } = pairing;
      return answer(200, display ? { status: "paired", token: `display-${display}`, display, location: 1, name: "Lobby TV" } : { status: "waiting" });
    }
    if (path === "/hub/v1/pairings") {
      const code = ["K7MQ2X", "R4WT9C", "H3VD6N"][this.pairings.size % 3];
      const pairing = { secret: `secret-${this.pairings.size}` };
      this.pairings.set(code, pairing);
      if (this.autoPair) this.claim(pairing, `Lobby TV ${this.displays.length + 1}`);
      return answer(201, { code, secret: pairing.secret, poll: 1 });
    }
    return fail(404, "not_found", "no such page");
  }

  claim(pairing, name) {
    pairing.display = this.displays.length + 1;
    const display = { id: pairing.display, name, online: false };
    this.displays.push(display);
    this.send("console:1", { push: "display.changed", channel: "console:1", time: this.now().toISOString(), data: { display } });
    return pairing.display;
  }

  /** What tools find in DIR/demo.json of the real server. */
  demo(url) {
    return { url, location: 1, lines: [1, 2, 3], desks: [1, 2, 3, 4], users: [{ id: 1, email: USER.email, password: PASSWORD }],
      pages: { board: `${url}/board/1`, console: `${url}/console` } };
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const hub = new FakeHub();
  const url = await hub.start(Number(process.argv[2] ?? 8099));
  for (let i = 0; i < 5; i++) hub.add(1 + (i % 3), { firstName: "Visitor", lastName: String(i) });
  console.log(`${url}/board/1   ${url}/console   ${USER.email} / ${PASSWORD}`);
}
