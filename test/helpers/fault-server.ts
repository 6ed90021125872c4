import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/**
 * A name server that misbehaves as a test tells it to: octets in, octets out, no DNS library in between.
 * A script gets each query and says what to send; sending nothing is a silence.
 */
export interface FaultServer {
  readonly port: number;
  /** `127.0.0.1#40053` */
  readonly server: string;
  /** How many queries came, by transport. */
  readonly queries: { udp: number; tcp: number };
  close(): Promise<void>;
}

export interface FaultScript {
  /** `elsewhere` sends from another port than the one asked. */
  readonly udp?: (query: Buffer, send: (octets: Buffer) => void, elsewhere: (octets: Buffer) => void) => void;
  /** `query` without its length. `socket` takes whatever the script likes, the length included: see `framed`. */
  readonly tcp?: (query: Buffer, socket: Socket) => void;
}

export async function startFaultServer(script: FaultScript, host = "127.0.0.1"): Promise<FaultServer> {
  const queries = { udp: 0, tcp: 0 };
  const sockets = new Set<Socket>();
  const tcp = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        queries.tcp += 1;
        script.tcp?.(received.subarray(2, end), socket);
        received = received.subarray(end);
      }
    });
  });
  tcp.listen(0, host);
  await once(tcp, "listening");
  const bound = tcp.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const family = host.includes(":") ? "udp6" : "udp4";
  const [udp, other] = [createSocket(family), createSocket(family)];
  udp.on("message", (query, { address, port: from }) => {
    queries.udp += 1;
    script.udp?.(
      query,
      (octets) => udp.send(octets, from, address),
      (octets) => other.send(octets, from, address),
    );
  });
  udp.bind(port, host);
  other.bind(0, host);
  await Promise.all([once(udp, "listening"), once(other, "listening")]);
  return {
    port,
    server: `${host}#${port}`,
    queries,
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = [once(tcp, "close"), once(udp, "close"), once(other, "close")];
      tcp.close();
      udp.close();
      other.close();
      await Promise.all(closed);
    },
  };
}

export interface Reply {
  readonly id?: number;
  /** QR RD RA by default; see `flag`. */
  readonly flags?: number;
  readonly responseCode?: number;
  /** Encoded; default: that of the query. */
  readonly question?: Buffer;
  readonly answers?: readonly Buffer[];
  readonly authorities?: readonly Buffer[];
  readonly additionals?: readonly Buffer[];
}

export const flag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionAvailable: 0x0080,
  authentic: 0x0020,
};

/** An answer to `query`, which is as encodeQuery made it: one question. */
export function reply(query: Buffer, parts: Reply = {}): Buffer {
  const { answers = [], authorities = [], additionals = [], responseCode = 0 } = parts;
  const header = Buffer.alloc(12);
  header.writeUInt16BE(parts.id ?? query.readUInt16BE(0), 0);
  header.writeUInt16BE((parts.flags ?? 0x8180) | responseCode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt16BE(authorities.length, 8);
  header.writeUInt16BE(additionals.length, 10);
  return Buffer.concat([header, parts.question ?? questionOf(query), ...answers, ...authorities, ...additionals]);
}

/** The question section of a query. */
export function questionOf(query: Buffer): Buffer {
  return query.subarray(12, query.indexOf(0, 12) + 5);
}

export const typeCode = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, OPT: 41 };

export interface RecordOptions {
  readonly owner?: Buffer;
  readonly ttlSeconds?: number;
  readonly classCode?: number;
}

/** The owner defaults to a pointer to the question's name. */
export function record(type: number, data: Buffer, options: RecordOptions = {}): Buffer {
  const { owner = Buffer.from([0xc0, 12]), ttlSeconds = 60, classCode = 1 } = options;
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(classCode, 2);
  head.writeUInt32BE(ttlSeconds, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, head, data]);
}

/** @param strings latin1, at most 255 octets each */
export function txt(...strings: string[]): Buffer {
  return record(
    typeCode.TXT,
    Buffer.concat(strings.map((s) => Buffer.concat([Buffer.from([s.length]), Buffer.from(s, "latin1")]))),
  );
}

export function nameOctets(name: string): Buffer {
  const labels = name.split(".").filter(Boolean);
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1")),
    Buffer.from([0]),
  ]);
}

/** An OPT record with an extended error (RFC 8914). */
export function extendedError(code: number, text = ""): Buffer {
  const octets = Buffer.from(text, "utf8");
  const option = Buffer.alloc(6);
  option.writeUInt16BE(15, 0);
  option.writeUInt16BE(2 + octets.length, 2);
  option.writeUInt16BE(code, 4);
  return record(typeCode.OPT, Buffer.concat([option, octets]), {
    owner: Buffer.from([0]),
    ttlSeconds: 0,
    classCode: 1232,
  });
}

/** For TCP: the message after its length. */
export function framed(octets: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(octets.length, 0);
  return Buffer.concat([length, octets]);
}
