import { Buffer } from "node:buffer";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { Agent, request } from "node:https";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { type Exchange, PendingQueries, type Query, socketFailure, type Transport } from "./exchange.ts";

/** RFC 8484 §6: a DNS message, and so an answer, has at most 65535 octets. */
const MAX_ANSWER_OCTETS = 65_535;

/**
 * DNS over HTTPS by POST (RFC 8484), always with a verified certificate: HTTP/2 where the server speaks it (named and unbound
 * speak nothing else), HTTP/1.1 otherwise.
 */
export class HttpsTransport implements Transport {
  readonly #url: URL;
  readonly #ca: { ca?: string };
  readonly #agent: Agent;
  readonly #pending = new Set<PendingQueries>();
  #session: Promise<ClientHttp2Session | "http/1.1"> | undefined;
  readonly #sockets = new Set<TLSSocket>();
  #closed = false;

  constructor(url: string, ca: string | undefined) {
    this.#url = new URL(url);
    this.#ca = ca === undefined ? {} : { ca };
    this.#agent = new Agent({ ...this.#ca, keepAlive: true, maxSockets: 16, minVersion: "TLSv1.2" });
  }

  async exchange(query: Query, timeoutMs: number): Promise<Exchange> {
    if (this.#closed) return { status: "aborted" };
    const pending = new PendingQueries();
    this.#pending.add(pending);
    const { octets, id, exchange } = pending.add(query, timeoutMs);
    // RFC 8484 §4.1: the ID 0 lets HTTP caches work; TLS guards the answer.
    octets.writeUInt16BE(0, 0);
    const cancel = new AbortController();
    this.#post(octets, cancel.signal).then(
      ({ fault, body }) => {
        if (fault !== undefined) return pending.settleAll(fault);
        // An answer with the ID 0 becomes one with the ID that waits here; any other ID matches nothing.
        if (body.length >= 2) body.writeUInt16BE(id ^ body.readUInt16BE(0), 0);
        pending.receive(body);
        // Nothing more will come: what did not match must not wait for its timeout.
        pending.settleAll({ status: "malformed", reason: "it answers another question" });
      },
      (error: unknown) =>
        pending.settleAll(socketFailure(error instanceof Error ? error : new Error("no reason given"))),
    );
    const result = await exchange;
    cancel.abort();
    this.#pending.delete(pending);
    return result;
  }

  close(): void {
    this.#closed = true;
    for (const pending of this.#pending) pending.settleAll({ status: "aborted" });
    this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #post(octets: Buffer, signal: AbortSignal): Promise<HttpAnswer> {
    const session = await this.#negotiate();
    if (signal.aborted) return { body: Buffer.alloc(0) };
    return session === "http/1.1" ? this.#postHttp1(octets, signal) : this.#postHttp2(session, octets, signal);
  }

  /** The first connection settles which HTTP the server speaks; an HTTP/2 session that has ended is opened anew. */
  #negotiate(): Promise<ClientHttp2Session | "http/1.1"> {
    this.#session ??= this.#connect().catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  async #connect(): Promise<ClientHttp2Session | "http/1.1"> {
    const host = this.#url.hostname.replace(/^\[|\]$/g, "");
    const socket = connect({
      host,
      port: Number(this.#url.port || 443),
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      ...this.#ca,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    socket.unref();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(CLOSED));
    });
    if (socket.alpnProtocol !== "h2") {
      socket.destroy();
      return "http/1.1";
    }
    const session = connectHttp2(this.#url.origin, { createConnection: () => socket });
    const forget = () => {
      this.#session = undefined;
    };
    session.once("close", forget);
    session.once("goaway", forget);
    // Each stream hears of it too, and tells its query.
    session.on("error", forget);
    session.unref();
    return session;
  }

  #postHttp2(session: ClientHttp2Session, octets: Buffer, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const stream = session.request(
        { ...this.#headers(octets), ":method": "POST", ":path": `${this.#url.pathname}${this.#url.search}` },
        { signal },
      );
      stream.once("error", reject);
      stream.once("close", () => reject(CLOSED));
      stream.once("response", (headers) => {
        collect(stream, headFault(headers[":status"] ?? 0, headers["content-type"]), resolve);
      });
      stream.end(octets);
    });
  }

  #postHttp1(octets: Buffer, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const post = request(this.#url, { method: "POST", agent: this.#agent, signal, headers: this.#headers(octets) });
      post.once("error", reject);
      post.once("close", () => reject(CLOSED));
      post.once("response", (response) => {
        response.once("error", reject);
        collect(response, headFault(response.statusCode ?? 0, response.headers["content-type"]), resolve);
      });
      post.end(octets);
    });
  }

  #headers(octets: Buffer): Record<string, string> {
    return {
      accept: "application/dns-message",
      "content-type": "application/dns-message",
      "content-length": String(octets.length),
    };
  }
}

type HttpAnswer =
  | { readonly fault: Exchange; readonly body?: never }
  | { readonly fault?: never; readonly body: Buffer };

function headFault(status: number, contentType: string | undefined): Exchange | undefined {
  if (status < 200 || status > 299) {
    return { status: "unreachable", cause: "http", reason: `HTTP status ${status}` };
  }
  if (contentType?.split(";")[0]?.trim().toLowerCase() !== "application/dns-message") {
    return { status: "malformed", reason: "the HTTP answer is not application/dns-message" };
  }
  return undefined;
}

const CLOSED = Object.assign(new Error("closed without an answer"), { code: "ECONNRESET" });

/** By events, for the last of the body must count before the "close" that follows it at once. */
function collect(stream: Readable, fault: Exchange | undefined, done: (answer: HttpAnswer) => void): void {
  if (fault !== undefined) {
    stream.resume();
    done({ fault });
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MAX_ANSWER_OCTETS) chunks.push(chunk);
    else done({ fault: { status: "malformed", reason: "the HTTP answer is longer than a DNS message" } });
  });
  stream.once("end", () => done({ body: Buffer.concat(chunks) }));
}
