import type { RedisConnection, RedisReply, RedisScript } from "./redis-connection.ts";

/** Fields looked at in one step: the server does nothing else meanwhile, for a fraction of a millisecond. */
const FIELDS_A_STEP = 500;

/**
 * The names of a hash's fields, without their values, in the order of the server; one may come twice.
 * @param scan a script that answers with the next cursor and some names
 */
export async function* scanFields(
  connection: RedisConnection,
  scan: RedisScript,
  keys: readonly string[],
): AsyncGenerator<Buffer> {
  let cursor = "0";
  do {
    const [next, fields] = asList(await connection.run(scan, keys, [cursor, String(FIELDS_A_STEP)]));
    for (const field of asList(fields)) yield field as Buffer;
    cursor = asText(next);
  } while (cursor !== "0");
}

/** A reply that the script at hand gives as a list. */
export function asList(reply: RedisReply | undefined): readonly RedisReply[] {
  if (!Array.isArray(reply)) throw new TypeError("a script of ours has not answered with a list");
  return reply;
}

/** A reply that the script at hand gives as a text. */
export function asText(reply: RedisReply | undefined): string {
  if (!Buffer.isBuffer(reply)) throw new TypeError("a script of ours has not answered with a text");
  return reply.toString("utf8");
}
