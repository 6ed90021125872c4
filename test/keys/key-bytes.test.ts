import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DerTag } from "../../src/keys/der.ts";
import { encodeBitString, encodeDer } from "../../src/keys/der-writer.ts";
import { classifyKeyBytes } from "../../src/keys/key-bytes.ts";
import { parsePem } from "../../src/keys/pem.ts";
import { encodePrivateKeyDer } from "../../src/keys/private-key.ts";
import { encodeSubjectPublicKeyInfo } from "../../src/keys/public-key.ts";
import { encodeRsaPublicKey } from "../helpers/pkcs1-public-key.ts";
import { ed25519Sample, rsaSample, vector } from "./sample-keys.ts";

const rsa = rsaSample();
const ed25519 = ed25519Sample();
const spki = encodeSubjectPublicKeyInfo(rsa.publicKey);
const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const pemBody = (name: string) =>
  parsePem(Buffer.from(vector(name)).toString("latin1")).blocks[0]?.bytes ?? new Uint8Array();
const otherSpki = (oid: string) =>
  encodeDer(DerTag.sequence, encodeDer(DerTag.sequence, hex(oid)), encodeBitString(new Uint8Array(32)));

describe("what octets are", () => {
  test.each([
    [
      "RSA SubjectPublicKeyInfo",
      spki,
      { kind: "spki", algorithm: "rsa", publicKey: rsa.publicKey, trailing: 0, fault: undefined, nullMissing: false },
    ],
    [
      "Ed25519 SubjectPublicKeyInfo",
      encodeSubjectPublicKeyInfo(ed25519.publicKey),
      { kind: "spki", algorithm: "ed25519", publicKey: ed25519.publicKey, fault: undefined },
    ],
    [
      "two octets after it",
      join(spki, hex("0000")),
      { kind: "spki", trailing: 2, fault: undefined, publicKey: rsa.publicKey },
    ],
    ["pasted twice", join(spki, spki), { kind: "spki", trailing: spki.length }],
    [
      "cut off",
      spki.slice(0, 100),
      { kind: "spki", algorithm: "rsa", publicKey: undefined, fault: expect.stringContaining("cut off") },
    ],
    [
      "Ed25519 of 31 octets",
      encodeDer(DerTag.sequence, hex("30 05 06 03 2b 65 70"), encodeBitString(new Uint8Array(31))),
      { kind: "spki", algorithm: "ed25519", publicKey: undefined, fault: expect.stringContaining("31") },
    ],
    ["X25519", otherSpki("06 03 2b 65 6e"), { kind: "spki", algorithm: "x25519", fault: undefined }],
    ["Ed448", otherSpki("06 03 2b 65 71"), { kind: "spki", algorithm: "ed448" }],
    ["RSASSA-PSS", otherSpki("06 09 2a 86 48 86 f7 0d 01 01 0a"), { kind: "spki", algorithm: "rsa-pss" }],
    [
      "an algorithm without a name",
      otherSpki("06 03 2b 65 01"),
      { kind: "spki", algorithm: "other", oid: "1.3.101.1" },
    ],
    [
      "bare RSAPublicKey",
      encodeRsaPublicKey(rsa.publicKey),
      { kind: "rsa-public-key", publicKey: rsa.publicKey, trailing: 0, fault: undefined },
    ],
    ["certificate", pemBody("cert.pem"), { kind: "certificate", trailing: 0 }],
    ["certificate request", pemBody("request.pem"), { kind: "certificate-request" }],
    ["PKCS#12", vector("bundle.p12"), { kind: "pkcs12" }],
    ["PKCS#8 RSA", encodePrivateKeyDer(rsa, "pkcs8"), { kind: "private-key", form: "pkcs8", algorithm: "rsa" }],
    ["PKCS#8 RSA, cut off", encodePrivateKeyDer(rsa, "pkcs8").slice(0, 90), { kind: "private-key", form: "pkcs8" }],
    [
      "PKCS#8 Ed25519",
      encodePrivateKeyDer(ed25519, "pkcs8"),
      { kind: "private-key", form: "pkcs8", algorithm: "ed25519" },
    ],
    ["PKCS#1", encodePrivateKeyDer(rsa, "pkcs1"), { kind: "private-key", form: "pkcs1", algorithm: "rsa" }],
    [
      "PKCS#1, cut off in the modulus",
      encodePrivateKeyDer(rsa, "pkcs1").slice(0, 60),
      { kind: "private-key", form: "pkcs1" },
    ],
    ["SEC1", pemBody("ec.pem"), { kind: "private-key", form: "sec1", algorithm: "ec" }],
    ["encrypted PKCS#8", vector("enc.der"), { kind: "private-key", form: "encrypted-pkcs8" }],
    [
      "04 20 seed",
      join(hex("04 20"), ed25519.seed),
      { kind: "private-key", form: "octet-string", algorithm: "ed25519" },
    ],
    [
      "04 22 04 20 seed",
      join(hex("04 22 04 20"), ed25519.seed),
      { kind: "private-key", form: "octet-string", algorithm: "ed25519" },
    ],
    [
      "DSA, traditional",
      encodeDer(DerTag.sequence, hex("02 01 00 02 01 05 02 01 05 02 01 05 02 01 05 02 01 05")),
      { kind: "private-key", form: "dsa" },
    ],
    [
      "PKCS#8 of an unknown algorithm",
      hex("30 10 02 01 00 30 0b 06 09 2a 86 48 86 f7 0d 01 07 01"),
      { kind: "private-key", form: "pkcs8", algorithm: "other" },
    ],
    ["32 octets", ed25519.publicKey.bytes, { kind: "raw-32" }],
    ["seed and public key", join(ed25519.seed, ed25519.publicKey.bytes), { kind: "raw-64", isSecretKey: true }],
    ["64 octets", join(ed25519.seed, ed25519.seed), { kind: "raw-64", isSecretKey: false }],
    ["nothing", new Uint8Array(), { kind: "empty" }],
    [
      "AlgorithmIdentifier alone",
      hex("30 07 30 05 06 03 2b 65 70"),
      { kind: "unknown", reason: expect.stringContaining("without a key") },
    ],
    ["text", new TextEncoder().encode("p=barf"), { kind: "unknown" }],
  ])("%s", (_title, bytes, expected) => {
    expect(classifyKeyBytes(bytes)).toMatchObject(expected);
  });

  test.each([
    ["length not minimal", "3081 9f 30", "308200 9f 30", "not minimal"],
    ["INTEGER padded", "028181 00", "028182 0000", undefined],
    ["INTEGER negative", "0203010001", "0203810001", "negative"],
    ["unused bits", "03818d 00", "03818d 01", "whole octets"],
  ])("RSA with a fault: %s", (_title, from, to, reason) => {
    const text = Buffer.from(spki).toString("hex");
    const broken = text.replace(from.replaceAll(" ", ""), to.replaceAll(" ", ""));
    expect(broken).not.toBe(text);
    const what = classifyKeyBytes(hex(broken));
    expect(what).toMatchObject({ kind: "spki", algorithm: "rsa", fault: expect.stringContaining(reason ?? "") });
  });

  test("rsaEncryption without NULL is told apart (RFC 3279 §2.3.1)", () => {
    const key = encodeBitString(encodeRsaPublicKey(rsa.publicKey));
    const der = encodeDer(DerTag.sequence, hex("30 0b 06 09 2a 86 48 86 f7 0d 01 01 01"), key);
    expect(classifyKeyBytes(der)).toMatchObject({
      kind: "spki",
      nullMissing: true,
      fault: undefined,
      publicKey: rsa.publicKey,
    });
  });

  test("any octets, and any mutant of a key, are something", () => {
    const samples = [
      spki,
      encodePrivateKeyDer(rsa, "pkcs8"),
      encodePrivateKeyDer(rsa, "pkcs1"),
      pemBody("cert.pem"),
      vector("bundle.p12"),
    ];
    fc.assert(
      fc.property(fc.nat(5), fc.uint8Array({ maxLength: 80 }), fc.nat(), fc.nat(255), (which, random, at, octet) => {
        const bytes = samples[which]?.slice() ?? random;
        if (bytes.length > 0) bytes[at % Math.min(bytes.length, 60)] = octet;
        expect(classifyKeyBytes(bytes).kind).toBeTypeOf("string");
      }),
      { numRuns: 3000 },
    );
  });

  test("a key without fault is DER: it is what its parts are written as", () => {
    fc.assert(
      fc.property(fc.nat(spki.length - 1), fc.nat(255), (at, octet) => {
        const mutant = spki.slice();
        mutant[at] = octet;
        const what = classifyKeyBytes(mutant);
        if (what.kind !== "spki" || what.fault !== undefined || what.publicKey === undefined) return;
        expect(encodeSubjectPublicKeyInfo(what.publicKey)).toEqual(mutant);
      }),
      { numRuns: 2000 },
    );
  });
});
