import { checkPrimeSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkPublicKeyStrength, type KeyWeakness, rsaSizeWeakness } from "../../src/keys/key-strength.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { parseSubjectPublicKeyInfo, rsaPublicKeyFromNumbers } from "../../src/keys/public-key.ts";
import { bitLength, toBigInt, toOctets } from "../../src/keys/rsa-numbers.ts";
import { integerSquareRoot, primesAreFarApart } from "../../src/keys/weak-keys/fermat.ts";
import { sharedPrimes } from "../../src/keys/weak-keys/shared-primes.ts";
import { ed25519Sample, rsaSample } from "./sample-keys.ts";

const rsa = rsaSample();
const p = toBigInt(rsa.prime1);
const q = toBigInt(rsa.prime2);
const n = p * q;
const E = Uint8Array.of(1, 0, 1);
const key = (modulus: bigint, exponent = 65_537n) => rsaPublicKeyFromNumbers(toOctets(modulus), toOctets(exponent));
const codes = (weaknesses: KeyWeakness[]) => weaknesses.map(({ code, severity }) => `${code}:${severity}`);
const rsaCodes = (modulus: bigint, exponent?: bigint) => codes(checkPublicKeyStrength(key(modulus, exponent)));

function nextPrime(from: bigint): bigint {
  let candidate = from | 1n;
  while (!checkPrimeSync(candidate)) candidate += 2n;
  return candidate;
}

function inverse(a: bigint, m: bigint): bigint {
  let [x, y, s, t] = [a, m, 1n, 0n];
  while (y !== 0n) {
    const quotient = x / y;
    [x, y, s, t] = [y, x - quotient * y, t, s - quotient * t];
  }
  return ((s % m) + m) % m;
}

test.each([
  [1023, "RSA-SHORT"],
  [1024, "RSA-1024"],
  [2047, "RSA-1024"],
  [2048, undefined],
  [4096, undefined],
  [4097, "RSA-LONG"],
])("RFC 8301 §3.2: %i bits", (bits, code) => {
  expect(rsaSizeWeakness(bits)?.code).toBe(code);
});

describe("RSA-E (RFC 8017 §3.1, RFC 6376 §3.3.3)", () => {
  test.each([
    [0n, "error"],
    [1n, "error"],
    [2n, "error"],
    [65_536n, "error"],
    [3n, "warning"],
    [2n ** 32n + 1n, "warning"],
    [2n ** 256n + 1n, "error"],
    [n, "error"],
  ])("e=%i", (exponent, severity) => {
    expect(rsaCodes(n, exponent)).toEqual(["RSA-1024:warning", `RSA-E:${severity}`]);
  });

  test("e is not below a tiny modulus", () => {
    expect(rsaCodes(15n, 65_537n)).toContain("RSA-E:error");
  });
});

