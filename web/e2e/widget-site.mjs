// Somebody's website, on an origin of its own, that shows the chat widget: as
// strict, as old-fashioned or as hostile to it as a test wants.
import { createServer } from "node:http";

/** The directives that README's "Chat widget" tells a strict site to have, and data: for the icon of the test's own page. */
export const strictPolicy = (hub) =>
  `default-src 'none'; script-src 'nonce-abc123'; connect-src ${hub} ${hub.replace(/^http/, "ws")}; img-src blob: data:; ` +
  "require-trusted-types-for 'script'; trusted-types nowserving; base-uri 'none'; form-action 'none'";

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A page with the loader's one line; attributes are those of the script element. */
export function hostPage(hub, key, { attributes = {}, lang = "en", dir = "ltr", head = "", body = "<h1>Shop</h1><p><a href='#x'>A link</a></p>", nonce = true } = {}) {
  const all = { src: `${hub}/widget.js`, "data-key": key, ...(nonce ? { nonce: "abc123" } : {}), ...attributes };
  const written = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => ` ${name}="${escape(String(value))}"`).join("");
  return `<!DOCTYPE html><html lang="${lang}" dir="${dir}"><head><meta charset="utf-8"><title>Shop</title>` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">${head}</head><body><main>${body}</main><script${written} async></script></body></html>`;
}

export class Site {
  pages = new Map();

  /** Serves html under path with further headers. */
  page(path, html, headers = {}) {
    this.pages.set(path, { html, headers });
    return this.url + path;
  }

  static async start() {
    const site = new Site();
    site.server = createServer((request, response) => {
      const page = site.pages.get(request.url.split("?")[0]);
      if (!page) {
        response.writeHead(404).end();
        return;
      }
      const type = page.headers["Content-Type"] ?? "text/html; charset=utf-8";
      response.writeHead(200, { "Content-Type": type, ...page.headers }).end(page.html);
    });
    await new Promise((resolve) => site.server.listen(0, "127.0.0.1", resolve));
    site.url = `http://127.0.0.1:${site.server.address().port}`;
    return site;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** A clerk of the demonstration, over the conversation API. */
export class Agent {
  constructor(hub) {
    this.hub = hub;
  }

  async call(method, path, body) {
    if (!this.token) {
      const demo = this.hub.demo;
      const got = await fetch(`${this.hub.url}/api/v1.2/token/get`, {
        method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ apiKey: demo.chatApiKey, apiSecret: demo.chatApiSecret, userName: demo.chatUserName }),
      });
      this.token = (await got.json()).access_token;
    }
    const response = await fetch(`${this.hub.url}/api/v1.2/${path}`, {
      method, headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  send(ticket, message) {
    return this.call("POST", `tickets/send/${ticket}`, typeof message === "string" ? { text: message } : message);
  }

  /** What the visitor wrote, oldest first. */
  async heard(ticket) {
    const { transactions } = await this.call("GET", `tickets/get/${ticket}`);
    return transactions.filter((t) => t.type === "Message" && t.fromParticipant.type === "Client").map((t) => t.text).reverse();
  }
}
