// A WebSocket server end in a few lines: text frames of a test's size, no
// extensions. For tests only; the real one is the hub's.
import { createHash } from "node:crypto";

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Answers the handshake; returns the socket's send, close and event hooks. */
export function upgrade(request, raw) {
  const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + MAGIC).digest("base64");
  raw.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: nowserving.v1\r\n\r\n`,
  );
  const socket = {
    onmessage: () => undefined,
    onclose: () => undefined,
    send: (text) => raw.writable && raw.write(frame(0x1, Buffer.from(text))),
    close(code) {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      raw.end(frame(0x8, payload));
    },
    destroy: () => raw.destroy(),
  };
  let buffer = Buffer.alloc(0);
  raw.on("data", (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (let read = parse(buffer); read; read = parse(buffer)) {
      buffer = buffer.subarray(read.length);
      if (read.opcode === 0x1) socket.onmessage(read.payload.toString("utf8"));
      if (read.opcode === 0x8) raw.end(frame(0x8, read.payload));
      if (read.opcode === 0x9) raw.write(frame(0xa, read.payload));
    }
  });
  raw.on("error", () => raw.destroy());
  raw.on("close", () => socket.onclose());
  return socket;
}

function frame(opcode, payload) {
  const head = payload.length < 126 ? Buffer.alloc(2) : payload.length < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  if (head.length === 2) {
    head[1] = payload.length;
  } else if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** One masked client frame, or undefined when it is not all there yet. */
function parse(buffer) {
  if (buffer.length < 6) return undefined;
  let size = buffer[1] & 0x7f;
  let at = 2;
  if (size === 126) {
    size = buffer.readUInt16BE(2);
    at = 4;
  } else if (size === 127) {
    if (buffer.length < 14) return undefined;
    size = Number(buffer.readBigUInt64BE(2));
    at = 10;
  }
  if (buffer.length < at + 4 + size) return undefined;
  const mask = buffer.subarray(at, at + 4);
  const payload = Buffer.from(buffer.subarray(at + 4, at + 4 + size));
  for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i % 4];
  return { opcode: buffer[0] & 0x0f, payload, length: at + 4 + size };
}
