import { describe, expect, test } from "vitest";
import { encodePem } from "../../src/keys/pem.ts";
import { encodeSubjectPublicKeyInfo } from "../../src/keys/public-key.ts";
import { PublicKeyFileError, parsePublicKeyFile } from "../../src/keys/public-key-file.ts";
import { encodeRsaPublicKey } from "../helpers/pkcs1-public-key.ts";
import { ed25519Sample, rsaSample, vector } from "./sample-keys.ts";

const rsa = rsaSample().publicKey;
const ed25519 = ed25519Sample().publicKey;
const spki = encodeSubjectPublicKeyInfo(rsa);
const octets = (text: string) => new TextEncoder().encode(text);

describe("public key files", () => {
  test.each([
    ["SPKI PEM", octets(encodePem("PUBLIC KEY", spki)), rsa, "spki", "pem"],
    ["SPKI DER", spki, rsa, "spki", "der"],
    ["PKCS#1 PEM", octets(encodePem("RSA PUBLIC KEY", encodeRsaPublicKey(rsa))), rsa, "pkcs1", "pem"],
    ["PKCS#1 DER", encodeRsaPublicKey(rsa), rsa, "pkcs1", "der"],
    ["Ed25519", octets(encodePem("PUBLIC KEY", encodeSubjectPublicKeyInfo(ed25519))), ed25519, "spki", "pem"],
  ])("%s", (_title, bytes, publicKey, format, encoding) => {
    expect(parsePublicKeyFile(bytes)).toEqual({ publicKey, format, encoding, notes: [] });
  });

  test.each([
    ["a private key", vector("rsa1024.pem"), "private-key"],
    ["a certificate", vector("cert.pem"), "certificate"],
    ["a request", vector("request.pem"), "not-a-key"],
    ["two keys", octets(encodePem("PUBLIC KEY", spki).repeat(2)), "several-keys"],
    ["trailing octets", new Uint8Array([...spki, 0]), "broken"],
    ["half a key", spki.slice(0, 80), "broken"],
    ["bad base64", octets(encodePem("PUBLIC KEY", spki).replace("M", "*")), "broken"],
    ["text", octets("hello"), "not-a-key"],
  ])("%s is refused", (_title, bytes, kind) => {
    expect(() => parsePublicKeyFile(bytes)).toThrow(PublicKeyFileError);
    expect(() => parsePublicKeyFile(bytes)).toThrow(expect.objectContaining({ kind }));
  });
});