describe("moduli", () => {
  test.each([
    ["a good one", n, []],
    ["even", n - 1n, ["RSA-N:error"]],
    ["divisible by 3", n - (n % 3n) + (((n - (n % 3n)) & 1n) === 0n ? 3n : 0n), ["RSA-FACTOR:error"]],
    ["divisible by 65,537", nextPrime(n >> 17n) * 65_537n, ["RSA-FACTOR:error"]],
    ["close primes", p * nextPrime(p + 2n ** 200n), ["RSA-FERMAT:error"]],
    ["primes that take some rounds", p * nextPrime(p + 2n ** 259n), ["RSA-FERMAT:error"]],
    ["primes that take more than 100 rounds", p * nextPrime(p + 2n ** 263n), []],
    ["a square", p * p, ["RSA-FERMAT:error"]],
    ["a prime", nextPrime(n), ["RSA-N:error"]],
  ])("%s", (_title, modulus, expected) => {
    expect(bitLength(modulus)).toBeGreaterThan(1020);
    expect(rsaCodes(modulus).filter((code) => !/RSA-(1024|SHORT)/.test(code))).toEqual(expected);
  });

  test("zero", () => {
    expect(rsaCodes(0n)).toEqual(["RSA-N:error"]);
  });

  test("without arithmetic only what is cheap is looked at", () => {
    expect(codes(checkPublicKeyStrength(key(n * 3n), { arithmetic: false }))).toEqual(["RSA-1024:warning"]);
  });

  test("ROCA (CVE-2017-15361): made as Infineon's generator makes primes", () => {
    let m = 2n;
    for (let i = 3n; i <= 167n; i += 2n) if (checkPrimeSync(i)) m *= i;
    const element = (k: bigint, a: number) => {
      let power = 1n;
      for (let i = 0; i < a; i += 1) power = (power * 65_537n) % m;
      return k * m + power;
    };
    const modulus = element(p >> 220n, 1234) * element(q >> 220n, 77);
    expect(rsaCodes(modulus)).toContain("RSA-ROCA:error");
    expect(rsaCodes(modulus + 2n)).not.toContain("RSA-ROCA:error");
  });

  test("Wiener: a private exponent of 200 bits", () => {
    const phi = (p - 1n) * (q - 1n);
    let d = (toBigInt(rsa.coefficient) >> 312n) | 1n;
    while ((d * inverse(d, phi)) % phi !== 1n) d += 2n;
    const found = checkPublicKeyStrength(key(n, inverse(d, phi)));
    expect(found).toContainEqual({
      code: "RSA-WIENER",
      severity: "error",
      detail: expect.stringContaining(`${bitLength(d)} bits`),
    });
    expect(rsaCodes(n, (toBigInt(rsa.privateExponent) | 1n) + 2n)).not.toContain("RSA-WIENER:error");
  });

  test.each([
    [
      "a sparse polynomial in 2^128",
      Array.from({ length: 16 }, (_, i) => (p >> BigInt(20 * i)) & (2n ** 68n - 1n)).reduce(
        (sum, digit) => (sum << 128n) + digit,
        1n,
      ) | 1n,
    ],
    ["one digit most of the time", BigInt(`0x${"d3ffff4d".repeat(32)}`) | 1n],
    ["four digits only", BigInt(`0x${[...p.toString(4)].map((digit) => "34df"[Number(digit)]).join("")}`) | 1n],
    ["a repeated word", (n - (n % 2n ** 256n)) | ((p % 2n ** 128n) << 128n) | (p % 2n ** 128n)],
  ])("RSA-PATTERN: %s", (_title, modulus) => {
    expect(rsaCodes(modulus)).toContain("RSA-PATTERN:error");
  });

  test("a huge modulus is not worked on", () => {
    expect(codes(checkPublicKeyStrength(key(2n ** 65_000n + 1n)))).toContain("RSA-LONG:warning");
  });
});

test("integer square roots", () => {
  for (const root of [0n, 1n, 2n, 3n, 10n ** 50n, 2n ** 511n + 111n, 2n ** 1024n - 1n, p]) {
    expect(integerSquareRoot(root * root)).toBe(root);
    if (root > 1n) expect(integerSquareRoot(root * root - 1n)).toBe(root - 1n);
  }
});

test("integer square roots of all lengths", () => {
  const root = fc.integer({ min: 1, max: 1100 }).chain((bits) => fc.bigInt({ min: 1n, max: 2n ** BigInt(bits) }));
  fc.assert(
    fc.property(root, fc.bigInt({ min: 0n, max: 2n ** 1100n }), (known, more) => {
      const n = known * known + (more % (2n * known + 1n));
      expect(integerSquareRoot(n)).toBe(known);
    }),
    { numRuns: 2000 },
  );
});

test("factors at hand change nothing that is said of the modulus", () => {
  for (let distance = 1; distance < 512; distance += 6) {
    const other = nextPrime(p - 2n ** BigInt(distance));
    const factors = { prime1: toOctets(p), prime2: toOctets(other) };
    expect(checkPublicKeyStrength(key(p * other), { factors })).toEqual(checkPublicKeyStrength(key(p * other)));
  }
});

test.each([
  ["three octets alike", 2n ** 487n, true],
  ["their first number differs by one", 2n ** 480n, false],
  ["four octets alike", 2n ** 479n, false],
])("whether primes are far apart: %s", (_, distance, expected) => {
  const prime = 0xc0ffee00n << 480n;
  expect(primesAreFarApart(toOctets(prime), toOctets(prime + distance))).toBe(expected);
  expect(primesAreFarApart(toOctets(prime + distance), toOctets(prime))).toBe(expected);
});

test("primes of different lengths, and short ones, are looked at by Fermat's method", () => {
  expect(primesAreFarApart(toOctets(2n ** 512n + 1n), toOctets(2n ** 511n + 1n))).toBe(false);
  expect(primesAreFarApart(Uint8Array.of(9, 9, 9, 9, 9), Uint8Array.of(1, 1, 1, 1, 1))).toBe(false);
});

