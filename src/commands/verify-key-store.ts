import { makeFinding, worstSeverity } from "../checks/catalogue.ts";
import { checkPrivateKey } from "../checks/check-private-key.ts";
import { checkStoredKeys, type StoredKeyFacts } from "../checks/check-stored-keys.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import { publicKeyFingerprint } from "../keys/public-key.ts";
import { makeNothingReport, makePrivateKeyReport } from "../report/key-report/file-report.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";
import { openStore } from "./settings.ts";
import { noKeysError } from "./showkeys.ts";
import { makeLeftoverReport } from "./store-leftover-reports.ts";
import { readKeys } from "./stored-keys.ts";
import type { VerifyTools } from "./verify-key-options.ts";

/** Every key of the store, by itself and beside the others, and what was left there. Only what has something to be said about it is reported. */
export async function verifyStore({ cli, options, settings, blockList }: VerifyTools): Promise<KeyReport[]> {
  const store = await openStore(cli, options, settings);
  const failed: KeyReport[] = [];
  const reports: KeyReport[] = [];
  const facts: StoredKeyFacts[] = [];
  const unreadable: KeyName[] = [];
  for await (const reading of readKeys(store, () => true, true)) {
    cli.signal.throwIfAborted();
    if (reading.kind === "failed") {
      const { name, error } = reading;
      if (name !== undefined) unreadable.push(name);
      const source = name === undefined ? escapePath(store.location) : keyRecordName(name);
      const finding = makeFinding("STORE-FILE", { reason: error.message }, error.hint ? { fix: error.hint } : {});
      const about = { source, name: name && keyRecordName(name), description: "no usable key" };
      failed.push(makeNothingReport(about, [finding]));
      continue;
    }
    const { key } = reading;
    const name = keyRecordName(key.name);
    const loose = key.warnings.map((reason) => makeFinding("KEY-PERMISSIONS", { reason }));
    const findings = [...checkPrivateKey(key, name, blockList), ...loose];
    reports.push({
      ...makePrivateKeyReport(key, { source: escapePath(key.location), name, findings }),
      publish: undefined,
    });
    facts.push({ name: key.name, publicKey: key.privateKey.publicKey, writtenAt: key.writtenAt });
  }
  const leftovers = await store.leftovers?.([
    ...facts.map(({ name, publicKey }) => ({ name, fingerprint: publicKeyFingerprint(publicKey) })),
    ...unreadable.map((name) => ({ name, fingerprint: undefined })),
  ]);
  const left = leftovers?.map((leftover) => makeLeftoverReport(leftover, cli.now())) ?? [];
  if (reports.length + failed.length + left.length === 0) throw noKeysError(store.location, []);
  const beside = checkStoredKeys(facts, { now: cli.now(), maxAgeDays: options.maxAge });
  const judged = reports.map((report, index) => withFindings(report, beside[index] ?? []));
  return [...judged, ...failed, ...left].filter(({ findings }) => findings.length > 0);
}

function withFindings(report: KeyReport, more: KeyReport["findings"]): KeyReport {
  const findings = [...report.findings, ...more];
  const severity = worstSeverity(findings);
  return { ...report, findings, severity, state: severity === "error" ? "unusable" : "usable" };
}

function escapePath(path: string): string {
  return escapeDnsText(Buffer.from(path).toString("latin1"));
}
