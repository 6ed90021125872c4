import { randomInt } from "node:crypto";
import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { type Exchange, PendingQueries, type Query, socketFailure, type Transport } from "./exchange.ts";

/** Ports to draw from, so that a forger must guess the port besides the ID (RFC 5452 §9.2). */
const SOCKETS = 4;
/** After so many queries a socket gives way to one with a new port. */
const QUERIES_PER_SOCKET = 256;
/** A lost packet must not cost the whole timeout. */
const RESEND_AFTER_MS = 1000;

interface UdpSocket {
  readonly socket: Socket;
  readonly pending: PendingQueries;
  /** `undefined` once it is. */
  connecting: Promise<void> | undefined;
  queries: number;
}

/** An address needs no resolver, and Node's takes a millisecond to load; so does a tenth of one its queueMicrotask(). */
const itself: SocketOptions["lookup"] = (address, _, done) =>
  void Promise.resolve().then(() => done(null, address, address.includes(":") ? 6 : 4));

/**
 * DNS over UDP to one address. Sockets are connected: the kernel drops what comes from elsewhere, and tells at once when the
 * port is closed.
 */
export class UdpTransport implements Transport {
  readonly #host: string;
  readonly #port: number;
  readonly #sockets: UdpSocket[] = [];
  readonly #retired = new Set<UdpSocket>();
  #closed = false;

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.#host = host;
    this.#port = port;
  }

  async exchange(query: Query, timeoutMs: number): Promise<Exchange> {
    if (this.#closed) return { status: "aborted" };
    const udp = this.#pick();
    const { octets, exchange } = udp.pending.add(query, timeoutMs);
    if (udp.connecting !== undefined) await udp.connecting;
    const send = () => {
      // An error that only send reports arrives in its callback; what is open by then has failed by it.
      if (!this.#isGone(udp)) udp.socket.send(octets, (error) => error && this.#fail(udp, error));
    };
    send();
    const again = timeoutMs > RESEND_AFTER_MS ? setTimeout(send, RESEND_AFTER_MS) : undefined;
    const result = await exchange;
    clearTimeout(again);
    this.#settle(udp);
    return result;
  }

  close(): void {
    this.#closed = true;
    for (const udp of [...this.#sockets, ...this.#retired]) this.#discard(udp, { status: "aborted" });
  }

  #pick(): UdpSocket {
    const mayOpen = this.#sockets.length < SOCKETS && this.#sockets.every(({ pending }) => pending.size > 0);
    const udp = (mayOpen ? undefined : this.#sockets[randomInt(this.#sockets.length)]) ?? this.#open();
    udp.queries += 1;
    if (udp.queries >= QUERIES_PER_SOCKET) {
      this.#sockets.splice(this.#sockets.indexOf(udp), 1);
      this.#retired.add(udp);
    }
    return udp;
  }

  #open(): UdpSocket {
    const socket = createSocket({ type: this.#host.includes(":") ? "udp6" : "udp4", lookup: itself });
    const pending = new PendingQueries();
    const connecting = new Promise<void>((resolve) => {
      socket.once("connect", resolve);
      socket.once("close", resolve);
    });
    const udp: UdpSocket = { socket, pending, connecting, queries: 0 };
    connecting.then(() => {
      udp.connecting = undefined;
    });
    socket.on("message", (octets) => pending.receive(octets));
    socket.on("error", (error) => this.#fail(udp, error));
    socket.connect(this.#port, this.#host);
    // The timers of pending queries keep the process alive; an idle socket must not.
    socket.unref();
    this.#sockets.push(udp);
    return udp;
  }

  #isGone(udp: UdpSocket): boolean {
    return !this.#sockets.includes(udp) && !this.#retired.has(udp);
  }

  #fail(udp: UdpSocket, error: Error): void {
    this.#discard(udp, socketFailure(error));
  }

  #settle(udp: UdpSocket): void {
    if (this.#retired.has(udp) && udp.pending.size === 0) this.#discard(udp, { status: "aborted" });
  }

  #discard(udp: UdpSocket, exchange: Exchange): void {
    if (this.#isGone(udp)) return;
    const at = this.#sockets.indexOf(udp);
    if (at >= 0) this.#sockets.splice(at, 1);
    this.#retired.delete(udp);
    udp.socket.close();
    udp.pending.settleAll(exchange);
  }
}
