import { trimPadding } from "../dns/base64-value.ts";
import { classifyKeyBytes } from "../keys/key-bytes.ts";
import { checkPublicKeyStrength } from "../keys/key-strength.ts";
import type { PublicKey } from "../keys/public-key.ts";

/**
 * The public key in a value of p= that is spoilt around the edges: PEM lines, spaces, the other base64 alphabet, wrong
 * padding, a wrapper that DKIM does not want. `undefined` when a character is missing or it is no public key: nothing is
 * guessed.
 * @param changes what was done is added here
 */
export function salvagePublicKey(value: string, changes: string[]): PublicKey | undefined {
  const steps: readonly (readonly [RegExp, string, string])[] = [
    [/-----(?:BEGIN|END)[A-Z0-9 ]{0,40}-----/g, "", "the lines of the PEM file are removed from p="],
    [/%(?:2B|2F|3D)/gi, "", "URL encoding is undone in p="],
    [/[\s"'`]+/g, "", "white space and quotes are removed from p="],
  ];
  let text = value;
  for (const [pattern, replacement, change] of steps) {
    const next = change.startsWith("URL")
      ? text.replace(pattern, (code) => decodeURIComponent(code))
      : text.replace(pattern, replacement);
    if (next !== text) changes.push(change);
    text = next;
  }
  const padding = text.length;
  text = trimPadding(text);
  const paddingLength = padding - text.length;
  if (/[-_]/.test(text) && !/[+/]/.test(text)) {
    text = text.replaceAll("-", "+").replaceAll("_", "/");
    changes.push("p= is written in the standard base64 alphabet");
  }
  if (!/^[A-Za-z0-9+/]+$/.test(text) || text.length % 4 === 1) return undefined;
  const octets = new Uint8Array(Buffer.from(text, "base64"));
  const canonical = Buffer.from(octets).toString("base64");
  // A changed last character is no matter of spelling.
  if (trimPadding(canonical) !== text) return undefined;
  if (canonical.length - text.length !== paddingLength) changes.push("the = signs at the end of p= are put right");
  return readKey(octets, changes);
}

function readKey(octets: Uint8Array, changes: string[]): PublicKey | undefined {
  const what = classifyKeyBytes(octets);
  switch (what.kind) {
    case "raw-32": {
      const key: PublicKey = { type: "ed25519", bytes: what.bytes };
      return checkPublicKeyStrength(key).some(({ code }) => code.startsWith("P-ED-")) ? undefined : key;
    }
    case "spki":
      if (what.fault !== undefined) return undefined;
      if (what.trailing > 0) changes.push("what follows the key is removed from p=");
      if (what.algorithm === "ed25519") changes.push("p= is the bare 32 octets of the key");
      if (what.nullMissing) changes.push("p= names the algorithm as RFC 3279 has it");
      return what.publicKey;
    case "rsa-public-key":
      if (what.fault !== undefined) return undefined;
      if (what.trailing > 0) changes.push("what follows the key is removed from p=");
      changes.push("p= is a SubjectPublicKeyInfo instead of a bare RSAPublicKey");
      return what.publicKey;
    default:
      return undefined;
  }
}
