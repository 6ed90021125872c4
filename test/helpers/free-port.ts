import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** A port that is free for UDP and TCP on each of the loopback addresses. */
export async function freePort(addresses: readonly string[] = ["127.0.0.1"]): Promise<number> {
  for (;;) {
    const port = await tcpPort(addresses[0] ?? "127.0.0.1", 0);
    if (port === undefined) continue;
    const free = await Promise.all(
      addresses.map(async (address) => (await tcpPort(address, port)) === port && (await isUdpFree(address, port))),
    );
    if (free.every(Boolean)) return port;
  }
}

async function tcpPort(address: string, port: number): Promise<number | undefined> {
  const server = createServer().listen(port, address);
  try {
    await once(server, "listening");
  } catch {
    return undefined;
  }
  const bound = server.address();
  server.close();
  await once(server, "close");
  return typeof bound === "object" && bound !== null ? bound.port : undefined;
}

async function isUdpFree(address: string, port: number): Promise<boolean> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.bind(port, address);
  try {
    await once(socket, "listening");
  } catch {
    return false;
  }
  socket.close();
  await once(socket, "close");
  return true;
}
