import { checkPrimeSync, generateKeyPairSync, generatePrimeSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rsaKeyOfPrimes } from "../../src/keys/fast-rsa-key.ts";
import { encodePem, parsePem } from "../../src/keys/pem.ts";
import { plainPublicKey } from "../../src/keys/plain-public-key.ts";
import { encodePrivateKey, PrivateKeyError, parsePrivateKey, type RsaPrivateKey } from "../../src/keys/private-key.ts";
import { encodeSubjectPublicKeyInfo, subjectPublicKeyInfoText } from "../../src/keys/public-key.ts";
import { toBigInt, toOctets } from "../../src/keys/rsa-numbers.ts";
import { encodeRsaPrivateKey } from "../../src/keys/rsa-private-key.ts";
import { RESIDUE_PRIMES } from "../../src/keys/rsa-residues.ts";

function makeKey(bits: number, publicExponent = 65_537): RsaPrivateKey {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits, publicExponent });
  const parsed = parsePrivateKey(privateKey.export({ type: "pkcs8", format: "der" })).privateKey;
  if (parsed.type !== "rsa") throw new Error("not RSA");
  return parsed;
}

const read = (file: Uint8Array | string) => {
  const bytes = Buffer.from(file);
  return plainPublicKey(bytes, bytes.length);
};
/** What was read, with its numbers decoded. */
const plain = (file: Uint8Array | string) => {
  const found = read(file);
  if (found === undefined) return undefined;
  const { type, modulus, exponent, modulusBits } = found;
  return { type, modulus, exponent, modulusBits };
};
const pkcs8 = (key: RsaPrivateKey) => encodePrivateKey(key, "pkcs8");

/** A key whose p-1 and q-1 have no large common divisor: few have, and those are for the long way. */
function ordinaryKey(bits: number, publicExponent?: number): RsaPrivateKey {
  for (;;) {
    const key = makeKey(bits, publicExponent);
    if (plain(pkcs8(key)) !== undefined) return key;
  }
}
const key = ordinaryKey(1024);

test("the primes of the remainders are primes, and the largest of 26 bits", () => {
  expect(RESIDUE_PRIMES.map((prime) => checkPrimeSync(BigInt(prime)))).toEqual([true, true]);
  const primes = [];
  for (let n = 2 ** 26; primes.length < 2; n -= 1) if (checkPrimeSync(BigInt(n))) primes.push(n);
  expect(RESIDUE_PRIMES).toEqual(primes);
});