describe("known keys", () => {
  test.each([
    ["RFC 8032 §7.1 test 1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"],
    ["RFC 8032 §7.1 test 2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"],
    ["RFC 8032 §7.1 test 3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"],
    ["RFC 8032 §7.1 test 1024", "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5"],
    ["RFC 8032 §7.1 test SHA(abc)", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"],
    ["RFC 8032 §7.2", "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6"],
    ["RFC 8410 §10", "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"],
    ["zero", "00".repeat(32)],
  ])("%s", (_title, seed) => {
    const { publicKey } = ed25519PrivateKeyFromSeed(new Uint8Array(Buffer.from(seed, "hex")));
    expect(codes(checkPublicKeyStrength(publicKey))).toEqual(["KNOWN-KEY:error"]);
  });

  test.each([
    [
      "RFC 6376 Appendix C",
      "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
    ],
    [
      "RFC 8463 Appendix A.2",
      "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ],
  ])("%s", (_title, base64) => {
    const publicKey = parseSubjectPublicKeyInfo(Buffer.from(base64, "base64"));
    expect(codes(checkPublicKeyStrength(publicKey))).toEqual(["RSA-1024:warning", "KNOWN-KEY:error"]);
  });
});

describe("Ed25519 points (RFC 8032 §5.1.3)", () => {
  const P = 2n ** 255n - 19n;
  const D = (P - 121_665n) * inverse(121_666n, P);
  const LOW_ORDER = [
    0n,
    1n,
    P - 1n,
    2707385501144840649318225287225658788936804267575313519463743609750303402022n,
    55188659117513257062467267217118295137698188065244968500265048394206261417927n,
  ];
  const encode = (y: bigint, sign = 0) => {
    const bytes = new Uint8Array(32);
    for (let i = 0; i < 32; i += 1) bytes[i] = Number((y >> BigInt(8 * i)) & 255n);
    bytes[31] = (bytes[31] ?? 0) | (sign << 7);
    return { type: "ed25519", bytes } as const;
  };

  /** y of 2P from y of P: y' = (y^2 + x^2) / (2 - y^2 + x^2), with x^2 = (y^2 - 1) / (d y^2 + 1). */
  function doubleY(y: bigint): bigint {
    const yy = (y * y) % P;
    const xx = ((yy - 1n + P) * inverse((D * yy + 1n) % P, P)) % P;
    return ((yy + xx) * inverse((((2n - yy + xx) % P) + P) % P, P)) % P;
  }

  test.each(LOW_ORDER)("y=%i has an order that divides 8", (y) => {
    expect(doubleY(doubleY(doubleY(y)))).toBe(1n);
    expect(codes(checkPublicKeyStrength(encode(y)))).toEqual(["P-ED-LOWORDER:error"]);
    const withSign = codes(checkPublicKeyStrength(encode(y, 1)));
    // x is zero for y=1 and y=-1: no sign can be set.
    expect(withSign).toEqual(y === 1n || y === P - 1n ? ["P-ED-POINT:error"] : ["P-ED-LOWORDER:error"]);
  });

  test.each([
    ["y=2 is not on the curve", 2n, "P-ED-POINT"],
    ["y=p", P, "P-ED-POINT"],
    ["y=p+1", P + 1n, "P-ED-POINT"],
    ["y=2^255-1", 2n ** 255n - 1n, "P-ED-POINT"],
    ["the base point, y=4/5", (4n * inverse(5n, P)) % P, undefined],
  ])("%s", (_title, y, code) => {
    expect(checkPublicKeyStrength(encode(y))[0]?.code).toBe(code);
  });

  test("half of all octets are no point, and no real key is said to be none", () => {
    let bad = 0;
    for (let y = 1000n; y < 1400n; y += 1n) if (checkPublicKeyStrength(encode(y)).length > 0) bad += 1;
    expect(bad).toBeGreaterThan(140);
    expect(bad).toBeLessThan(260);
    expect(checkPublicKeyStrength(ed25519Sample().publicKey)).toEqual([]);
  });
});

describe("shared primes", () => {
  const primes = Array.from({ length: 9 }, (_, i) => nextPrime((p >> BigInt(i + 1)) + BigInt(i)));
  const product = (i: number, j: number) => toOctets((primes[i] ?? 1n) * (primes[j] ?? 1n));

  test("groups are found in a list, equal moduli and zero are none", () => {
    const moduli = [
      product(0, 1),
      product(2, 3),
      product(0, 1),
      new Uint8Array(),
      product(4, 1),
      product(5, 6),
      product(6, 5),
      product(7, 4),
    ];
    expect(sharedPrimes(moduli)).toEqual([
      [0, 4],
      [4, 7],
    ]);
  });

  test("modulus both of whose primes are shared", () => {
    expect(sharedPrimes([product(0, 1), product(1, 2), product(2, 0)])).toHaveLength(3);
  });

  test.each([[[]], [[product(0, 1)]], [[product(0, 1), product(2, 3), product(4, 5)]]])("nothing shared", (moduli) => {
    expect(sharedPrimes(moduli)).toEqual([]);
  });
});

test("e=65537 is said nothing about", () => {
  expect(checkPublicKeyStrength(rsaPublicKeyFromNumbers(toOctets(n), E)).map(({ code }) => code)).toEqual(["RSA-1024"]);
});
