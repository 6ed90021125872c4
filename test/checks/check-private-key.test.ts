import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { checkPrivateKey } from "../../src/checks/check-private-key.ts";
import { type ParsedPrivateKey, PrivateKeyError, parsePrivateKey } from "../../src/keys/private-key.ts";

function read(text: string): ParsedPrivateKey | PrivateKeyError {
  try {
    return parsePrivateKey(Buffer.from(text));
  } catch (error) {
    if (error instanceof PrivateKeyError) return error;
    throw error;
  }
}

const pem = (bits: number) =>
  generateKeyPairSync("rsa", { modulusLength: bits }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const good = pem(2048);

test.each<[string, string, string[]]>([
  ["a good key", good, []],
  ["512 bits (RFC 8301 §3.2)", pem(512), ["RSA-SHORT"]],
  ["EC", ec.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), ["KEY-UNSUPPORTED"]],
  ["a public key", ec.publicKey.export({ type: "spki", format: "pem" }).toString(), ["KEY-PUBLIC"]],
  ["cut off", good.slice(0, 400), ["KEY-BROKEN"]],
  ["two keys", `${good}\n${pem(512)}`, ["KEY-SEVERAL"]],
  ["empty", "", ["KEY-NOT-A-KEY"]],
])("%s", (_title, text, codes) => {
  const findings = checkPrivateKey(read(text));
  expect(findings.map(({ code }) => code)).toEqual(codes);
  for (const { message, fix } of findings) expect(`${message}${fix}`).not.toContain(good.slice(60, 90));
});
