import { KeyStoreError, StoreUnavailableError, systemErrorCode, systemErrorReason } from "../key-store-errors.ts";
import type { RedisAddress } from "./redis-address.ts";

/** The server cannot serve at this moment; asked again it may. */
const PASSING = ["LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "NOREPLICAS", "UNBLOCKED"];

/** Whether an error reply is one that goes by: of a server that starts, or after a master has changed. */
export function isPassing(reply: Error, { topology }: RedisAddress): boolean {
  const code = errorCode(reply);
  return PASSING.includes(code) || (code === "READONLY" && topology !== "server");
}

/** What an error reply means to the person who runs dkimctl. The server's own words may repeat arguments, such as keys. */
export function explainReply(reply: Error, address: RedisAddress): KeyStoreError | StoreUnavailableError {
  const { text, layout, username } = address;
  const who = username === undefined ? "the default user" : `the user ${username}`;
  const failure = (message: string, hint?: string) =>
    new KeyStoreError(`the key store ${text} ${message}`, { hint, cause: new Error(errorWords(reply)) });
  switch (errorCode(reply)) {
    case "NOAUTH":
      return failure(
        "asks for a password",
        "put it into the environment as REDISCLI_AUTH, or into a file: ?password-file=/etc/dkimctl.redis",
      );
    case "WRONGPASS":
      return failure(`does not accept the password of ${who}`, "see to REDISCLI_AUTH or the password-file");
    case "NOPERM":
      return failure(
        `does not allow ${who} what is needed: ${errorWords(reply)}`,
        `allow it: redis-cli ACL SETUSER ${username ?? "default"} ${aclRules(layout.keys, layout.selectors, layout.prefix)}`,
      );
    case "OOM":
      return failure(
        "is full: it has no memory left for a change",
        "raise maxmemory in redis.conf, or remove what is not needed",
      );
    case "READONLY":
      return failure(
        "is a replica, and takes no changes",
        "name the master; or the sentinels that know it: redis+sentinel://HOST,HOST/NAME",
      );
    case "MISCONF":
      return failure("takes no changes, since it cannot write to its disk", "see its log, and the space on its disk");
    case "MOVED":
    case "ASK":
    case "CROSSSLOT":
      return failure("is a node of a cluster", `name it as one: ${text.replace(/^(rediss?):/, "$1+cluster:")}`);
    case "WRONGTYPE":
      return failure(
        `uses one of our names for something else: ${errorWords(reply)}`,
        `see: redis-cli TYPE ${layout.keys}; or choose other names: ?keys=HASH&prefix=PREFIX`,
      );
    default:
      return isPassing(reply, address)
        ? new StoreUnavailableError(`the key store ${text} is not ready: ${errorWords(reply)}`, {
            hint: "try again in a minute",
          })
        : failure(`answers: ${errorWords(reply)}`);
  }
}

/** What an ACL user needs (Redis 6 and later). */
function aclRules(keys: string, selectors: string | undefined, prefix: string): string {
  const names = [keys, ...(selectors === undefined ? [] : [selectors]), `${prefix}*`];
  return `${names.map((name) => `'~${name}'`).join(" ")} +@hash +@sortedset +@string +ping +del +pexpire +time +eval +evalsha`;
}

/** That the server cannot be reached, or has not answered. @param cause of the last attempt */
export function unreachable({ text }: RedisAddress, cause: unknown): StoreUnavailableError {
  // One for each address of a name.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  const reason =
    systemErrorCode(first) === undefined
      ? first instanceof Error
        ? first.message
        : String(first)
      : systemErrorReason(first);
  return new StoreUnavailableError(
    `the key store ${text} cannot be reached: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`,
    { hint: "see that the server runs, and that this host may talk to it; then try again", cause },
  );
}

function errorCode({ message }: Error): string {
  return /^[A-Z]+/.exec(message)?.[0] ?? "";
}

/** Without the arguments that some replies repeat, and without where in a script it happened. */
function errorWords({ message }: Error): string {
  return message
    .replace(/,? (with args|script: |on @user_script).*$/s, "")
    .replace(/^ERR /, "")
    .slice(0, 200);
}
