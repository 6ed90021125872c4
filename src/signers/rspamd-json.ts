import { ReadingBuilder, type SignerReading, shown, signerSyntaxError } from "./signer-reading.ts";

/**
 * The keys that rspamd has in Redis or in Vault, saved as JSON:
 * - Redis: `redis-cli --json HGETALL DKIM_KEYS`, an object of `<selector>.<domain>` to key. The selector ends at the
 *   first dot: a selector with dots cannot be told from a longer domain;
 * - Vault: what `GET /v1/…/<domain>` answers, or the document in it: `selectors`, each with `selector`, `key`, and
 *   `domain` unless `domain` is given.
 * @param domain the domain of a Vault document, where its entries do not say
 */
export function readRspamdJson(text: string, file: string, domain?: string): SignerReading {
  const reading = new ReadingBuilder();
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The message of JSON.parse quotes the text, which holds keys.
    throw signerSyntaxError(file, 1, "this is not JSON");
  }
  const selectors = vaultSelectors(document);
  if (selectors !== undefined) {
    for (const [index, entry] of selectors.entries()) {
      const where = `${shown(file)}: selectors[${index}]`;
      const { selector, key, domain: own } = isObject(entry) ? entry : {};
      const name = typeof own === "string" ? own : domain;
      if (typeof selector !== "string" || typeof key !== "string") reading.skip(where, "it lacks selector or key");
      else if (name === undefined) reading.skip(where, "it does not say its domain: give it with --domain");
      else reading.add(where, name, selector, { kind: "text", bytes: new TextEncoder().encode(key) });
    }
    return reading;
  }
  if (!isObject(document) || !Object.values(document).every((value) => typeof value === "string")) {
    throw signerSyntaxError(file, 1, "this is neither a Redis hash nor a document of Vault");
  }
  for (const [field, key] of Object.entries(document)) {
    const where = `${shown(file)}: ${shown(field)}`;
    const dot = field.indexOf(".");
    if (dot < 1) reading.skip(where, "the field is not SELECTOR.DOMAIN");
    else {
      const bytes = new TextEncoder().encode(String(key));
      reading.add(where, field.slice(dot + 1), field.slice(0, dot), { kind: "text", bytes });
    }
  }
  return reading;
}

/** KV version 2 wraps what version 1 wraps. */
function vaultSelectors(document: unknown): unknown[] | undefined {
  for (let inner = document, depth = 0; isObject(inner) && depth < 3; inner = inner.data, depth++) {
    if (Array.isArray(inner.selectors)) return inner.selectors;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
