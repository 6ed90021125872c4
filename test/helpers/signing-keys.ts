import { generateKeyPairSync, randomBytes } from "node:crypto";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import type { TxtAnswer } from "../../src/dns/resolver.ts";
import { ed25519PrivateKeyFromSeed, type PrivateKey } from "../../src/keys/private-key.ts";
import { parseRsaPrivateKey, type RsaPrivateKey } from "../../src/keys/rsa-private-key.ts";
import type { KeyLookup } from "../../src/signing/verify.ts";

export function makeRsaKey(modulusBits = 1024): RsaPrivateKey {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: modulusBits });
  return parseRsaPrivateKey(privateKey.export({ type: "pkcs1", format: "der" }));
}

export function makeEd25519Key(): PrivateKey {
  return ed25519PrivateKeyFromSeed(randomBytes(32));
}

/** The record that publishes a key, with the tags given as text before p=. */
export function recordOf(key: PrivateKey, extraTags = ""): string {
  return formatKeyRecord(keyRecordFor(key.publicKey)).replace("; p=", `; ${extraTags}p=`);
}

/** A resolver over a table of names, each with its TXT records; other names do not exist. */
export function zone(
  table: Readonly<Record<string, readonly string[] | TxtAnswer>>,
): KeyLookup & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async lookup(name) {
      asked.push(name);
      const entry = table[name];
      if (entry === undefined) return { status: "no-name" };
      return "status" in entry ? entry : { status: "found", records: entry };
    },
  };
}
