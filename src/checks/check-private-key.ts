import { type ParsedPrivateKey, PrivateKeyError, type PrivateKeyFault } from "../keys/private-key.ts";
import type { BlockList } from "../keys/weak-keys/block-list.ts";
import type { Finding, FindingCode } from "./catalogue.ts";
import { checkKeyStrength } from "./check-key-strength.ts";
import { FindingList } from "./finding-list.ts";

const FAULT_CODES = {
  encrypted: "KEY-ENCRYPTED",
  unsupported: "KEY-UNSUPPORTED",
  "not-a-key": "KEY-NOT-A-KEY",
  broken: "KEY-BROKEN",
  "public-key": "KEY-PUBLIC",
  certificate: "KEY-CERTIFICATE",
  "several-keys": "KEY-SEVERAL",
} as const satisfies Record<PrivateKeyFault, FindingCode>;

/**
 * What is to be said about a private key file: why it cannot be used, or how strong its key is and what was tolerated.
 * @param read what `parsePrivateKey` returned or threw
 * @param name the record's name, when it is known (see `CheckRecordOptions`)
 */
export function checkPrivateKey(
  read: ParsedPrivateKey | PrivateKeyError,
  name?: string,
  blockList?: BlockList,
): Finding[] {
  const findings = new FindingList();
  if (read instanceof PrivateKeyError) {
    const fix = read.hint === undefined ? {} : { fix: read.hint };
    findings.add(FAULT_CODES[read.kind], { reason: read.message }, fix);
    return findings.toArray();
  }
  const { privateKey } = read;
  const factors = privateKey.type === "rsa" ? privateKey : undefined;
  checkKeyStrength(privateKey.publicKey, { name, isSigning: true, factors, blockList }, findings);
  for (const note of read.notes) findings.add("KEY-TOLERATED", { reason: note });
  return findings.toArray();
}