describe("files as encoders write them", () => {
  test.each([512, 1023, 1024, 2048, 3072, 4096, 5120])("RSA of %i bits, in both forms", (bits) => {
    const bigger = bits > 4096 ? keyOfRandomPrimes(bits) : ordinaryKey(bits);
    expect(plain(pkcs8(bigger))).toEqual(bigger.publicKey);
    expect(plain(encodePrivateKey(bigger, "pkcs1"))).toEqual(bigger.publicKey);
  });

  test.each(["pkcs8", "pkcs1"] as const)(
    "what is printed of %s is the SubjectPublicKeyInfo that is written of its numbers",
    (form) => {
      for (const bits of [1024, 2048]) {
        const each = ordinaryKey(bits);
        const found = read(encodePrivateKey(each, form));
        expect(found && subjectPublicKeyInfoText(found)).toBe(subjectPublicKeyInfoText(each.publicKey));
        expect(found && encodeSubjectPublicKeyInfo(found)).toEqual(encodeSubjectPublicKeyInfo(each.publicKey));
      }
    },
  );

  test.each([3, 17, 65_539])("e=%i", (e) => {
    const other = ordinaryKey(1024, e);
    expect(plain(pkcs8(other))).toEqual(other.publicKey);
  });

  test("nearly every key that OpenSSL makes is one", () => {
    const shown = Array.from({ length: 100 }, () => plain(pkcs8(makeKey(512)))).filter((found) => found !== undefined);
    expect(shown.length).toBeGreaterThan(90);
  });

  test("a private exponent modulo (p-1)(q-1), as older programs make it", () => {
    const [p, q] = [key.prime1, key.prime2].map((octets) => BigInt(`0x${Buffer.from(octets).toString("hex")}`));
    const phi = ((p ?? 0n) - 1n) * ((q ?? 0n) - 1n);
    let k = 1n;
    while ((1n + k * phi) % 65_537n !== 0n) k += 1n;
    const hex = ((1n + k * phi) / 65_537n).toString(16);
    const d = new Uint8Array(Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex"));
    expect(plain(pkcs8({ ...key, privateExponent: d }))).toEqual(key.publicKey);
  });

  test("the key of one file does not change when the next is read", () => {
    const first = read(pkcs8(key));
    read(pkcs8(ordinaryKey(1024)));
    expect(first?.modulus).toEqual(key.publicKey.modulus);
  });
});

function keyOfRandomPrimes(bits: number): RsaPrivateKey {
  const prime = () => generatePrimeSync(bits / 2, { bigint: true });
  for (;;) {
    const [a, b] = [prime(), prime()];
    const made = rsaKeyOfPrimes(a > b ? a : b, a > b ? b : a, bits);
    if (made !== undefined && plain(pkcs8(made)) !== undefined) return made;
  }
}

describe("everything else is left to parsePrivateKey", () => {
  const text = pkcs8(key);
  test.each<[string, string]>([
    ["nothing", ""],
    ["CRLF", text.replaceAll("\n", "\r\n")],
    ["a byte order mark", `\xef\xbb\xbf${text}`],
    ["text before", `key of example.com\n${text}`],
    ["text after", `${text}# end\n`],
    ["no final line feed", text.slice(0, -1)],
    ["two keys", text + text],
    [
      "lines of 76",
      text
        .replaceAll("\n", "")
        .replace(
          /(?<=^-----BEGIN PRIVATE KEY-----)(.*)(?=-----END)/,
          (base64) => `\n${base64.replace(/.{1,76}/g, "$&\n")}`,
        ),
    ],
    ["a label that lies", text.replaceAll("PRIVATE KEY", "RSA PRIVATE KEY")],
    ["another end", text.replace("END PRIVATE KEY", "END RSA PRIVATE KEY")],
    ["a blank in a line", text.replace(/(.{64})\n(.{64})\n/, (_, a, b) => `${a} ${b}\n`)],
    [
      "an Ed25519 key",
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpgUJjxGoiEY8Dh/sOqHfmKVcfq6ZIBd3qR\n-----END PRIVATE KEY-----\n",
    ],
    ["only a frame", "-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----\n"],
    ["a frame that overlaps", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"],
  ])("%s", (_title, file) => {
    expect(plain(file)).toBeUndefined();
  });

  test("padding bits that are not zero, and padding in the middle", () => {
    // The two forms differ in length by 26 octets, and keys by some: a few of them end in one "=".
    let padded: string | undefined;
    while (padded === undefined) {
      const other = ordinaryKey(1024);
      padded = [pkcs8(other), encodePrivateKey(other, "pkcs1")].find((each) => /[^=]=\n-----END/.test(each));
    }
    const broken = String(padded).replace(
      /(.)=\n-----END/,
      (_, last) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=\n-----END`,
    );
    expect(plain(padded)).toBeDefined();
    expect(plain(broken)).toBeUndefined();
    expect(plain(padded.replace(/\n(.{4})/, "\n===="))).toBeUndefined();
  });

  test("any other octet anywhere, but where the text is still what an encoder writes of the octets in it", () => {
    // The form of which the last quantum is padded: its last bits count.
    const small = ordinaryKey(512);
    const original =
      [pkcs8(small), encodePrivateKey(small, "pkcs1")].find((each) => each.includes("=")) ?? pkcs8(small);
    const file = Buffer.from(original);
    let taken = 0;
    for (let at = 0; at < file.length; at += 1) {
      for (let octet = 0; octet < 256; octet += 1) {
        file[at] = octet;
        if (plainPublicKey(file, file.length) === undefined) continue;
        taken += 1;
        const text = file.toString("latin1");
        const [block] = parsePem(text).blocks;
        expect(block && encodePem(block.label, block.bytes)).toBe(text);
      }
      file[at] = original.charCodeAt(at);
    }
    // Itself at each place, and others in the coefficient.
    expect(taken).toBeGreaterThan(file.length);
  });

  test("octets after the key, and a number too many", () => {
    const der = encodeRsaPrivateKey(key);
    expect(plain(encodePem("RSA PRIVATE KEY", der))).toBeDefined();
    expect(plain(encodePem("RSA PRIVATE KEY", new Uint8Array([...der, 0])))).toBeUndefined();
    expect(plain(encodePem("RSA PRIVATE KEY", der.subarray(0, -1)))).toBeUndefined();
  });
});

describe("what is taken is what parsePrivateKey takes", () => {
  const parts = ["privateExponent", "prime1", "prime2", "exponent1", "exponent2"] as const;

  test.each(parts)("one wrong bit in %s", (part) => {
    for (let bit = 0; bit < key[part].length * 8; bit += 7) {
      const octets = key[part].slice();
      octets[bit >> 3] = (octets[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect({ bit, found: plain(pkcs8({ ...key, [part]: octets })) }).toEqual({ bit, found: undefined });
    }
  });

  test.each(["modulus", "exponent"] as const)("one wrong bit in the %s", (part) => {
    for (let bit = 0; bit < key.publicKey[part].length * 8; bit += 1) {
      const octets = key.publicKey[part].slice();
      octets[bit >> 3] = (octets[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const publicKey = { ...key.publicKey, [part]: octets };
      expect({ bit, found: plain(pkcs8({ ...key, publicKey })) }).toEqual({ bit, found: undefined });
    }
  });

  test.each(RESIDUE_PRIMES)("a number that is off by a multiple of %i alone", (prime) => {
    const off = (octets: Uint8Array) => toOctets(toBigInt(octets) + 2n * BigInt(prime));
    const { modulus } = key.publicKey;
    expect(plain(pkcs8({ ...key, publicKey: { ...key.publicKey, modulus: off(modulus) } }))).toBeUndefined();
    for (const part of parts) expect(plain(pkcs8({ ...key, [part]: off(key[part]) }))).toBeUndefined();
  });

  test("numbers of another key, one at a time", () => {
    const other = ordinaryKey(1024);
    for (const part of parts) expect(plain(pkcs8({ ...key, [part]: other[part] }))).toBeUndefined();
    expect(plain(pkcs8({ ...key, publicKey: other.publicKey }))).toBeUndefined();
  });

  test("of changed files: none that it refuses, but for a wrong coefficient", () => {
    const { blocks } = parsePem(pkcs8(key));
    const der = blocks[0]?.bytes ?? new Uint8Array();
    const change = fc.tuple(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean(), (changes, inText) => {
        const octets = der.slice();
        for (const [at, difference] of changes) octets[at] = (octets[at] ?? 0) ^ difference;
        let file = Buffer.from(encodePem("PRIVATE KEY", octets));
        if (inText) {
          file = Buffer.from(pkcs8(key));
          for (const [at, difference] of changes) file[at % file.length] = (file[at % file.length] ?? 0) ^ difference;
        }
        const found = plain(file);
        if (found === undefined) return;
        try {
          expect(found).toEqual(parsePrivateKey(file).privateKey.publicKey);
        } catch (error) {
          if (!(error instanceof PrivateKeyError)) throw error;
          expect(error.message).toContain("the coefficient");
          expect(found).toEqual(key.publicKey);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
