import { randomInt } from "node:crypto";
import type { DnsMessage, Question } from "../dns-message.ts";
import { answerMismatch, decodeMessage, MalformedMessageError } from "../dns2-codec.ts";
import type { LookupOutcome } from "../resolver.ts";

/** One query and what came of it, whatever carries it. */
export interface Query {
  readonly question: Question;
  /** Encoded, with the ID 0. */
  readonly octets: Uint8Array;
}

/** What came of one query. A `truncated` here is a stream that ended within an answer, not a TC bit. */
export type Exchange =
  | { readonly status: "answer"; readonly message: DnsMessage }
  | Extract<LookupOutcome<never>, { readonly status: "unreachable" | "malformed" }>
  | { readonly status: "timeout" | "truncated" | "aborted" };

/** Carries queries to one server. */
export interface Transport {
  /** Ends by itself within `timeoutMs`, connecting included. Never rejects. */
  exchange(query: Query, timeoutMs: number): Promise<Exchange>;
  /** Ends what is under way as `aborted` and lets go of every handle. */
  close(): void;
}

interface PendingQuery {
  readonly question: Question;
  readonly timer: NodeJS.Timeout;
  readonly settle: (exchange: Exchange) => void;
  /** Why the last answer with this ID was passed over. */
  mismatch: string | undefined;
}

/** The queries that wait on one socket, by ID. */
export class PendingQueries {
  readonly #byId = new Map<number, PendingQuery>();

  get size(): number {
    return this.#byId.size;
  }

  /** @returns the octets to send, under an ID nobody can guess (RFC 5452 §9.2) and no other query here uses */
  add(
    query: Query,
    timeoutMs: number,
  ): { readonly octets: Buffer; readonly id: number; readonly exchange: Promise<Exchange> } {
    let id = randomInt(0x10000);
    while (this.#byId.has(id)) id = randomInt(0x10000);
    const octets = Buffer.from(query.octets);
    octets.writeUInt16BE(id, 0);
    const exchange = new Promise<Exchange>((resolve) => {
      const settle = (result: Exchange) => {
        clearTimeout(timer);
        this.#byId.delete(id);
        resolve(result);
      };
      const timer = setTimeout(() => {
        const { mismatch } = this.#byId.get(id) ?? {};
        settle(mismatch === undefined ? { status: "timeout" } : { status: "malformed", reason: mismatch });
      }, timeoutMs);
      this.#byId.set(id, { question: query.question, timer, settle, mismatch: undefined });
    });
    return { octets, id, exchange };
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  /** An answer to no query that waits here is passed over; so is one to another question, for it may be forged. */
  receive(octets: Uint8Array): void {
    if (octets.length < 2) return;
    const pending = this.#byId.get(((octets[0] ?? 0) << 8) | (octets[1] ?? 0));
    if (pending === undefined) return;
    try {
      const message = decodeMessage(octets);
      pending.mismatch = answerMismatch(message, pending.question);
      if (pending.mismatch === undefined) pending.settle({ status: "answer", message });
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      pending.settle({ status: "malformed", reason: error.message });
    }
  }

  settleAll(exchange: Exchange): void {
    for (const pending of [...this.#byId.values()]) pending.settle(exchange);
  }
}

const UNREACHABLE: Record<string, string> = {
  ENETUNREACH: "no route to that network",
  EHOSTUNREACH: "no route to that host",
  ENETDOWN: "the network is down",
  EADDRNOTAVAIL: "this host has no address to ask from",
  EACCES: "this host's firewall forbids it",
  EPERM: "this host's firewall forbids it",
  EAFNOSUPPORT: "this host does not speak that protocol",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ETIMEDOUT: "the connection timed out",
  ENOTFOUND: "the server's own name does not resolve",
  EAI_AGAIN: "the server's own name does not resolve at the moment",
};

/** A socket's error as an outcome. */
export function socketFailure(error: Error): Exchange {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return { status: "unreachable", cause: "port-closed", reason: "the port is closed" };
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_|UNABLE_|HOSTNAME_|EPROTO|INVALID_|CRL_)/.test(code)) {
    return { status: "unreachable", cause: "tls", reason: `TLS failed: ${tlsReason(error, code)}` };
  }
  return {
    status: "unreachable",
    cause: "network",
    reason: UNREACHABLE[code] ?? `network error ${code || "of unknown kind"}`,
  };
}

function tlsReason(error: Error, code: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "the certificate is for another name";
  if (code === "CERT_HAS_EXPIRED") return "the certificate has expired";
  if (/SELF_SIGNED|UNABLE_TO/.test(code)) return "the certificate is not signed by a known authority";
  return code === "" ? error.name : code.toLowerCase().replaceAll("_", " ");
}
