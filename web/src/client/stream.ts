// The hub where a proxy lets no WebSocket through: what it says comes as event
// streams, one per channel, and looks like a socket to the client. It only
// listens: commands are refused, receipts are dropped.
import { CLOSE_BAD_TOKEN } from "./close";
import { Env, SocketLike } from "./env";
import { CLOSED_BY_US, OPEN } from "./link";
import { Position } from "./wire";

/** Comments come every 5 s; a stream silent for longer than this is dead. */
const ALIVE = 12000;
/** A response keeps everything it ever got; after so many characters it is begun anew. */
const FULL = 1 << 19;
/** So many sockets in a row that heard nothing, and a stream is tried. */
const PATIENCE = 2;
/** How long it is left at streams until a socket is tried again. */
const RETRY = 600000;

const CLOSED = 3;

interface Frame {
  id: number;
  connect?: { token?: string };
  subscribe?: { channel: string; since?: Position };
  unsubscribe?: { channel: string };
  command?: unknown;
  signal?: unknown;
}

/** One event of a stream; a comment has no data. */
interface StreamEvent {
  name: string;
  data: string;
}

function parseEvent(block: string): StreamEvent {
  const event = { name: "", data: "" };
  for (const line of block.split("\n")) {
    if (line.indexOf("event: ") === 0) {
      event.name = line.slice(7);
    } else if (line.indexOf("data: ") === 0) {
      event.data += line.slice(6);
    }
  }
  return event;
}

/**
 * An env whose sockets are streams where sockets lead nowhere. Where one has worked
 * there are none: when it ends, the hub is away, and not the way to it closed.
 */
export function withStreams(env: Env, request: () => XMLHttpRequest = () => new XMLHttpRequest()): Env {
  let deaf = 0; // sockets in a row that heard nothing
  let works = false;
  let streaming = false; // what was heard last came by a stream
  let tried = 0; // when the last socket was opened
  const open = (): SocketLike => {
    if (!works && (deaf >= PATIENCE || (streaming && env.now() - tried < RETRY))) {
      deaf = PATIENCE - 1; // one more socket that hears nothing is enough the next time
      return watched(new StreamSocket(env, request), () => (streaming = true));
    }
    tried = env.now();
    deaf++;
    return watched(env.open(), () => (works = true));
  };
  return Object.assign({}, env, { open });
}

/** Tells of the first frame that a socket brings. */
function watched(socket: SocketLike, heard: () => void): SocketLike {
  return {
    get readyState() {
      return socket.readyState;
    },
    set onopen(run: SocketLike["onopen"]) {
      socket.onopen = run;
    },
    set onclose(run: SocketLike["onclose"]) {
      socket.onclose = run;
    },
    set onerror(run: SocketLike["onerror"]) {
      socket.onerror = run;
    },
    set onmessage(run: SocketLike["onmessage"]) {
      socket.onmessage = run && ((event) => {
        heard();
        run(event);
      });
    },
    send: (frame) => socket.send(frame),
    close: () => socket.close(),
  };
}

interface Stream {
  request: XMLHttpRequest;
  heardAt: number;
}

/** Streams that look like a socket. */
export class StreamSocket implements SocketLike {
  onopen: ((event: any) => void) | null = null;
  onmessage: ((event: any) => void) | null = null;
  onclose: ((event: any) => void) | null = null;
  onerror: ((event: any) => void) | null = null;
  readyState = 0;
  private readonly env: Env;
  private readonly request: () => XMLHttpRequest;
  private readonly streams = new Map<string, Stream>();
  private token: string | undefined;
  private readonly cancel: () => void;

  constructor(env: Env, request: () => XMLHttpRequest) {
    this.env = env;
    this.request = request;
    this.cancel = env.after(RETRY, () => this.end(CLOSED_BY_US));
    env.after(0, () => {
      if (this.readyState !== CLOSED) {
        this.readyState = OPEN;
        this.onopen && this.onopen({});
      }
    });
  }

