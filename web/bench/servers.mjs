// The broadcast servers that `make bench` measures beside ours: what is posted goes
// to every socket. Usage: node servers.mjs ws|socket.io host:port
import { createServer } from "node:http";

const [kind, address] = process.argv.slice(2);
const [host, port] = address.split(":");

let publish;
// Publishers rest longer than five seconds between rounds.
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    publish(Buffer.concat(parts));
    response.writeHead(202, { "content-length": 0 }).end();
  });
});

if (kind === "ws") {
  const { WebSocketServer } = await import("ws");
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: true });
  publish = (body) => {
    for (const socket of sockets.clients) socket.send(body, { binary: false });
  };
} else {
  const { Server } = await import("socket.io");
  const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
  publish = (body) => io.emit("push", JSON.parse(body.toString()));
}
server.listen(Number(port), host);
