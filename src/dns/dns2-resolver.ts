import { onAbort } from "./abort-watch.ts";
import { type AnswerReading, MAX_CNAMES, readAnswer } from "./answer.ts";
import { foldName, type Question, type RecordOf, type RecordType } from "./dns-message.ts";
import { NameServer, type ServerExchange } from "./name-server.ts";
import type {
  CnameLink,
  DnssecStatus,
  Lookup,
  LookupAttempt,
  LookupOptions,
  LookupOutcome,
  LookupStatus,
  LookupTrace,
  Resolver,
  ServerLabel,
} from "./resolver.ts";
import { formatServerAddress, isTrustedChannel, type ServerAddress, serverLabel } from "./server-address.ts";

export interface ResolverOptions {
  /** Asked in this order; the next one when one gives no usable answer. */
  readonly servers: readonly ServerAddress[];
  /** For one attempt at one server. Default 3000. */
  readonly timeoutMs?: number;
  /** How often the list of servers is gone through again. Default 1. */
  readonly retries?: number;
  /** Begin each lookup at the next server of the list. */
  readonly rotate?: boolean;
  /** PEM certificates to trust instead of Node's own list, for TLS and HTTPS. */
  readonly ca?: string | undefined;
  /** Believe the AD bit over any channel. */
  readonly trustAd?: boolean;
  /** To each server. Unlimited by default. */
  readonly queriesPerSecond?: number | undefined;
}

/** The resolver on dns2's codec and transports of our own. Opens nothing before the first lookup. */
export function createResolver(options: ResolverOptions): Resolver {
  return new Dns2Resolver(options);
}

/** Resolvers for single servers, one for each, with all that is open towards it. */
export interface ServerPool {
  connect(server: ServerAddress): Resolver;
  close(): Promise<void>;
}

/** What `surveyAuthoritativeServers` asks with. */
export function createServerPool(options: Omit<ResolverOptions, "servers" | "rotate">): ServerPool {
  const resolvers = new Map<string, Resolver>();
  return {
    connect(server) {
      const key = formatServerAddress(server);
      const resolver = resolvers.get(key) ?? createResolver({ ...options, servers: [server] });
      resolvers.set(key, resolver);
      return resolver;
    },
    async close() {
      await Promise.all([...resolvers.values()].map((resolver) => resolver.close()));
    },
  };
}

/** Pauses before the servers are asked again after answers that came at once; a timeout was pause enough. */
const BACK_OFF_MS = 100;

/** What one question came to, CNAMEs not yet followed. */
interface Asked<R> {
  readonly trace: Pick<LookupTrace, "server" | "authoritative" | "dnssec" | "extendedErrors">;
  /** What it means; `found` also where CNAMEs are yet to be followed. */
  readonly outcome: LookupStatus;
  /** Of the answer; where there is none, of its absence. */
  readonly reading: AnswerReading<R>;
}

class Dns2Resolver implements Resolver {
  readonly #servers: readonly NameServer[];
  readonly #timeoutMs: number;
  readonly #rounds: number;
  readonly #rotate: boolean;
  readonly #trustAd: boolean;
  #closed = false;
  /** What ends the pauses under way. An AbortController would take 0.3 ms of the first run to make and to abort. */
  readonly #pauses = new Set<() => void>();
  #turn = 0;

  constructor({ servers, timeoutMs = 3000, retries = 1, rotate = false, trustAd = false, ...rest }: ResolverOptions) {
    this.#servers = servers.map((address) => new NameServer(address, rest));
    this.#timeoutMs = timeoutMs;
    this.#rounds = 1 + retries;
    this.#rotate = rotate;
    this.#trustAd = trustAd;
  }

  lookupTxt(name: string, options?: LookupOptions): Promise<Lookup<RecordOf<"TXT">>> {
    return this.lookup(name, "TXT", options);
  }

