import type { PublicKey } from "../keys/public-key.ts";
import type { FindingOverrides } from "./catalogue.ts";
import type { FindingList } from "./finding-list.ts";

/** TEMPORARY */
export function checkKeyStrength(key: PublicKey, where: FindingOverrides, findings: FindingList): void {
  if (key.type === "ed25519") return;
  const bits = key.modulusBits;
  if (bits < 1024) findings.add("RSA-SHORT", { bits }, where);
  else if (bits < 2048) findings.add("RSA-1024", { bits }, where);
  else if (bits > 4096) findings.add("RSA-LONG", { bits }, where);
}
