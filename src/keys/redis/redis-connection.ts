import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createClient, createCluster, createSentinel, ErrorReply, RESP_TYPES } from "@redis/client";
import type { RedisAddress } from "./redis-address.ts";
import { explainReply, isPassing, unreachable } from "./redis-errors.ts";

/** What Redis answers; texts as octets, since a hash may hold whatever others have put there. */
export type RedisReply = Buffer | number | null | readonly RedisReply[];

/**
 * Lua that the server runs as one step. `ARGV[1]` is "1" when an earlier run of the same call may have taken effect
 * without its answer arriving: then the script looks at what is there before it refuses.
 */
export interface RedisScript {
  readonly lua: string;
  /** Of one who goes, for those who stay: asked also when the run is being ended, if there is a line to ask over. */
  readonly atEnd?: true;
}

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  readonly password?: string | undefined;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long a server that does not answer is waited for; default 10 seconds, as a restart takes. */
  readonly patienceMs?: number | undefined;
}

const DEFAULT_PATIENCE_MS = 10_000;
/** A server that was never reached is rather a wrong address, and a person waits to be told. */
const FIRST_PATIENCE_MS = 3000;
/** Of one answer: far more than any script takes. */
const ANSWER_MS = 5000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;

/** One way to a server, whatever the topology. */
interface Line {
  /** @param key decides which node of a cluster is asked */
  send(key: string | undefined, args: readonly string[]): Promise<RedisReply>;
  destroy(): void;
}

/**
 * A connection that is opened with the first question, and again whenever it is lost. Each question is asked until it is
 * answered or patience ends, with growing pauses: every script bears to be run twice.
 */
export class RedisConnection {
  readonly address: RedisAddress;
  readonly #options: RedisConnectionOptions;
  readonly #hashes = new Map<string, string>();
  #line: Promise<Line> | undefined;
  #wasReached = false;

  constructor(options: RedisConnectionOptions) {
    this.address = options.address;
    this.#options = options;
  }

  /** @throws {KeyStoreError | StoreUnavailableError} */
  run({ lua, atEnd }: RedisScript, keys: readonly string[], args: readonly string[] = []): Promise<RedisReply> {
    const hash = this.#hashes.get(lua) ?? createHash("sha1").update(lua).digest("hex");
    this.#hashes.set(lua, hash);
    const rest = (again: boolean) => [String(keys.length), ...keys, again ? "1" : "0", ...args];
    return this.#ask(async (line, again) => {
      try {
        return await line.send(keys[0], ["EVALSHA", hash, ...rest(again)]);
      } catch (error) {
        if (!(error instanceof ErrorReply) || !error.message.startsWith("NOSCRIPT")) throw error;
        return line.send(keys[0], ["EVAL", lua, ...rest(again)]);
      }
    }, atEnd);
  }

  /**
   * A command that only asks about the server.
   * @returns `undefined`: the server does not let us ask
   */
  async inquire(...command: string[]): Promise<RedisReply | undefined> {
    try {
      return await this.#ask((line) => line.send(undefined, command));
    } catch (error) {
      if (error instanceof Error && error.cause instanceof Error && /NOPERM|unknown command/.test(error.cause.message))
        return undefined;
      throw error;
    }
  }

  /** Does not wait for a line that is being opened: who is interrupted wants to go. */
  async close(): Promise<void> {
    if (this.#line !== undefined) this.#drop(this.#line);
  }

  async #ask(question: (line: Line, again: boolean) => Promise<RedisReply>, atEnd = false): Promise<RedisReply> {
    const { patienceMs = DEFAULT_PATIENCE_MS, signal } = this.#options;
    const begun = performance.now();
    for (let pause = FIRST_PAUSE_MS, again = false; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      if (!atEnd || this.#line === undefined) signal?.throwIfAborted();
      this.#line ??= this.#open();
      const opening = this.#line;
      let failure: unknown;
      let hasOpened = false;
      try {
        const line = await opening;
        hasOpened = true;
        this.#wasReached = true;
        try {
          return await answerInTime(question(line, again));
        } catch (error) {
          again = true;
          throw error;
        }
      } catch (error) {
        const isReply = error instanceof ErrorReply;
        if (isReply && !isPassing(error, this.address)) {
          // A line that never opened is not kept: the next question may be let in.
          if (!hasOpened) this.#drop(opening);
          throw explainReply(error, this.address);
        }
        failure = isReply ? explainReply(error, this.address) : unreachable(this.address, error);
        this.#drop(opening);
      }
      const patience = this.#wasReached ? patienceMs : Math.min(patienceMs, FIRST_PATIENCE_MS);
      if (performance.now() + pause > begun + patience) throw failure;
      // Many workers lose a server at the same moment; they need not come back at the same.
      await delay(pause * (0.5 + Math.random()), undefined, { signal });
    }
  }

  #drop(line: Promise<Line>): void {
    if (this.#line === line) this.#line = undefined;
    line.then(
      (opened) => opened.destroy(),
      () => {},
    );
  }

  async #open(): Promise<Line> {
    const { address, password, ca } = this.#options;
    const { socketPath, servers, database, username } = address;
    const common = { connectTimeout: ANSWER_MS, reconnectStrategy: false as const };
    const tls = address.tls ? { tls: true as const, ...(ca !== undefined && { ca }) } : {};
    const credentials = {
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      disableClientInfo: true,
    };
    const typeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
    const socket = { ...common, ...tls };
    switch (address.topology) {
      case "server": {
        const [server] = servers;
        const client = createClient({
          RESP: 2,
          ...credentials,
          database,
          disableOfflineQueue: true,
          socket: socketPath === undefined ? { ...socket, ...server } : { ...common, path: socketPath, tls: false },
        });
        return opened(client, (_, args) => client.sendCommand(args, { typeMapping }));
      }
      case "sentinel": {
        const client = createSentinel({
          RESP: 2,
          name: address.masterName ?? "",
          sentinelRootNodes: [...servers],
          nodeClientOptions: { ...credentials, database, socket },
          sentinelClientOptions: { disableClientInfo: true, socket },
          maxCommandRediscovers: 1,
        });
        return opened(client, (_, args) => client.sendCommand(false, [...args], { typeMapping }));
      }
      case "cluster": {
        const client = createCluster({
          RESP: 2,
          rootNodes: servers.map((server) => ({ socket: { ...socket, ...server } })),
          defaults: { ...credentials, socket },
        });
        return opened(client, (key, args) => client.sendCommand(key, false, [...args], { typeMapping }));
      }
    }
  }
}

interface Client {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void | Promise<void>;
}

async function opened(client: Client, send: Line["send"]): Promise<Line> {
  // Each failure is told by the promise of what was asked.
  client.on("error", () => {});
  const destroy = () => {
    try {
      Promise.resolve(client.destroy()).catch(() => {});
    } catch {
      // One that is closed already cannot be closed.
    }
  };
  try {
    await answerInTime(client.connect());
    // Who is not let in is told so here: to a long question the answer would be a complaint about its length.
    await answerInTime(send(undefined, ["PING"]));
  } catch (error) {
    destroy();
    throw error;
  }
  return { send, destroy };
}

async function answerInTime<Answer>(asked: Promise<Answer>): Promise<Answer> {
  const timer = new AbortController();
  asked.catch(() => {});
  try {
    return await Promise.race([
      asked,
      delay(ANSWER_MS, undefined, { signal: timer.signal }).then(() => {
        throw new Error(`it has not answered in ${ANSWER_MS / 1000} seconds`);
      }),
    ]);
  } finally {
    timer.abort();
  }
}
