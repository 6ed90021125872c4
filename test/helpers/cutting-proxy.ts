import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/**
 * `before`: what the client sends is not passed on, and the connection is cut: the server never knew.
 * `after`: it is passed on, and the connection is cut when the server answers: the client never knows.
 */
export type Cut = "before" | "after";

/** Stands between a client and a server on 127.0.0.1, and cuts the connection at one of the client's messages. */
export class CuttingProxy {
  readonly port: number;
  /** How many messages the client has sent. */
  messages = 0;
  #cutAt = Number.POSITIVE_INFINITY;
  #cut: Cut = "before";

  private constructor(port: number) {
    this.port = port;
  }

  static async start(serverPort: number): Promise<CuttingProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new CuttingProxy((server.address() as AddressInfo).port);
    const open = new Set<Socket>();
    server.on("connection", (client) => proxy.#pass(client, connect(serverPort, "127.0.0.1"), open));
    onTestFinished(() => {
      server.close();
      for (const socket of open) socket.destroy();
    });
    return proxy;
  }

  /** @param at the number of the message, counted from now; it happens once */
  cutAt(at: number, cut: Cut): void {
    this.messages = 0;
    this.#cutAt = at;
    this.#cut = cut;
  }

  get hasCut(): boolean {
    return this.messages >= this.#cutAt;
  }

  #pass(client: Socket, server: Socket, open: Set<Socket>): void {
    let loses = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        open.delete(socket);
        end();
      });
    }
    client.on("data", (octets) => {
      if (++this.messages === this.#cutAt) {
        if (this.#cut === "before") return end();
        loses = true;
      }
      server.write(octets);
    });
    server.on("data", (octets) => {
      if (loses) end();
      else client.write(octets);
    });
  }
}
