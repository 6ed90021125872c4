import type { RedisAddress } from "./redis-address.ts";
import type { RedisConnection, RedisReply } from "./redis-connection.ts";

/**
 * What a person should know before trusting keys to this server. A server that does not let us ask is not judged.
 * @see https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
 */
export async function serverWarnings(connection: RedisConnection): Promise<string[]> {
  const { text } = connection.address;
  const settings = await configuration(connection, ["appendonly", "save", "protected-mode", "bind", "port"]);
  const users = await connection.inquire("ACL", "GETUSER", "default");
  return [...persistenceWarnings(text, settings), ...exposureWarnings(text, settings, flagsOf(users))];
}

/** That keys and password travel to another host for all on the way to read. */
export function clearTextWarnings({ text, tls, servers }: Pick<RedisAddress, "text" | "tls" | "servers">): string[] {
  if (tls || servers.every(({ host }) => isOfThisHost(host))) return [];
  return [`${text} is another host without TLS: whoever is on the way reads the keys; use rediss://, or a tunnel`];
}

function persistenceWarnings(text: string, settings: ReadonlyMap<string, string>): string[] {
  if (settings.get("appendonly") !== "no") return [];
  return settings.get("save") === ""
    ? [
        `${text} keeps nothing on its disk: with a restart all keys are lost; run: redis-cli CONFIG SET appendonly yes, and CONFIG REWRITE`,
      ]
    : [
        `${text} saves to its disk now and then only: with a crash the latest keys are lost; run: redis-cli CONFIG SET appendonly yes, and CONFIG REWRITE`,
      ];
}

function exposureWarnings(text: string, settings: ReadonlyMap<string, string>, flags: readonly string[]): string[] {
  const isOpen = flags.includes("on") && flags.includes("nopass");
  const isProtected = settings.get("protected-mode") !== "no";
  if (!isOpen || isProtected || settings.get("port") === "0" || !isReachable(settings.get("bind"))) return [];
  return [
    `${text} lets every host that reaches it read the keys, without a password; run: redis-cli CONFIG SET requirepass PASSWORD, or bind it to 127.0.0.1`,
  ];
}

/** Whether an address to listen on is more than this host's own. */
function isReachable(bind: string | undefined): boolean {
  if (bind === undefined) return false;
  const addresses = bind.split(/\s+/).map((address) => address.replace(/^-/, ""));
  return !addresses.every(isOfThisHost);
}

function isOfThisHost(host: string): boolean {
  return /^(127\.|::1$|localhost$)/.test(host);
}

async function configuration(
  connection: RedisConnection,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of names) {
    const reply = await connection.inquire("CONFIG", "GET", name);
    if (!Array.isArray(reply)) break;
    const [, value] = reply.map(String);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

/** Of `ACL GETUSER`: a list of names and values in turn. */
function flagsOf(reply: RedisReply | undefined): readonly string[] {
  if (!Array.isArray(reply)) return [];
  const at = reply.findIndex((item) => String(item) === "flags");
  const flags: unknown = at === -1 ? [] : reply[at + 1];
  return Array.isArray(flags) ? flags.map(String) : [];
}
