import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import { Packet, type Resource, TCPServer, UDPServer } from "dns2";
import { foldName } from "./dns-message.ts";

/**
 * A small authoritative server on dns2's server parts, UDP and TCP on one loopback port: it shows what the commands do without
 * a network. Not for service.
 */
export interface EmbeddedServer {
  /** For `--server`: `127.0.0.1#40053`. */
  readonly address: string;
  /** Replaces all records of a name from the next query on; none removes the name. */
  publish(name: string, records: readonly EmbeddedRecord[]): void;
  /** Lets go of the port and of every connection. */
  close(): Promise<void>;
}

export type EmbeddedRecord =
  /** latin1; strings of more than 255 octets are split. */
  | { readonly type: "TXT"; readonly strings: readonly string[] }
  | { readonly type: "CNAME" | "NS"; readonly target: string }
  | { readonly type: "A" | "AAAA"; readonly address: string };

export interface EmbeddedServerOptions {
  /** The zones it has; SOA and NS of each are its own doing. It refuses every other name. */
  readonly zones: readonly string[];
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default: one that the system chooses. */
  readonly port?: number;
  /** Default 60. */
  readonly ttlSeconds?: number;
}

/** @throws {Error} the port is not free */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { zones, host = "127.0.0.1", port: wanted = 0, ttlSeconds = 60 } = options;
  const records = new Map<string, readonly EmbeddedRecord[]>();
  const zoneData: ZoneData = { zones: zones.map(foldName), records, ttlSeconds };
  const connections = new Set<Socket>();
  const tcp = new TCPServer((request, send) => void send(answer(request, zoneData)));
  tcp.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  const { udp, port } = await listen(tcp, host, wanted, zoneData);
  return {
    address: `${host}#${port}`,
    publish(name, published) {
      if (published.length === 0) records.delete(foldName(name));
      else records.set(foldName(name), published);
    },
    async close() {
      const closed = [once(tcp, "close"), once(udp, "close")];
      tcp.close();
      udp.close();
      for (const socket of connections) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** The TCP port comes first; another program may hold its UDP twin, so this may take a few goes. */
async function listen(
  tcp: TCPServer,
  host: string,
  wanted: number,
  zoneData: ZoneData,
): Promise<{ udp: UDPServer; port: number }> {
  for (;;) {
    tcp.listen(wanted, host);
    await once(tcp, "listening");
    const bound = tcp.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const udp = new UDPServer({ type: host.includes(":") ? "udp6" : "udp4" });
    udp.on("request", (request, send) => void send(answer(request, zoneData)));
    try {
      udp.bind(port, host);
      await once(udp, "listening");
      return { udp, port };
    } catch (error) {
      tcp.close();
      await once(tcp, "close");
      if (wanted !== 0) throw error;
    }
  }
}

interface ZoneData {
  readonly zones: readonly string[];
  readonly records: ReadonlyMap<string, readonly EmbeddedRecord[]>;
  readonly ttlSeconds: number;
}

function answer(request: Packet, data: ZoneData): Packet {
  const response = Packet.createResponseFromRequest(request);
  const [question] = request.questions;
  const name = foldName(question?.name ?? "");
  const zone = data.zones.filter((origin) => isWithin(name, origin)).sort((a, b) => b.length - a.length)[0];
  if (question === undefined || zone === undefined) {
    response.header.rcode = Packet.RCODE.REFUSED;
    return response;
  }
  response.header.aa = 1;
  const end = followCnames(name, question.type, data, response);
  const found = recordsAt(end, zone, data).filter((record) => record.type === question.type);
  response.answers.push(...found);
  if (found.length > 0 || !isWithin(end, zone)) return response;
  // RFC 2308 §2: a name with something below it exists.
  const exists = end === zone || [...data.records.keys()].some((known) => isWithin(known, end));
  if (!exists) response.header.rcode = Packet.RCODE.NXDOMAIN;
  response.authorities.push(...recordsAt(zone, zone, data).filter((record) => record.type === Packet.TYPE.SOA));
  return response;
}

/** @returns the name at which the CNAMEs end; the links are in the response */
function followCnames(name: string, type: number, data: ZoneData, response: Packet): string {
  const seen = new Set<string>();
  let end = name;
  while (type !== Packet.TYPE.CNAME && !seen.has(end)) {
    seen.add(end);
    const link = data.records.get(end)?.find((record) => record.type === "CNAME");
    if (link?.type !== "CNAME") break;
    response.answers.push(...recordsAt(end, "", data).filter((record) => record.type === Packet.TYPE.CNAME));
    end = foldName(link.target);
  }
  return end;
}

function recordsAt(name: string, zone: string, data: ZoneData): Resource[] {
  const { ttlSeconds } = data;
  const records = (data.records.get(name) ?? []).map((record) => resource(name, record, ttlSeconds));
  if (name !== zone) return records;
  const apex = { name, class: Packet.CLASS.IN, ttl: ttlSeconds };
  const serial = 1;
  const timers = { refresh: 3600, retry: 600, expiration: 86_400, minimum: ttlSeconds };
  const soa = { ...apex, type: Packet.TYPE.SOA, primary: `ns.${zone}`, admin: `hostmaster.${zone}`, serial, ...timers };
  return [
    ...records,
    new Packet.Resource(soa),
    new Packet.Resource({ ...apex, type: Packet.TYPE.NS, ns: `ns.${zone}` }),
  ];
}

function resource(name: string, record: EmbeddedRecord, ttlSeconds: number): Resource {
  const head = { name, type: Packet.TYPE[record.type], class: Packet.CLASS.IN, ttl: ttlSeconds };
  switch (record.type) {
    case "TXT": {
      // dns2 writes a string of more than 255 octets with a wrong length, and text as UTF-8.
      const data = record.strings
        .flatMap((text) => text.match(/.{1,255}/gs) ?? [""])
        .map((s) => Buffer.from(s, "latin1"));
      return Object.assign(new Packet.Resource(head), { data });
    }
    case "CNAME":
      return new Packet.Resource({ ...head, domain: record.target });
    case "NS":
      return new Packet.Resource({ ...head, ns: record.target });
    default:
      return new Packet.Resource({ ...head, address: record.address });
  }
}

function isWithin(name: string, origin: string): boolean {
  return name === origin || name.endsWith(`.${origin}`);
}
