import type { Socket } from "node:net";
import { steadyMs } from "../../steady-clock.ts";
import { type Exchange, PendingQueries, type Query, socketFailure, type Transport } from "./exchange.ts";

/** A connection that carries nothing is closed before most servers would (RFC 7766 §6.2.3). */
const IDLE_MS = 8000;

/** Opens a connection; `readyEvent` tells when it may carry queries. */
export interface StreamConnector {
  readonly connect: () => Socket;
  readonly readyEvent: "connect" | "secureConnect";
}

/**
 * DNS over a byte stream: each message after its length in two octets (RFC 1035 §4.2.2), one connection for many queries at
 * once (RFC 7766 §6.2.1).
 */
export class StreamTransport implements Transport {
  readonly #connector: StreamConnector;
  readonly #live = new Set<StreamConnection>();
  #current: StreamConnection | undefined;
  #closed = false;

  constructor(connector: StreamConnector) {
    this.#connector = connector;
  }

  async exchange(query: Query, timeoutMs: number): Promise<Exchange> {
    const deadline = steadyMs() + timeoutMs;
    for (;;) {
      if (this.#closed) return { status: "aborted" };
      const connection = this.#open();
      const result = await connection.exchange(query, Math.max(1, deadline - steadyMs()));
      // A server may close a connection after some answers, just as a query is on its way (RFC 7766 §6.2.4): ask again.
      if (!(result.status === "unreachable" && connection.wasUseful)) return result;
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#live]) connection.destroy({ status: "aborted" });
  }

  #open(): StreamConnection {
    if (this.#current?.isOpen) return this.#current;
    const connection = new StreamConnection(this.#connector, () => this.#live.delete(connection));
    this.#live.add(connection);
    this.#current = connection;
    return connection;
  }
}

class StreamConnection {
  readonly #socket: Socket;
  readonly #pending = new PendingQueries();
  readonly #onGone: () => void;
  #unsent: Buffer[] | undefined = [];
  /** What has arrived of the frames not yet complete; joined once a frame is, so that octet by octet costs no more. */
  #chunks: Buffer[] = [];
  #received = 0;
  #wanted = 2;
  isOpen = true;
  /** Whether anything was ever answered here. */
  wasUseful = false;

  constructor({ connect, readyEvent }: StreamConnector, onGone: () => void) {
    this.#onGone = onGone;
    const socket = connect();
    this.#socket = socket;
    socket.setNoDelay(true);
    // The timers of pending queries keep the process alive; an idle connection must not.
    socket.unref();
    socket.setTimeout(IDLE_MS, () => {
      if (this.#pending.size === 0) this.destroy({ status: "aborted" });
    });
    socket.once(readyEvent, () => {
      const unsent = this.#unsent ?? [];
      this.#unsent = undefined;
      if (unsent.length > 0) socket.write(Buffer.concat(unsent));
    });
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#lose(socketFailure(error)));
    socket.on("end", () => this.#lose());
    socket.on("close", () => this.#lose());
  }

  exchange(query: Query, timeoutMs: number): Promise<Exchange> {
    const { octets, exchange } = this.#pending.add(query, timeoutMs);
    const frame = Buffer.allocUnsafe(2 + octets.length);
    frame.writeUInt16BE(octets.length, 0);
    octets.copy(frame, 2);
    if (this.#unsent === undefined) this.#socket.write(frame);
    else this.#unsent.push(frame);
    return exchange;
  }

  destroy(exchange: Exchange): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#socket.destroy();
    this.#pending.settleAll(exchange);
    this.#onGone();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    while (this.#received >= this.#wanted) {
      const joined = Buffer.concat(this.#chunks);
      this.#wanted = 2 + joined.readUInt16BE(0);
      this.#chunks = [joined];
      if (joined.length < this.#wanted) return;
      const rest = joined.subarray(this.#wanted);
      this.wasUseful = true;
      this.#pending.receive(joined.subarray(2, this.#wanted));
      this.#chunks = [rest];
      this.#received = rest.length;
      this.#wanted = 2;
    }
  }

  /** The other side closed, or broke, the connection. */
  #lose(failure: Exchange = { status: "unreachable", cause: "network", reason: "the connection was closed" }): void {
    if (!this.isOpen) return;
    this.destroy(this.#received > 0 ? { status: "truncated" } : failure);
  }
}