  async lookup<T extends RecordType>(name: string, type: T, options: LookupOptions = {}): Promise<Lookup<RecordOf<T>>> {
    const attempts: LookupAttempt[] = [];
    const cnames: CnameLink[] = [];
    const seen = new Set([foldName(name)]);
    let target = name;
    let dnssec: DnssecStatus | undefined;
    for (;;) {
      const { trace, reading } = await this.#ask(target, type, options, attempts);
      dnssec = weaker(dnssec, trace.dnssec);
      const finish = (outcome: LookupOutcome<RecordOf<T>>, ttlSeconds?: number): Lookup<RecordOf<T>> => ({
        name,
        ...trace,
        dnssec: dnssec ?? trace.dnssec,
        cnames,
        attempts,
        ttlSeconds,
        ...outcome,
      });
      cnames.push(...reading.cnames);
      if (reading.kind === "end") {
        return finish(afterCnames(reading.outcome, cnames), shortest(reading.ttlSeconds, cnames));
      }
      if (options.recursionDesired === false) return finish({ status: "cname-elsewhere", target: reading.target });
      // Each link is checked: a chain may come in pieces from servers of several zones.
      const circular = reading.cnames.some(({ to }) => seen.size === seen.add(foldName(to)).size);
      if (circular || cnames.length > MAX_CNAMES) return finish({ status: "cname-loop" });
      target = reading.target;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#pauses) end();
    for (const server of this.#servers) server.close();
  }

  /** Asks server after server until one gives an answer that settles the matter. */
  async #ask<T extends RecordType>(
    name: string,
    type: T,
    options: LookupOptions,
    attempts: LookupAttempt[],
  ): Promise<Asked<RecordOf<T>>> {
    const isOver = () => this.#closed || options.signal?.aborted === true;
    const askable = new Set(this.#inOrder());
    let best: Asked<RecordOf<T>> | undefined;
    for (let round = 0; round < this.#rounds && askable.size > 0; round++) {
      if (round > 0 && best?.outcome !== "timeout") await this.#pause(BACK_OFF_MS * 2 ** round, options.signal);
      for (const server of askable) {
        if (isOver()) return aborted(best);
        const exchange = await orAborted(server.ask({ name, type }, options, this.#timeoutMs), options.signal, server);
        const label = serverLabel(server.address, exchange.transport);
        const asked = this.#judge(server, label, exchange, { name, type });
        const { outcome } = asked;
        attempts.push({ server: label, outcome, timeoutMs: this.#timeoutMs });
        if (isSettled(outcome)) return asked;
        // What the server said will not change within seconds; silence may.
        if (!isWorthRepeating(outcome)) askable.delete(server);
        if (best === undefined || weight(outcome) > weight(best.outcome)) best = asked;
      }
    }
    return best ?? aborted(undefined);
  }

  /** Spread, so that many lookups that failed together do not come back together. Ends early when all is over. */
  async #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    let stop = () => {};
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms * (0.5 + Math.random() / 2));
      this.#pauses.add(resolve);
      const forget = signal === undefined ? undefined : onAbort(signal, resolve);
      stop = () => {
        clearTimeout(timer);
        this.#pauses.delete(resolve);
        forget?.();
      };
    });
    stop();
  }

  #inOrder(): readonly NameServer[] {
    if (this.#servers.length === 1) return this.#servers;
    const start = this.#rotate ? this.#turn++ % Math.max(1, this.#servers.length) : 0;
    const servers = [...this.#servers.slice(start), ...this.#servers.slice(0, start)];
    // A server that did not answer the last query goes last, so that a dead one does not delay every lookup.
    return servers.sort((a, b) => Math.sign(a.failures) - Math.sign(b.failures));
  }

  #judge<T extends RecordType>(
    { address }: NameServer,
    server: ServerLabel,
    exchange: ServerExchange,
    question: Question & { readonly type: T },
  ): Asked<RecordOf<T>> {
    const message = exchange.status === "answer" ? exchange.message : undefined;
    const reading = exchange.status === "answer" ? readAnswer(exchange.message, question) : unanswered(exchange);
    const trusted = this.#trustAd || isTrustedChannel(address);
    return {
      trace: {
        server,
        authoritative: message?.authoritative ?? false,
        dnssec: trusted ? (message?.authenticData ? "secure" : "insecure") : "untrusted",
        extendedErrors: message?.extendedErrors ?? [],
      },
      outcome: reading.kind === "end" ? reading.outcome.status : "found",
      reading,
    };
  }
}

function unanswered({
  transport,
  ...outcome
}: Exclude<ServerExchange, { readonly status: "answer" }>): AnswerReading<never> {
  return { kind: "end", outcome, cnames: [] };
}

const SETTLED: readonly LookupStatus[] = ["found", "no-name", "no-data", "cname-to-nothing", "cname-loop", "aborted"];

function isSettled(outcome: LookupStatus): boolean {
  return SETTLED.includes(outcome);
}

function isWorthRepeating(outcome: LookupStatus): boolean {
  return ["timeout", "unreachable", "malformed", "truncated"].includes(outcome);
}

/** Of several failures the one that says most is told: what a server said before what nobody said. */
function weight(outcome: LookupStatus): number {
  return ["unreachable", "timeout", "truncated", "malformed", "lame", "error-code", "refused", "servfail"].indexOf(
    outcome,
  );
}

function aborted(best: Asked<unknown> | undefined): Asked<never> {
  const trace = best?.trace ?? { server: undefined, authoritative: false, dnssec: "untrusted", extendedErrors: [] };
  return { trace, outcome: "aborted", reading: { kind: "end", outcome: { status: "aborted" }, cnames: [] } };
}

function orAborted(
  asking: Promise<ServerExchange>,
  signal: AbortSignal | undefined,
  { address }: NameServer,
): Promise<ServerExchange> {
  if (signal === undefined) return asking;
  // Promise.race and finally would make five promises more for each question.
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => resolve({ status: "aborted", transport: address.transport }));
    asking.then(resolve, reject);
    asking.then(forget, forget);
  });
}

/** A "no" at the end of CNAMEs that several answers made up speaks of their target. */
function afterCnames<R>(outcome: LookupOutcome<R>, cnames: readonly CnameLink[]): LookupOutcome<R> {
  const target = cnames.at(-1)?.to;
  if (target === undefined || (outcome.status !== "no-name" && outcome.status !== "no-data")) return outcome;
  return { status: "cname-to-nothing", target, missing: outcome.status === "no-name" ? "name" : "data" };
}

function shortest(ttlSeconds: number | undefined, cnames: readonly CnameLink[]): number | undefined {
  return ttlSeconds === undefined ? undefined : Math.min(ttlSeconds, ...cnames.map((link) => link.ttlSeconds));
}

/** A chain is as secure as its weakest link. */
function weaker(a: DnssecStatus | undefined, b: DnssecStatus): DnssecStatus {
  if (a === undefined) return b;
  return a === "untrusted" || b === "untrusted" ? "untrusted" : a === "insecure" ? a : b;
}
