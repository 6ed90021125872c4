import { type Finding, worstSeverity } from "../../checks/catalogue.ts";
import { checkKeyStrength } from "../../checks/check-key-strength.ts";
import { FindingList } from "../../checks/finding-list.ts";
import { recordOfKey } from "../../checks/record-to-publish.ts";
import type { ParsedPrivateKey } from "../../keys/private-key.ts";
import type { PublicKey } from "../../keys/public-key.ts";
import type { BlockList } from "../../keys/weak-keys/block-list.ts";
import { describePublicKey } from "./describe-key.ts";
import type { KeyReport } from "./key-report.ts";

/** Of what a file, or standard input, holds. `source` is escaped. */
type FileReport = Pick<KeyReport, "source" | "name">;

const NO_RECORD = { input: undefined, aliases: [], records: [] } as const;

/** The report of a private key's file. @param findings all of them, worst or not; an error makes the key unusable */
export function makePrivateKeyReport(
  { privateKey, format, encoding }: ParsedPrivateKey,
  { source, name, findings }: FileReport & Pick<KeyReport, "findings">,
): KeyReport {
  const { publicKey } = privateKey;
  const severity = worstSeverity(findings);
  return {
    ...{ ...NO_RECORD, kind: "private-key", source, name, findings, severity, publicKey },
    state: severity === "error" ? "unusable" : "usable",
    description: `private key, ${describePublicKey(publicKey)}, ${format} in ${encoding}`,
    publish: severity === "error" ? undefined : recordOfKey(publicKey, { name }),
  };
}

/** The report of a public key's file. @param blockList keys that are known to others; absent: not looked for */
export function makePublicKeyReport(
  publicKey: PublicKey,
  { source, name }: FileReport,
  blockList?: BlockList,
): KeyReport {
  const list = new FindingList();
  checkKeyStrength(publicKey, { name, blockList }, list);
  const findings = list.toArray();
  const severity = worstSeverity(findings);
  return {
    ...{ ...NO_RECORD, kind: "public-key", source, name, findings, severity, publicKey },
    state: severity === "error" ? "unusable" : "usable",
    description: `public key, ${describePublicKey(publicKey)}`,
    publish: severity === "error" ? undefined : recordOfKey(publicKey, { name }),
  };
}

/** Neither a key nor a record. */
export function makeNothingReport(
  about: FileReport & Partial<Pick<KeyReport, "input" | "aliases" | "publish">> & Pick<KeyReport, "description">,
  findings: readonly Finding[],
): KeyReport {
  return {
    ...{ ...NO_RECORD, publish: undefined, publicKey: undefined, ...about, kind: "nothing", findings },
    ...{ state: "unusable", severity: worstSeverity(findings) },
  };
}
