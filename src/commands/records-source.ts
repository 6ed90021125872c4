import { firstOfSeverity } from "../checks/check-policy.ts";
import { checkRecord } from "../checks/check-record.ts";
import type { CliContext } from "../context.ts";
import { parseKeyRecord } from "../dns/key-record.ts";
import { DkimctlError, UsageError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { compareKeyNames, type KeyName, keyRecordName, parseKeyName } from "../keys/key-name.ts";
import { publicKeyFingerprint } from "../keys/public-key.ts";
import type { Selector } from "../keys/selector.ts";
import { readAll, readTextFile } from "./input-files.ts";
import { addSelector, type KeySource, type LoadedKey } from "./key-source.ts";

/**
 * The records that `showkeys --format json` printed, as what is expected to be published: no private key is needed.
 * @param path `-` is standard input
 * @throws {UsageError} it is not such a document, or a record in it holds no key
 */
export async function openRecordsSource(path: string, cli: CliContext): Promise<KeySource> {
  const text = path === "-" ? await readAll(cli.stdin) : readTextFile(path, cli);
  const location = path === "-" ? "standard input" : path;
  const keys = readRecords(text, location).sort((a, b) => compareKeyNames(a.name, b.name));
  const owners = new Map<string, KeyName>();
  const selectors = new Map<DomainName, Selector[]>();
  for (const [index, { name, publicKey }] of keys.entries()) {
    const before = keys[index - 1];
    if (before !== undefined && compareKeyNames(before.name, name) === 0) {
      throw new UsageError(`${location}: ${keyRecordName(name)} stands in it twice`);
    }
    owners.set(publicKeyFingerprint(publicKey), name);
    addSelector(selectors, name);
  }
  return {
    location,
    async *list(chooses) {
      for (const key of keys) if (chooses(key.name)) yield { name: key.name, location, load: async () => key };
    },
    findOwner: async (key) => owners.get(publicKeyFingerprint(key)),
    selectorsOf: async (domain) => selectors.get(domain) ?? [],
  };
}

const HINT = "write the file with: dkimctl showkeys --format json";

function readRecords(text: string, location: string): LoadedKey[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${location} is not JSON`, { hint: HINT, cause });
  }
  const { schema, records } = isObject(document) ? document : {};
  if (typeof schema !== "string" || !schema.startsWith("dkimctl/showkeys/") || !Array.isArray(records)) {
    throw new UsageError(`${location} is not what showkeys prints`, { hint: HINT });
  }
  return records.map((record: unknown, index) => {
    try {
      return readRecord(record);
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      throw new UsageError(`${location}: record ${index + 1}: ${error.message}`, {
        hint: error.hint ?? HINT,
        cause: error,
      });
    }
  });
}

/** What a person may edit is read, not what follows from it: the names, and the text of the record. */
function readRecord(record: unknown): LoadedKey {
  const { domain, selector, value } = isObject(record) ? record : {};
  if (typeof domain !== "string" || typeof selector !== "string" || typeof value !== "string") {
    throw new UsageError(`it has no "domain", "selector" and "value"`);
  }
  const name = parseKeyName(domain, selector);
  const { hashAlgorithms, serviceTypes, flags, note } = parseKeyRecord(value);
  // A weak key is for the test to judge, as it is when it comes from the store.
  const { publicKey, state, findings } = checkRecord(value, { name: keyRecordName(name) });
  if (state === "revoked") {
    throw new UsageError("its p= is empty", { hint: "keep the record of the key, and use --expect revoked" });
  }
  if (publicKey === undefined) throw new UsageError(firstOfSeverity(findings, "error") ?? "it holds no key");
  return {
    name,
    publicKey,
    tags: {
      ...(hashAlgorithms !== undefined && { hashAlgorithms }),
      ...(serviceTypes !== undefined && { serviceTypes }),
      ...(flags !== undefined && { flags }),
      ...(note !== undefined && { note }),
    },
    warnings: [],
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
