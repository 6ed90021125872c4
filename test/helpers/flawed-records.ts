import { createPrivateKey, generateKeyPairSync, generatePrimeSync, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ed25519PrivateKeyFromSeed, type PrivateKey, toPrivateKeyObject } from "../../src/keys/private-key.ts";
import { encodeSubjectPublicKeyInfo } from "../../src/keys/public-key.ts";
import { parseRsaPrivateKey, type RsaPrivateKey } from "../../src/keys/rsa-private-key.ts";
import { encodeRsaPublicKey } from "./pkcs1-public-key.ts";
import { makeEd25519Key, makeRsaKey } from "./signing-keys.ts";

/** A record with one fault, and the private key of the signer whose record it is meant to be. */
export interface FlawedRecord {
  /** The row of the verifier matrix. */
  readonly row: string;
  readonly text: string;
  readonly privateKey: PrivateKey;
}

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString("base64");
const spki = ({ publicKey }: PrivateKey) => base64(encodeSubjectPublicKeyInfo(publicKey));

/** Two primes next to each other: Fermat's method finds them in one step. */
function closePrimesKey(): RsaPrivateKey {
  const isPrime = (n: bigint) =>
    [3n, 5n, 7n, 11n, 13n].every((p) => n % p !== 0n) && modularPower(2n, n - 1n, n) === 1n;
  let p = generatePrimeSync(512, { bigint: true });
  while ((p - 1n) % 65_537n === 0n) p = generatePrimeSync(512, { bigint: true });
  let q = p + 2n;
  while (!isPrime(q) || (q - 1n) % 65_537n === 0n) q += 2n;
  const d = modularInverse(65_537n, (p - 1n) * (q - 1n));
  const url = (n: bigint) => {
    const digits = n.toString(16);
    return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex").toString("base64url");
  };
  const jwk = {
    ...{ kty: "RSA", n: url(p * q), e: "AQAB", d: url(d), p: url(p), q: url(q) },
    ...{ dp: url(d % (p - 1n)), dq: url(d % (q - 1n)), qi: url(modularInverse(q, p)) },
  };
  return parseRsaPrivateKey(createPrivateKey({ key: jwk, format: "jwk" }).export({ type: "pkcs1", format: "der" }));
}

function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** The modulus need not be prime; the two have no common factor. */
function modularInverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b, x, y] = [b, a - quotient * b, y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}

function rsaKey(modulusLength: number, publicExponent = 65_537): RsaPrivateKey {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength, publicExponent });
  return parseRsaPrivateKey(privateKey.export({ type: "pkcs1", format: "der" }));
}

/** The next character of the alphabet: bits that belong to no octet. */
function withPadBits(text: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const padding = /=*$/.exec(text)?.[0] ?? "";
  const end = text.length - padding.length;
  return text.slice(0, end - 1) + (digits[digits.indexOf(text[end - 1] ?? "A") + 1] ?? "/") + padding;
}

