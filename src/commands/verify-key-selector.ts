import { makeFinding } from "../checks/catalogue.ts";
import { DEFAULT_POLICY } from "../checks/check-policy.ts";
import { checkRecordName } from "../checks/check-record-name.ts";
import { findPublicationFaults } from "../checks/publication-faults.ts";
import { describeNever } from "../checks/publication-reach.ts";
import type { PublicationTest } from "../checks/published-key.ts";
import { recordOfKey } from "../checks/record-to-publish.ts";
import { isTemporary } from "../dns/resolver.ts";
import { ExitCode } from "../errors.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import { makeNothingReport } from "../report/key-report/file-report.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";
import { makeRecordReport } from "../report/key-report/record-report.ts";
import { openResolver, openServerPool } from "./dns-options.ts";
import { EvidenceGatherer } from "./key-evidence.ts";
import { storeSource } from "./key-source.ts";
import { evidenceMode } from "./publication-options.ts";
import { type PublicationTools, testPublication } from "./publication-test.ts";
import { cannotLookUp, describeAbsence, openStoredKey } from "./verify-key-dns.ts";
import type { VerifyTools } from "./verify-key-options.ts";

interface OwnKey {
  readonly privateKey: PrivateKey;
  readonly tags: RecordTags;
}

/**
 * What the world sees at a selector, as thoroughly as testkeys looks, against the key in the store when it has one.
 * @throws {TryAgainError} the DNS gives no answer now
 */
export async function verifySelector(name: KeyName, tools: VerifyTools): Promise<KeyReport> {
  const { cli, options, settings } = tools;
  const mode = evidenceMode(options, false);
  const stored = await openStoredKey(name, tools);
  const resolver = await openResolver(cli, options, settings);
  const pool = await openServerPool(cli, options, settings);
  const port = settings.dns["authoritative-port"];
  try {
    const test = await testPublication(
      { name, publicKey: stored?.privateKey.publicKey, privateKey: stored?.privateKey, tags: stored?.tags },
      {
        source: stored === undefined ? NO_OTHER_KEYS : storeSource(stored.store),
        evidence: new EvidenceGatherer({ resolver, pool, mode, port, signal: cli.signal }),
        policy: { ...DEFAULT_POLICY, requireDnssec: options.requireDnssec === true },
        now: cli.now,
      },
    );
    cli.throwIfEnded();
    if (test.verdict === "temporary") cli.exitCode = ExitCode.tryAgain;
    return reportTest(name, test, stored && { privateKey: stored.privateKey, tags: stored.tags }, tools);
  } finally {
    await Promise.all([resolver.close(), pool.close()]);
  }
}

/** Other keys of the store say nothing about one that it does not have. */
const NO_OTHER_KEYS: PublicationTools["source"] = {
  findOwner: async () => undefined,
  selectorsOf: async () => [],
};

function reportTest(
  keyName: KeyName,
  test: PublicationTest,
  own: OwnKey | undefined,
  { blockList }: VerifyTools,
): KeyReport {
  const name = keyRecordName(keyName);
  const { lookup, answer = lookup, aliases, code, reason } = test;
  const isAnswered = answer !== undefined && !isTemporary(answer) && answer.status !== "cname-elsewhere";
  if (test.verdict === "temporary" && !isAnswered) throw cannotLookUp(name, reason);
  const faults = findPublicationFaults(test, own?.privateKey.publicKey);
  const known = { source: name, name, aliases };
  if (answer?.status === "found") {
    const texts = answer.records.map(({ strings }) => strings.join(""));
    const report = makeRecordReport({ ...known, ...own, texts, findings: faults, blockList });
    const isSpoilt = report.state === "usable" && report.severity === "error";
    return { ...report, state: isSpoilt ? "unusable" : report.state, publication: test };
  }
  const absence = isAnswered
    ? [makeFinding("DNS-NO-RECORD", { reason: `${describeAbsence(name, answer)}${describeNever(test.authoritative)}` })]
    : [];
  const isDnssec = code.startsWith("dnssec-");
  const publish =
    own && !isDnssec ? recordOfKey(own.privateKey.publicKey, { name, tags: own.tags, blockList }) : undefined;
  const description = isAnswered ? "no record" : isDnssec ? "no record that can be believed" : "no one record";
  const findings = [...checkRecordName(name), ...absence, ...faults];
  return { ...makeNothingReport({ ...known, description, publish }, findings), publication: test };
}
