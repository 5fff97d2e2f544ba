// A visitor as the socket sees one, without a page of their own: commands go out,
// pushes are kept to be looked at. It lives in an empty page of the hub.
export class Visitor {
  static async open(context, url, token) {
    const visitor = new Visitor();
    visitor.page = await context.newPage();
    await visitor.page.goto(`${url}/healthz`);
    await visitor.page.evaluate((secret) => new Promise((resolve, reject) => {
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`, "nowserving.v1");
      const waits = new Map();
      let last = 0;
      window.pushes = [];
      window.ask = (body) => new Promise((done) => {
        waits.set(++last, done);
        socket.send(JSON.stringify({ id: last, ...body }));
      });
      socket.onopen = () => window.ask({ connect: { token: secret, name: "visitor" } }).then((m) => (m.error ? reject(new Error(m.error.message)) : resolve()));
      socket.onmessage = (event) => {
        const message = JSON.parse(event.data);
        if (message.id) waits.get(message.id)?.(message);
        else window.pushes.push({ ...message, at: Date.now() });
      };
    }), token);
    return visitor;
  }

  /** Follows the visitor's own ticket. */
  async follow(ticket) {
    this.ticket = ticket;
    await this.ask({ subscribe: { channel: `ticket:${ticket}` } });
  }

  ask(body) {
    return this.page.evaluate((b) => window.ask(b), body);
  }

  async command(name, params = {}) {
    const answer = await this.ask({ command: { name, params: { ticket: this.ticket, ...params } } });
    if (answer.error) throw new Error(`${name}: ${JSON.stringify(answer.error)}`);
    return answer.reply;
  }

  /** Says something; answers when it was sent, by the clock of this machine. */
  async say(text) {
    const at = await this.page.evaluate(() => Date.now());
    await this.command("message.send", { text });
    return at;
  }

  typing() {
    return this.ask({ signal: { channel: `ticket:${this.ticket}`, name: "typing" } });
  }

  /** Waits for the push of a message with this text. */
  async heard(text, timeout = 5000) {
    const found = await this.page.waitForFunction((t) => window.pushes.find((push) => push.data.transaction?.text === t), text, { timeout, polling: 20 });
    return found.jsonValue();
  }

  all() {
    return this.page.evaluate(() => window.pushes);
  }
}