/** One record for each row of the verifier matrix, made anew. */
export function makeFlawedRecords(): FlawedRecord[] {
  const rsa = makeRsaKey(2048);
  // Its SubjectPublicKeyInfo is not a multiple of three octets long.
  const padded = makeRsaKey(2056);
  const ed25519 = makeEd25519Key();
  const known = ed25519PrivateKeyFromSeed(new Uint8Array(32));
  const [R, P] = [spki(rsa), spki(padded)];
  const edOctets = ed25519.publicKey.type === "ed25519" ? ed25519.publicKey.bytes : new Uint8Array();
  const E = base64(edOctets);
  const pkcs1 = rsa.publicKey.type === "rsa" ? base64(encodeRsaPublicKey(rsa.publicKey)) : "";
  const pkcs8 = base64(toPrivateKeyObject(rsa).export({ type: "pkcs8", format: "der" }));
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });
  const certificate = new X509Certificate(readFileSync(new URL("../vectors/keys/cert.pem", import.meta.url)));
  const withTag = (tag: string) => `v=DKIM1; k=rsa; ${tag}; p=${R}`;
  const ofRsa: readonly (readonly [string, string])[] = [
    ["TL-NONE", "hello"],
    ["TL-SYNTAX: a part without =", withTag("junk")],
    ["TL-SYNTAX: a name with a hyphen", withTag("x-y=1")],
    ["TL-DUP", withTag("k=rsa")],
    ["TL-EMPTY-SPEC", `v=DKIM1;; k=rsa; p=${R}`],
    ["TL-TRAIL-WSP", `v=DKIM1; k=rsa; p=${R}; `],
    ["TL-8BIT: UTF-8 in n=", withTag("n=Gr\u00fc\u00dfe")],
    ["TL-SYNTAX: a no-break space between tags", `v=DKIM1;\u00a0k=rsa; p=${R}`],
    ["TL-BOM", `\ufeffv=DKIM1; k=rsa; p=${R}`],
    ["TL-QUOTED: quotes around the record", `"v=DKIM1; k=rsa; p=${R}"`],
    ["TL-QUOTED: quotes within p=", `v=DKIM1; k=rsa; p=${R.slice(0, 200)}" "${R.slice(200)}`],
    ["TL-BACKSLASH", `v=DKIM1\\; k=rsa\\; p=${R}`],
    ["TL-UPPER: P= in place of p=", `v=DKIM1; k=rsa; P=${R}`],
    ["TL-UPPER: another tag", `v=DKIM1; K=rsa; p=${R}`],
    ["REC-LONG", withTag(`n=${"x".repeat(700)}`)],
    ["V-MISSING", `k=rsa; p=${R}`],
    ["V-FIRST", `k=rsa; v=DKIM1; p=${R}`],
    ["V-VALUE: DKIM1 in other letters", `v=dkim1; k=rsa; p=${R}`],
    ["V-VALUE: another version", `v=DKIM2; k=rsa; p=${R}`],
    ["K-EMPTY", `v=DKIM1; k=; p=${R}`],
    ["K-UNKNOWN: RSA in capitals", `v=DKIM1; k=RSA; p=${R}`],
    ["K-UNKNOWN: another type", `v=DKIM1; k=dsa; p=${R}`],
    ["H-NOSHA256", withTag("h=sha1")],
    ["H-SHA1", withTag("h=sha1:sha256")],
    ["H-UNKNOWN", withTag("h=sha256:sha512")],
    ["H-SYNTAX", withTag("h=sha256:")],
    ["S-SYNTAX", withTag("s=email:")],
    ["T-SYNTAX", withTag("t=")],
    ["COLON-WSP: in h=", withTag("h=sha1 : sha256")],
    ["COLON-WSP: in s=", withTag("s=tlsrpt : email")],
    ["S-NOTEMAIL", withTag("s=tlsrpt")],
    ["S-LIST", withTag("s=email:tlsrpt")],
    ["S-UNKNOWN", withTag("s=tlsrpt:email")],
    ["T-TESTING", withTag("t=y")],
    ["T-UNKNOWN", withTag("t=x")],
    ["G-HISTORIC: g=*", withTag("g=*")],
    ["G-HISTORIC: an empty g=", withTag("g=")],
    ["N-QP", withTag("n=100=%")],
    ["P-MISSING", "v=DKIM1; k=rsa"],
    ["P-EMPTY", "v=DKIM1; k=rsa; p="],
    ["P-B64: a character that is not of the alphabet", `v=DKIM1; k=rsa; p=${R.slice(0, 100)}!${R.slice(101)}`],
    ["P-B64: the URL alphabet", `v=DKIM1; k=rsa; p=${R.slice(0, 100)}_${R.slice(101)}`],
    ["P-WSP", `v=DKIM1; k=rsa; p=${R.slice(0, 100)} ${R.slice(100)}`],
    ["P-PEM", `v=DKIM1; k=rsa; p=-----BEGIN PUBLIC KEY-----${R}-----END PUBLIC KEY-----`],
    ["P-DER", `v=DKIM1; k=rsa; p=${R.slice(0, 200)}`],
    ["P-TRAILING", `v=DKIM1; k=rsa; p=${base64(Buffer.concat([Buffer.from(R, "base64"), Buffer.alloc(3)]))}`],
    ["P-PKCS1", `v=DKIM1; k=rsa; p=${pkcs1}`],
    ["P-ALG", `v=DKIM1; k=rsa; p=${base64(ec)}`],
    ["P-CERT", `v=DKIM1; k=rsa; p=${base64(certificate.raw)}`],
    ["P-PRIVATE", `v=DKIM1; k=rsa; p=${pkcs8}`],
  ];
  const ofOthers: readonly (readonly [string, string, PrivateKey])[] = [
    ["P-B64: too many = signs", `v=DKIM1; k=rsa; p=${P}=`, padded],
    ["P-PAD", `v=DKIM1; k=rsa; p=${P.replace(/=+$/, "")}`, padded],
    ["P-PADBITS", `v=DKIM1; k=rsa; p=${withPadBits(P)}`, padded],
    ["P-ED-LEN", `v=DKIM1; k=ed25519; p=${base64(edOctets.subarray(0, 31))}`, ed25519],
    ["P-ED-SPKI", `v=DKIM1; k=ed25519; p=${spki(ed25519)}`, ed25519],
    ["Ed25519", `v=DKIM1; k=ed25519; p=${E}`, ed25519],
    [
      "KNOWN-KEY: an Ed25519 key",
      `v=DKIM1; k=ed25519; p=${base64(known.publicKey.type === "ed25519" ? known.publicKey.bytes : new Uint8Array())}`,
      known,
    ],
    ...([512, 1023, 1024] as const).map((bits) => {
      const row = { 512: "RSA-SHORT: 512 bits", 1023: "RSA-SHORT: 1017 to 1023 bits", 1024: "RSA-1024" }[bits];
      const key = rsaKey(bits);
      return [row, `v=DKIM1; k=rsa; p=${spki(key)}`, key] as const;
    }),
    ...[rsaKey(2048, 3)].map((key) => ["RSA-E", `v=DKIM1; k=rsa; p=${spki(key)}`, key] as const),
    ...[closePrimesKey()].map((key) => ["RSA-FERMAT", `v=DKIM1; k=rsa; p=${spki(key)}`, key] as const),
  ];
  return [
    ...ofRsa.map(([row, text]) => ({ row, text, privateKey: rsa })),
    ...ofOthers.map(([row, text, privateKey]) => ({ row, text, privateKey })),
  ];
}
