import { type DomainName, NameSyntaxError } from "../domain-name.ts";
import { compareKeyNames, type KeyName, parseKeyName } from "../key-name.ts";
import type { KeyStoreEntry } from "../key-store.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { asList, asText, scanFields } from "./redis-fields.ts";
import { keyField, type RedisNames } from "./redis-names.ts";
import { LIST_OWN, SCAN_FOREIGN } from "./redis-scripts.ts";

const NAMES_A_PAGE = 1000;

/** What others have put into the hash: keys, in order, and fields that name none. */
export interface ForeignFields {
  readonly keys: readonly KeyName[];
  readonly problems: readonly (KeyStoreEntry & { readonly kind: "problem" })[];
}

/**
 * The names of the keys that we have stored, in order, page by page: however many there are, few are in memory.
 * @param gone told of names whose key somebody else has removed
 */
export async function* listOwn(
  connection: RedisConnection,
  names: RedisNames,
  domain: DomainName | undefined,
  gone: (name: KeyName) => void = () => {},
): AsyncGenerator<KeyName> {
  let from = domain === undefined ? "-" : `[${domain} `;
  // The character after the space.
  const to = domain === undefined ? "+" : `(${domain}!`;
  for (;;) {
    const page = asList(await connection.run(LIST_OWN, [names.keys, names.order], [from, to, String(NAMES_A_PAGE)]));
    const [last, there, absent] = page;
    for (const member of asList(absent)) gone(nameOf(asText(member)));
    for (const member of asList(there)) yield nameOf(asText(member));
    if (asText(last) === "") return;
    from = `(${asText(last)}`;
  }
}

/** Members are written by us alone, from names that were parsed. */
function nameOf(member: string): KeyName {
  const [domain = "", selector = ""] = member.split(" ");
  return { domain, selector } as KeyName;
}

/** Which fields others have put there; all are looked at, and only these are sent. */
export async function findForeign(
  connection: RedisConnection,
  names: RedisNames,
  locationOf: (field: string) => string,
): Promise<ForeignFields> {
  const fields = new Set<string>();
  // latin1 keeps octets that are no text apart.
  for await (const field of scanFields(connection, SCAN_FOREIGN, [names.keys, names.about]))
    fields.add(field.toString("latin1"));
  const keys: KeyName[] = [];
  const problems: (KeyStoreEntry & { kind: "problem" })[] = [];
  for (const field of [...fields].sort()) {
    try {
      keys.push(parseKeyField(field));
    } catch (error) {
      if (!(error instanceof NameSyntaxError)) throw error;
      const location = locationOf(field);
      problems.push({
        kind: "problem",
        location,
        reason: error.message,
        hint: "a field is called <selector>.<domain>",
      });
    }
  }
  return { keys: keys.sort(compareKeyNames), problems };
}

/** A field of others: the selector ends at the first dot, as rspamd and mailcow name their keys. @throws {NameSyntaxError} */
function parseKeyField(field: string): KeyName {
  const dot = field.indexOf(".");
  if (dot === -1) throw new NameSyntaxError("the field is not <selector>.<domain>");
  const name = parseKeyName(field.slice(dot + 1), field.slice(0, dot));
  // Letters of the other case: rspamd would not find it under the name that we should look for.
  if (keyField(name) !== field) throw new NameSyntaxError(`the field must be written ${keyField(name)}`);
  return name;
}

/** Two listings as one, in order. */
export async function* mergeNames(own: AsyncIterable<KeyName>, foreign: readonly KeyName[]): AsyncGenerator<KeyName> {
  let next = 0;
  for await (const name of own) {
    for (let other = foreign[next]; other !== undefined && compareKeyNames(other, name) < 0; other = foreign[next]) {
      yield other;
      next++;
    }
    yield name;
  }
  yield* foreign.slice(next);
}
