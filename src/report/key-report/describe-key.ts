import type { PublicKey } from "../../keys/public-key.ts";

/** `RSA, 2048 bits`. */
export function describePublicKey(publicKey: PublicKey): string {
  return publicKey.type === "rsa" ? `RSA, ${publicKey.modulusBits} bits` : "Ed25519";
}

/** All numbers of the key, in the manner of `openssl pkey -pubin -text -noout`. */
export function describeNumbers(publicKey: PublicKey): string[] {
  if (publicKey.type === "ed25519") return ["  point:", ...hexLines(publicKey.bytes)];
  const exponent = BigInt(`0x${Buffer.from(publicKey.exponent).toString("hex") || "0"}`);
  return ["  modulus:", ...hexLines(publicKey.modulus), `  exponent: ${exponent} (0x${exponent.toString(16)})`];
}

/** Fifteen octets a line, as openssl has it. */
function hexLines(octets: Uint8Array): string[] {
  const pairs = Buffer.from(octets).toString("hex").match(/../g) ?? [];
  return Array.from({ length: Math.ceil(pairs.length / 15) }, (_, line) => {
    return `    ${pairs.slice(line * 15, line * 15 + 15).join(":")}`;
  });
}
