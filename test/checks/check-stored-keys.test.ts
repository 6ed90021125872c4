import { generatePrimeSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkStoredKeys, type StoredKeyFacts } from "../../src/checks/check-stored-keys.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { type PublicKey, rsaPublicKeyFromNumbers } from "../../src/keys/public-key.ts";
import { makeEd25519Key } from "../helpers/signing-keys.ts";

const now = new Date("2026-11-21T12:00:00Z");

function facts(
  domain: string,
  selector: string,
  publicKey = makeEd25519Key().publicKey,
  written = now,
): StoredKeyFacts {
  return { name: parseKeyName(domain, selector), publicKey, writtenAt: written };
}

function told(keys: readonly StoredKeyFacts[], maxAgeDays?: number): string[] {
  return checkStoredKeys(keys, { now, maxAgeDays }).map((findings) =>
    findings
      .filter(({ code }) => code !== "ED25519-ONLY")
      .map(({ code, severity }) => `${code}:${severity}`)
      .join(),
  );
}

function rsaFromPrimes(p: bigint, q: bigint): PublicKey {
  return rsaPublicKeyFromNumbers(Buffer.from((p * q).toString(16).padStart(128, "0"), "hex"), Uint8Array.of(1, 0, 1));
}

describe("keys beside each other", () => {
  test("different keys", () => {
    expect(told([facts("a.example", "s1"), facts("b.example", "s1"), facts("b.example", "s2")])).toEqual(["", "", ""]);
    expect(told([])).toEqual([]);
  });

  test("one key for several domains, and for two selectors of one", () => {
    const { publicKey } = makeEd25519Key();
    const keys = [
      ...[facts("a.example", "s1", publicKey), facts("b.example", "s1", publicKey), facts("c.example", "s1")],
      facts("a.example", "s2", publicKey),
    ];
    expect(told(keys)).toEqual(["KEY-SHARED:warning", "KEY-SHARED:info", "", "KEY-SHARED:warning"]);
    const [first] = checkStoredKeys(keys, { now });
    expect(first?.[0]?.message).toBe("the key is also that of s2._domainkey.a.example and of 1 more");
  });

  test("domains without an RSA key (RFC 8463 §5)", () => {
    const rsa = rsaFromPrimes(101n, 103n);
    const keys = [
      ...[facts("a.example", "s1"), facts("a.example", "s2", rsa), facts("b.example", "s1"), facts("b.example", "s2")],
      facts("c.example", "s1", rsa),
    ];
    const codes = checkStoredKeys(keys, { now }).map((findings) => findings.map(({ code }) => code));
    expect(codes).toEqual([[], ["KEY-SHARED"], ["ED25519-ONLY"], [], ["KEY-SHARED"]]);
  });

  test("primes that are shared (RFC 8017 §3.2 wants two of one's own)", () => {
    const [p, q, r, s, t] = Array.from({ length: 5 }, () => generatePrimeSync(256, { bigint: true }));
    if (!p || !q || !r || !s || !t) throw new Error("no primes");
    const keys = [rsaFromPrimes(p, q), rsaFromPrimes(s, t), rsaFromPrimes(r, p)];
    const findings = checkStoredKeys(
      keys.map((key, index) => facts("a.example", `s${index}`, key)),
      { now },
    );
    expect(findings.map((list) => list.map(({ code }) => code))).toEqual([
      ["RSA-SHARED-PRIME"],
      [],
      ["RSA-SHARED-PRIME"],
    ]);
    expect(findings[0]?.[0]).toMatchObject({ critical: true, severity: "error" });
    expect(findings[2]?.[0]?.message).toContain("s0._domainkey.a.example");
  });

  test.each<[string, string, string, number | undefined, string]>([
    ["within the limit", "s1", "2026-05-25T12:00:00Z", 180, ""],
    ["older than the limit", "s1", "2026-05-24T12:00:00Z", 180, "KEY-OLD:warning"],
    ["no limit", "s1", "2001-01-01T00:00:00Z", undefined, ""],
    ["made on the day that the selector names", "rsa-20261101", "2026-11-01T12:00:00Z", undefined, ""],
    ["made ahead", "2026-12-01", "2026-11-01T12:00:00Z", undefined, ""],
    ["made long after it", "rsa-20250101", "2026-11-01T12:00:00Z", undefined, "SELECTOR-REUSED:warning"],
    ["a number that is no day", "s20251399", "2026-11-01T12:00:00Z", undefined, ""],
    ["a longer number", "s202501011", "2026-11-01T12:00:00Z", undefined, ""],
  ])("age: %s", (_title, selector, written, maxAgeDays, expected) => {
    expect(told([facts("a.example", selector, undefined, new Date(written))], maxAgeDays)).toEqual([expected]);
  });
});