  send(text: string): void {
    const frame = JSON.parse(text) as Frame;
    if (frame.connect) {
      this.token = frame.connect.token;
      this.greet(frame.id);
    } else if (frame.subscribe) {
      this.listen(frame.id, frame.subscribe.channel, frame.subscribe.since);
    } else if (frame.command || frame.signal) {
      this.tell({ id: frame.id, error: { code: "unavailable", message: "this connection only listens" } });
    } else {
      if (frame.unsubscribe) {
        this.leave(frame.unsubscribe.channel);
      }
      if (this.alive()) {
        this.tell({ id: frame.id, reply: {} }); // a ping, a receipt
      }
    }
  }

  /** One dead stream is as bad as all: its channel would be shown as it was. */
  private alive(): boolean {
    const now = this.env.now();
    return Array.from(this.streams.values()).every((stream) => now - stream.heardAt < ALIVE);
  }

  close(): void {
    this.end(CLOSED_BY_US);
  }

  /** Asks whether the hub is there at all, and what time it is. */
  private greet(id: number): void {
    const request = this.request();
    request.open("GET", "/healthz");
    request.onload = () => {
      if (request.status !== 200) { // a proxy's word, of a hub that is away
        this.end(CLOSED_BY_US);
        return;
      }
      const date = request.getResponseHeader("Date");
      const time = (date ? new Date(date) : new Date()).toISOString();
      this.tell({ id, reply: { session: "stream", audience: "display", ping: 5, time } });
    };
    request.onerror = () => this.end(CLOSED_BY_US);
    request.send();
  }

  private listen(id: number, channel: string, since: Position | undefined): void {
    this.leave(channel);
    const request = this.request();
    const stream = { request, heardAt: this.env.now() };
    this.streams.set(channel, stream);
    request.open("GET", "/sse?channel=" + encodeURIComponent(channel));
    if (this.token) {
      request.setRequestHeader("Authorization", "Bearer " + this.token);
    }
    if (since) {
      request.setRequestHeader("Last-Event-ID", since.epoch + "/" + since.offset);
    }
    let read = 0;
    let answered = false;
    const mine = () => this.streams.get(channel) === stream;
    request.onprogress = () => {
      if (!mine() || request.status !== 200) {
        return;
      }
      stream.heardAt = this.env.now();
      for (let end = request.responseText.indexOf("\n\n", read); end >= 0 && mine(); end = request.responseText.indexOf("\n\n", read)) {
        const event = parseEvent(request.responseText.slice(read, end));
        read = end + 2;
        if (!answered) {
          answered = true;
          const reply = event.name === "snapshot" ? JSON.parse(event.data) : Object.assign({ channel, recovered: true }, since);
          this.tell({ id, reply });
        }
        this.pass(event);
      }
      if (mine() && request.responseText.length > FULL) {
        this.end(CLOSED_BY_US);
      }
    };
    request.onload = () => mine() && this.over(id, request, answered);
    request.onerror = () => mine() && this.end(CLOSED_BY_US);
    request.send();
  }

  private pass(event: StreamEvent): void {
    if (event.name === "close") {
      this.end((JSON.parse(event.data) as { code: number }).code);
    } else if (event.name === "" && event.data) {
      this.message(event.data);
    }
  }

  /** A response that has ended: a refusal, or the end of a stream. */
  private over(id: number, request: XMLHttpRequest, answered: boolean): void {
    if (request.status === 401) {
      this.end(CLOSE_BAD_TOKEN);
      return;
    }
    let refusal: { error?: unknown } = {};
    try {
      refusal = JSON.parse(request.responseText) as { error?: unknown };
    } catch {
      // Not the hub's: a proxy's page.
    }
    if (answered || !refusal.error) {
      this.end(CLOSED_BY_US);
    } else {
      this.tell({ id, error: refusal.error });
    }
  }

  private leave(channel: string): void {
    const stream = this.streams.get(channel);
    this.streams.delete(channel);
    if (stream) {
      stream.request.abort();
    }
  }

  private tell(frame: unknown): void {
    this.message(JSON.stringify(frame));
  }

  private message(data: string): void {
    if (this.readyState === OPEN && this.onmessage) {
      this.onmessage({ data });
    }
  }

  private end(code: number): void {
    if (this.readyState === CLOSED) {
      return;
    }
    this.readyState = CLOSED;
    this.cancel();
    Array.from(this.streams.keys()).forEach((channel) => this.leave(channel));
    if (this.onclose) {
      this.onclose({ code });
    }
  }
}
