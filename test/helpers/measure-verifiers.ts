import { parseKeyName } from "../../src/keys/key-name.ts";
import { toPrivateKeyObject } from "../../src/keys/private-key.ts";
import { buildProbeMessage, probeSignOptions } from "../../src/signing/probe-message.ts";
import { signMessage } from "../../src/signing/sign.ts";
import type { FlawedRecord } from "./flawed-records.ts";
import { type PublishedKeys, signWithMailDkim } from "./mail-peers.ts";

const DOMAIN = "example.com";

export interface SignedForRecords {
  readonly messages: readonly Uint8Array[];
  readonly keys: PublishedKeys;
}

/** A message for each record, well signed with the key of its own; and the records under the names that they look up. */
export async function signForRecords(records: readonly FlawedRecord[], now: Date): Promise<SignedForRecords> {
  const messages = records.map(async ({ privateKey }, index) => {
    const name = parseKeyName(DOMAIN, selectorOf(index));
    const raw = buildProbeMessage(name, now);
    const isShort = privateKey.publicKey.type === "rsa" && privateKey.publicKey.modulusBits < 1024;
    if (!isShort) return (await signMessage(raw, { ...probeSignOptions(name, now), privateKey })).message;
    // We do not sign with such a key; Mail::DKIM does.
    const privateKeyPem = toPrivateKeyObject(privateKey).export({ type: "pkcs8", format: "pem" }).toString();
    const [field = ""] = await signWithMailDkim([
      {
        ...{ raw, privateKeyPem, seedBase64: "", algorithm: "rsa-sha256", canonicalization: "relaxed/relaxed" },
        ...{ domain: DOMAIN, selector: selectorOf(index) },
      },
    ]);
    return Buffer.concat([Buffer.from(field, "latin1"), raw]);
  });
  const keys = records.map(({ text }, index) => [`${selectorOf(index)}._domainkey.${DOMAIN}`, text] as const);
  return { messages: await Promise.all(messages), keys: Object.fromEntries(keys) };
}

function selectorOf(index: number): string {
  return `s${index}`;
}
