import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decryptPrivateKey } from "../../src/keys/encrypted-private-key.ts";
import { checkPublicKeyStrength, type KeyWeakness } from "../../src/keys/key-strength.ts";
import { PrivateKeyError, parsePrivateKey } from "../../src/keys/private-key.ts";
import type { PublicKey } from "../../src/keys/public-key.ts";
import { PublicKeyFileError, parsePublicKeyFile } from "../../src/keys/public-key-file.ts";
import { toBigInt } from "../../src/keys/rsa-numbers.ts";
import { CORPUS, readCorpus } from "../helpers/corpus.ts";

interface CorpusKey {
  readonly file: string;
  readonly kind: "public" | "private" | "certificate" | "csr" | "jwk";
  readonly expect: "ok" | "weak" | "invalid" | "unsupported" | "encrypted" | "broken" | "not-a-key";
  readonly why: string;
  readonly bits?: number;
  readonly e?: number;
  readonly alg?: string;
  readonly lint?: "warning" | "info";
  readonly weakness?: string;
  readonly passphrase?: string;
}

/** The finding that each `weakness` of the corpus is. */
const CODES: Record<string, KeyWeakness["code"]> = {
  fermat: "RSA-FERMAT",
  roca: "RSA-ROCA",
  "small-factor": "RSA-FACTOR",
  vanity: "RSA-PATTERN",
  rsapoly: "RSA-PATTERN",
  e1: "RSA-E",
  "large-e": "RSA-E",
  "prime-modulus": "RSA-N",
  n0: "RSA-N",
  short: "RSA-SHORT",
  "known-key": "KNOWN-KEY",
};

const exceptions: Record<string, string> = JSON.parse(
  readFileSync(new URL("keys-exceptions.json", import.meta.url), "utf8"),
);
const keys = readCorpus<CorpusKey>("keys.jsonl");

interface Reading {
  readonly verdict: string;
  readonly publicKey?: PublicKey;
  readonly weaknesses: readonly KeyWeakness[];
  readonly notes: readonly string[];
}

function read(entry: CorpusKey): Reading {
  const bytes = readFileSync(`${CORPUS}/${entry.file}`);
  try {
    const { publicKey, notes } = entry.kind === "public" ? parsePublicKeyFile(bytes) : readPrivate(bytes);
    const weaknesses = checkPublicKeyStrength(publicKey);
    const isWeak = weaknesses.some(({ severity }) => severity === "error");
    return { verdict: isWeak ? "weak" : "ok", publicKey, weaknesses, notes };
  } catch (error) {
    if (!(error instanceof PrivateKeyError) && !(error instanceof PublicKeyFileError)) throw error;
    return { verdict: error.kind, weaknesses: [], notes: [] };
  }
}

function readPrivate(bytes: Uint8Array): { publicKey: PublicKey; notes: readonly string[] } {
  const { privateKey, notes } = parsePrivateKey(bytes);
  return { publicKey: privateKey.publicKey, notes };
}

/** What the reading contradicts in the corpus line; empty when they agree. */
function disagreements(entry: CorpusKey, { verdict, publicKey, weaknesses, notes }: Reading): string[] {
  const found: string[] = [];
  // "invalid" numbers are read, and then refused by the checks; a certificate is our own kind of not-a-key.
  const expected = entry.expect === "invalid" ? "weak" : entry.kind === "certificate" ? "certificate" : entry.expect;
  if (verdict !== expected) found.push(`is ${verdict}`);
  if (publicKey === undefined) return found;
  if (publicKey.type === "rsa") {
    if (entry.bits !== undefined && publicKey.modulusBits !== entry.bits) found.push(`${publicKey.modulusBits} bits`);
    if (entry.e !== undefined && toBigInt(publicKey.exponent) !== BigInt(entry.e)) found.push("another e");
  }
  if ((entry.alg === "ed25519") !== (publicKey.type === "ed25519") && entry.alg !== undefined)
    found.push("another type");
  const code = entry.weakness === undefined ? undefined : (CODES[entry.weakness] ?? entry.weakness);
  if (code !== undefined && !weaknesses.some((weakness) => weakness.code === code)) found.push(`without ${code}`);
  const isRemarkable = weaknesses.length > 0 || notes.length > 0;
  if (entry.expect === "ok" && isRemarkable !== (entry.lint !== undefined)) found.push("another lint");
  return found;
}

describe("corpus/keys.jsonl", () => {
  test.each(keys.map((entry) => [entry.file, entry] as const))("%s", (file, entry) => {
    const found = disagreements(entry, read(entry));
    if (exceptions[file] === undefined) expect(found, entry.why).toEqual([]);
    else expect(found, `the exception of ${file} is no longer needed`).not.toEqual([]);
  });

  test.each(keys.filter(({ passphrase }) => passphrase !== undefined).map((entry) => [entry.file, entry] as const))(
    "%s opens with its passphrase",
    async (file, { passphrase = "" }) => {
      const { privateKey } = await decryptPrivateKey(readFileSync(`${CORPUS}/${file}`), passphrase);
      expect(privateKey.type).toBe("rsa");
    },
  );

  test("every exception is of a file that is there, and few", () => {
    const files = new Set(keys.map(({ file }) => file));
    for (const file of Object.keys(exceptions)) expect(files).toContain(file);
    expect(Object.keys(exceptions).length).toBeLessThanOrEqual(keys.length * 0.05);
  });
});
