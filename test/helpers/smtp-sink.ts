import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A mail server that takes everything and keeps it. */
export interface SmtpSink {
  readonly port: number;
  /** The next message, as it came: CRLF, dots undone. */
  next(): Promise<Buffer>;
  stop(): Promise<void>;
}

export async function startSmtpSink(): Promise<SmtpSink> {
  const messages: Buffer[] = [];
  const waiting: ((message: Buffer) => void)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    let input = "";
    let inData = false;
    socket.write("220 sink\r\n");
    socket.setEncoding("latin1").on("data", (text: string) => {
      input += text;
      for (;;) {
        const end = inData ? input.indexOf("\r\n.\r\n") : input.indexOf("\r\n");
        if (end < 0) return;
        const piece = input.slice(0, end);
        input = input.slice(end + (inData ? 5 : 2));
        if (inData) {
          const message = Buffer.from(`${piece.replace(/^\.\./gm, ".")}\r\n`, "latin1");
          const reader = waiting.shift();
          if (reader === undefined) messages.push(message);
          else reader(message);
          socket.write("250 taken\r\n");
          inData = false;
        } else if (/^data/i.test(piece)) {
          inData = true;
          socket.write("354 go on\r\n");
        } else if (/^quit/i.test(piece)) socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    next() {
      const message = messages.shift();
      return message === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(message);
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
