import { generatePrimeSync } from "node:crypto";
import { expect, test, vi } from "vitest";
import { DEFAULT_POLICY } from "../../src/checks/check-policy.ts";
import { checkPublishedKey } from "../../src/checks/published-key.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { rsaPublicKeyFromNumbers } from "../../src/keys/public-key.ts";
import { toOctets } from "../../src/keys/rsa-numbers.ts";
import { assertRsaConsistent, type RsaPrivateKey } from "../../src/keys/rsa-private-key.ts";
import { smallFactorWeakness } from "../../src/keys/weak-keys/small-factors.ts";
import { fakeLookup } from "../helpers/fake-resolver.ts";
import { makeRsaKey, recordOf } from "../helpers/signing-keys.ts";

vi.mock("../../src/keys/weak-keys/small-factors.ts", { spy: true });

const E = 65_537n;
const check = (privateKey: RsaPrivateKey, published = recordOf(privateKey)) =>
  checkPublishedKey(
    { name: parseKeyName("example.com", "s1"), privateKey, publicKey: privateKey.publicKey, tags: {} },
    { lookup: fakeLookup("s1._domainkey.example.com", [published]), dnssec: "insecure" },
    DEFAULT_POLICY,
    new Date("2026-11-21T12:00:00Z"),
  );

function inverse(number: bigint, modulus: bigint): bigint | undefined {
  let [r0, r1, s0, s1] = [number % modulus, modulus, 1n, 0n];
  while (r1 !== 0n) [r0, r1, s0, s1] = [r1, r0 % r1, s1, s0 - (r0 / r1) * s1];
  return r0 === 1n ? ((s0 % modulus) + modulus) % modulus : undefined;
}

/** A key whose first factor is `factor` times a prime, and whose numbers belong together all the same. */
function makeKeyOfFactor(factor: bigint): RsaPrivateKey {
  const [p, q] = [generatePrimeSync(504, { bigint: true }) * factor, generatePrimeSync(536, { bigint: true })];
  const d = inverse(E, (p - 1n) * (q - 1n));
  const coefficient = inverse(q, p);
  if (d === undefined || coefficient === undefined) return makeKeyOfFactor(factor);
  const key: RsaPrivateKey = {
    type: "rsa",
    publicKey: rsaPublicKeyFromNumbers(toOctets(p * q), toOctets(E)),
    privateExponent: toOctets(d),
    ...{ prime1: toOctets(p), prime2: toOctets(q), coefficient: toOctets(coefficient) },
    ...{ exponent1: toOctets(d % (p - 1n)), exponent2: toOctets(d % (q - 1n)) },
  };
  assertRsaConsistent(key);
  return key;
}

test.each([3n, 65_537n])("a key that is divisible by %i fails though the record is its own", async (factor) => {
  const result = await check(makeKeyOfFactor(factor));
  expect(result).toMatchObject({ verdict: "fail", code: "bad-record", reason: expect.stringContaining("RSA-FACTOR") });
  expect(result.findings.map(({ code }) => code)).toContain("RSA-FACTOR");
  expect(result).not.toHaveProperty("probe");
});

test("the primes of a key whose probe verifies are proven by that", async () => {
  vi.mocked(smallFactorWeakness).mockClear();
  expect(await check(makeRsaKey(1024))).toMatchObject({ verdict: "pass", probe: "pass" });
  expect(smallFactorWeakness).not.toHaveBeenCalled();
});

test("another's key at the name is looked at in full", async () => {
  const result = await check(makeRsaKey(1024), recordOf(makeKeyOfFactor(3n)));
  expect(result).toMatchObject({ verdict: "fail", code: "other-key" });
  expect(result.findings.map(({ code }) => code)).toEqual(["RSA-1024", "RSA-FACTOR", "KEY-MISMATCH"]);
});
