import { readFileSync } from "node:fs";
import { type PrivateKey, parsePrivateKey } from "../../src/keys/private-key.ts";
import type { RsaPrivateKey } from "../../src/keys/rsa-private-key.ts";

/** A file of test/vectors/keys. */
export function vector(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../vectors/keys/${name}`, import.meta.url)));
}

export function rsaSample(): RsaPrivateKey {
  const { privateKey } = parsePrivateKey(vector("rsa1024.pem"));
  if (privateKey.type !== "rsa") throw new Error("the vector is not RSA");
  return privateKey;
}

export function ed25519Sample(): Extract<PrivateKey, { type: "ed25519" }> {
  const { privateKey } = parsePrivateKey(vector("ed25519.pem"));
  if (privateKey.type !== "ed25519") throw new Error("the vector is not Ed25519");
  return privateKey;
}
