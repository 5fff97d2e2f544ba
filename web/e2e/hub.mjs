// The real server as a child process, on a port and in a folder of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BINARY = process.env.NOWSERVING_BINARY ?? fileURLToPath(new URL("../../bin/nowserving", import.meta.url));
const READY = 30000;

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class RealHub {
  static async start(...flags) {
    const hub = new RealHub();
    hub.flags = flags;
    hub.data = mkdtempSync(join(tmpdir(), "nowserving-e2e-"));
    hub.url = `http://127.0.0.1:${await freePort()}`;
    await hub.up();
    return hub;
  }

  /** Starts the process; also after a kill, in the same folder. */
  async up() {
    const args = ["-demo", "-listen", this.url.slice(7), "-data", this.data, "-log-level", "warn", "-request-rate", "0", "-min-free", "64MiB", ...this.flags];
    const { NOWSERVING_BINARY: _, ...env } = process.env; // the server refuses settings that it does not know
    this.process = spawn(BINARY, args, { stdio: ["ignore", "inherit", "inherit"], env });
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
    const until = Date.now() + READY;
    while (Date.now() < until) {
      const ready = await fetch(`${this.url}/readyz`).then((r) => r.ok, () => false);
      if (ready) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error("the server did not become ready");
  }

  get demo() {
    return JSON.parse(readFileSync(this.demoFile, "utf8"));
  }

  get demoFile() {
    return join(this.data, "demo.json");
  }

  async kill(signal = "SIGKILL") {
    this.process.kill(signal);
    await this.ended;
  }

  pause() {
    this.process.kill("SIGSTOP");
  }

  resume() {
    this.process.kill("SIGCONT");
  }

  async stop() {
    this.process.kill("SIGCONT");
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** The queue API, as an integrator calls it. */
  async queue(method, path, body, version = false) {
    const headers = { "X-Qminder-REST-API-Key": this.demo.queueApiKey };
    if (version) headers["X-Qminder-API-Version"] = "2020-09-01";
    if (body) headers["Content-Type"] = "application/json";
    const response = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, ...(text ? JSON.parse(text) : {}) };
  }
}
