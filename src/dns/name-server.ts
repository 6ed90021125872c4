import { steadyMs } from "../steady-clock.ts";
import type { QueryOptions, Question } from "./dns-message.ts";
import { encodeQuery } from "./dns2-codec.ts";
import { QueryWindow } from "./query-window.ts";
import type { LookupOptions, TransportName } from "./resolver.ts";
import type { ServerAddress } from "./server-address.ts";
import type { Exchange, Transport } from "./transports/exchange.ts";
import { HttpsTransport } from "./transports/https.ts";
import { tcpTransport } from "./transports/tcp.ts";
import { tlsTransport } from "./transports/tls.ts";
import { UdpTransport } from "./transports/udp.ts";

export interface NameServerOptions {
  /** PEM certificates to trust instead of Node's own list, for TLS and HTTPS. */
  readonly ca?: string | undefined;
  readonly queriesPerSecond?: number | undefined;
}

export type ServerExchange = Exchange & { readonly transport: TransportName };

/** One server and all that is open towards it: asks by UDP, by TCP when an answer did not fit, without EDNS when it must. */
export class NameServer {
  readonly address: ServerAddress;
  /** Queries without an answer since the last one with; the resolver asks such a server last. */
  failures = 0;
  readonly #ca: string | undefined;
  readonly #window: QueryWindow;
  readonly #transports = new Map<TransportName, Transport>();
  #closed = false;

  constructor(address: ServerAddress, { ca, queriesPerSecond }: NameServerOptions = {}) {
    this.address = address;
    this.#ca = ca;
    this.#window = new QueryWindow(queriesPerSecond);
  }

  /** @param timeoutMs for the whole of it, counted from when its turn has come */
  async ask(question: Question, options: LookupOptions, timeoutMs: number): Promise<ServerExchange> {
    const startedAt = await this.#window.enter();
    if (options.signal?.aborted) {
      this.#window.leave(startedAt, false);
      return { status: "aborted", transport: this.address.transport };
    }
    const deadline = startedAt + timeoutMs;
    let asked: QueryOptions = options;
    let result = await this.#exchange(this.address.transport, question, asked, timeoutMs);
    if (needsPlainDns(result)) {
      asked = { ...options, edns: false };
      result = await this.#exchange(result.transport, question, asked, left(deadline));
    }
    if (result.status === "answer" && result.message.truncated && result.transport === "udp") {
      result = await this.#exchange("tcp", question, asked, left(deadline));
    }
    if (result.status === "answer" && result.message.truncated) {
      result = { status: "truncated", transport: result.transport };
    }
    this.failures = result.status === "answer" ? 0 : this.failures + 1;
    this.#window.leave(startedAt, result.status === "timeout");
    return result;
  }

  close(): void {
    this.#closed = true;
    this.#window.close();
    for (const transport of this.#transports.values()) transport.close();
  }

  async #exchange(
    transport: TransportName,
    question: Question,
    options: QueryOptions,
    timeoutMs: number,
  ): Promise<ServerExchange> {
    if (this.#closed) return { status: "aborted", transport };
    const query = { question, octets: encodeQuery(question, options) };
    return { ...(await this.#transport(transport).exchange(query, timeoutMs)), transport };
  }

  #transport(name: TransportName): Transport {
    const transport = this.#transports.get(name) ?? this.#open(name);
    this.#transports.set(name, transport);
    return transport;
  }

  #open(name: TransportName): Transport {
    const { address } = this;
    if (address.transport === "https") return new HttpsTransport(address.url, this.#ca);
    if (address.transport === "tls") return tlsTransport({ ...address, ca: this.#ca });
    return name === "tcp" ? tcpTransport(address) : new UdpTransport(address);
  }
}

function left(deadline: number): number {
  return Math.max(1, deadline - steadyMs());
}

/** RFC 6891 §7: FORMERR or NOTIMP without OPT, or BADVERS, is how a server says that it cannot do EDNS. */
function needsPlainDns(result: Exchange): boolean {
  if (result.status !== "answer") return false;
  const { responseCode, hasEdns } = result.message;
  return responseCode === 16 || ((responseCode === 1 || responseCode === 4) && !hasEdns);
}
