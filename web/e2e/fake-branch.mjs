// The branch behind the fake hub: its tickets, what its commands do, and the
// journal of what happened. Who hears of it is the server's business.

export const USER = { id: 1, email: "clerk@example.com", firstName: "Kai", lastName: "Saar", locations: [1] };
const DAY = "20261121";

export class Failure {
  constructor(code, message) {
    Object.assign(this, { code, message });
  }
}

export class FakeBranch {
  constructor() {
    // How far the hub's clock is ahead, for tests that move a page's clock.
    this.ahead = 0;
    // What screens said of themselves, and how they are to look.
    this.reports = [];
    this.settings = { layout: "focus", theme: "dark", names: "none" };
    this.offset = 100;
    this.prev = 100;
    this.history = [];
    this.nextTicket = 40;
    this.location = { id: 1, name: "Main Street", timezone: "Europe/Tallinn", languages: ["en", "es"] };
    this.lines = [
      { id: 1, name: "Passports", series: "A", color: "#1C7ED6", wait: { min: 5, max: 15 } },
      { id: 2, name: "Residence", series: "B", color: "#2F9E44", wait: { min: 10, max: 20 } },
      { id: 3, name: "Information", series: "C", color: "#E8590C" },
    ];
    this.desks = [1, 2, 3, 4].map((id) => ({ id, name: String(id) }));
    this.displays = [];
    this.tickets = new Map();
  }

  now() {
    return new Date(Date.now() + this.ahead);
  }

  // Projections

  board(t) {
    const { id, firstName, lastName, phoneNumber, created, called, source, offset, ...rest } = t;
    return rest;
  }

  counted() {
    const waiting = (line) => [...this.tickets.values()].filter((t) => t.status === "NEW" && t.line === line.id).length;
    return this.lines.map((line) => ({ ...line, waiting: waiting(line) }));
  }

  snapshot(channel) {
    const all = [...this.tickets.values()];
    const common = { location: this.location, lines: this.counted(), desks: this.desks, settings: { ...this.settings, theme: this.theme ?? this.settings.theme } };
    if (channel.startsWith("display:")) {
      return { display: this.displays.find((d) => d.id === Number(channel.slice(8))) };
    }
    if (channel.startsWith("ticket:")) {
      return { ticket: this.tickets.get(channel.slice(7)), transactions: [] };
    }
    if (channel.startsWith("console:")) {
      const tickets = all.filter((t) => t.status === "NEW" || t.status === "CALLED");
      return { ...common, users: [USER], displays: this.displays, tickets, presence: [] };
    }
    const by = (...status) => all.filter((t) => status.includes(t.status)).map((t) => this.board(t));
    return { ...common, serving: by("CALLED"), recent: by("SERVED", "NOSHOW").slice(-12), waiting: by("NEW") };
  }

  // The journal

  publish(type, ticket) {
    const prev = this.offset;
    this.offset++;
    ticket.offset = this.offset;
    const time = this.now().toISOString();
    const lines = this.counted().filter((l) => l.id === ticket.line);
    for (const [channel, view] of [["board:1", this.board(ticket)], ["console:1", { ...ticket }]]) {
      this.send(channel, { push: type, channel, offset: this.offset, prev, time, data: { ticket: view, lines } });
    }
  }

  send(channel, push) {
    const text = JSON.stringify(push);
    if (push.offset) this.history.push({ channel, offset: push.offset, text });
    this.deliver(channel, text);
  }

  add(line, extra = {}) {
    const id = String(++this.nextTicket);
    const publicId = `${this.lines.find((l) => l.id === line).series}-${id}`;
    const t = {
      id, publicId, key: `${publicId}.${DAY}`, status: "NEW", line, recalls: 0, source: "MANUAL",
      order: `n${id.padStart(6, "0")}`, created: { date: this.now().toISOString() }, ...extra,
    };
    this.tickets.set(id, t);
    this.publish("ticket.created", t);
    return t;
  }

  call(t, desk, at = this.now()) {
    if (t.status !== "NEW") throw new Failure("conflict", `${t.publicId} was already called to desk ${t.desk}`);
    Object.assign(t, { status: "CALLED", desk, calledAt: at.toISOString(), called: { date: at.toISOString(), caller: 1, desk } });
    this.publish("ticket.called", t);
    return t;
  }

  end(t, status, type) {
    if (t.status !== "CALLED") throw new Failure("conflict", `${t.publicId} is not being served`);
    t.status = status;
    this.publish(type, t);
    return t;
  }

  wait(t, type, extra) {
    const { called, calledAt, desk, ...rest } = t;
    const fresh = { ...rest, status: "NEW", ...extra };
    this.tickets.set(t.id, fresh);
    this.publish(type, fresh);
    return fresh;
  }

  /** Changes the location or the settings, as an administrator would. */
  change(location = {}, settings = {}) {
    this.location = { ...this.location, ...location };
    this.settings = { ...this.settings, ...settings };
    const prev = this.offset++;
    const data = { location: this.location, settings: this.settings };
    this.send("board:1", { push: "location.changed", channel: "board:1", offset: this.offset, prev, time: this.now().toISOString(), data });
    // The console's channel has the same offsets.
    this.send("console:1", { push: "location.changed", channel: "console:1", offset: this.offset, prev, time: this.now().toISOString(), data });
  }

  /** An ephemeral push to one screen. */
  tellDisplay(id, push, data) {
    this.send(`display:${id}`, { push, channel: `display:${id}`, time: this.now().toISOString(), data });
  }

  command({ name, params }) {
    if (name === "display.report") {
      this.reports.push(params);
      return undefined;
    }
    if (name === "user.select") return undefined; // it has no users to note it for
    const t = params.ticket ? this.tickets.get(params.ticket) : undefined;
    if (params.ticket && !t) throw new Failure("not_found", "no such ticket");
    switch (name) {
      case "ticket.create": {
        const { line, ...extra } = params;
        return this.add(line, extra);
      }
      case "ticket.call":
        return this.callFor(t, params.desk);
      case "ticket.callNext": {
        const next = [...this.tickets.values()].filter((w) => w.status === "NEW" && params.lines.includes(w.line))
          .sort((a, b) => (a.order < b.order ? -1 : 1))[0];
        if (!next) throw new Failure("empty", "nobody is waiting");
        return this.callFor(next, params.desk);
      }
      case "ticket.recall":
        t.recalls++;
        this.publish("ticket.recalled", t);
        return t;
      case "ticket.serve":
        return this.end(t, "SERVED", "ticket.served");
      case "ticket.noShow":
        return this.end(t, "NOSHOW", "ticket.noshow");
      case "ticket.cancel":
        t.status = "CANCELLED_BY_CLERK";
        this.publish("ticket.cancelled", t);
        return t;
      case "ticket.returnToQueue":
        return this.wait(t, "ticket.returned", { order: params.position === "FIRST" ? "a" : `z${Date.now()}` });
      case "ticket.forward":
        return this.wait(t, "ticket.forwarded", { line: params.line });
      default:
        throw new Failure("bad_request", `no command ${name}`);
    }
  }

  callFor(t, desk) {
    for (const other of this.tickets.values()) {
      if (other !== t && other.status === "CALLED" && other.desk === desk) this.end(other, "SERVED", "ticket.served");
    }
    return this.call(t, desk);
  }
}
