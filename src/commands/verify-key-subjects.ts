import { basename, resolve } from "node:path";
import { makeFinding, worstSeverity } from "../checks/catalogue.ts";
import { checkKeyStrength } from "../checks/check-key-strength.ts";
import { checkPrivateKey } from "../checks/check-private-key.ts";
import type { RecordReport } from "../checks/check-record.ts";
import { checkRrset } from "../checks/check-rrset.ts";
import { FindingList } from "../checks/finding-list.ts";
import type { CliContext } from "../context.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { formatKeyRecord, keyRecordFor } from "../dns/key-record.ts";
import { failureReason, isTemporary } from "../dns/resolver.ts";
import { TryAgainError } from "../errors.ts";
import { NameSyntaxError } from "../keys/domain-name.ts";
import { decryptPrivateKey } from "../keys/encrypted-private-key.ts";
import { DEFAULT_KEY_MODE } from "../keys/file-access.ts";
import { describeForeignFile } from "../keys/foreign-key-file.ts";
import { readKeyFile } from "../keys/key-file.ts";
import { type KeyName, keyRecordName, parseKeyFileName } from "../keys/key-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import { KeyNotFoundError, KeyStoreError } from "../keys/key-store-errors.ts";
import { type ParsedPrivateKey, type PrivateKey, PrivateKeyError, parsePrivateKey } from "../keys/private-key.ts";
import type { PublicKey } from "../keys/public-key.ts";
import { PublicKeyFileError, parsePublicKeyFile } from "../keys/public-key-file.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";
import { openResolver } from "./dns-options.ts";
import type { Notices } from "./notices.ts";
import { openStore, passphraseSource, type Settings } from "./settings.ts";
import type { VerifyKeyOptions } from "./verify-key.ts";

export interface VerifyTools {
  readonly cli: CliContext;
  readonly options: VerifyKeyOptions;
  readonly notices: Notices;
  readonly settings: Settings;
}

/** A file: a private key, a public key, or the text of a record. With `record`, whether the two belong together. */
export async function verifyFile(path: string, record: string | undefined, tools: VerifyTools): Promise<KeyReport[]> {
  const { bytes, warnings } = readKeyFile(resolve(path), {
    allowedMode: tools.settings.store.mode ?? DEFAULT_KEY_MODE,
  });
  const name = nameInPath(path);
  const source = escapeDnsText(Buffer.from(path).toString("latin1"));
  const read = await openPrivateKey(path, bytes, tools);
  if (!(read instanceof PrivateKeyError)) {
    const loose = warnings.map((reason) => makeFinding("KEY-PERMISSIONS", { reason }));
    const findings = [...checkPrivateKey(read, name && keyRecordName(name)), ...loose];
    const report = privateKeyReport(read, { source, name, findings });
    if (record === undefined) return [report];
    return [report, verifyRecordText(record, { source: "--record", name, privateKey: read.privateKey })];
  }
  const publicKey = readPublicKey(bytes);
  if (publicKey !== undefined) return [publicKeyReport(publicKey, { source, name })];
  const text = Buffer.from(bytes).toString("utf8");
  if (looksLikeRecord(text)) return [verifyRecordText(text, { source, name })];
  const what = await describeForeignFile(bytes);
  const findings = checkPrivateKey(read);
  return [
    {
      ...{ kind: "nothing", source, name, findings, description: what ?? "no private key that can be used" },
      ...{
        state: "unusable",
        severity: worstSeverity(findings),
        publicKey: undefined,
        records: [],
        publish: undefined,
      },
    },
  ];
}

/** What the world sees at a selector, against the key in the store when it has one. */
export async function verifyPublished(name: KeyName, tools: VerifyTools): Promise<KeyReport[]> {
  const { cli, options, settings } = tools;
  const stored = await readStoredKey(name, tools);
  const resolver = await openResolver(cli, options, settings);
  const recordName = keyRecordName(name);
  try {
    const lookup = await resolver.lookupTxt(recordName);
    if (isTemporary(lookup)) {
      throw new TryAgainError(`cannot look ${recordName} up: ${failureReason(lookup)}`, {
        hint: "try again later, or ask another name server with --server",
      });
    }
    const records = lookup.status === "found" ? lookup.records.map(({ strings }) => strings.join("")) : [];
    if (records.length > 0) return [recordReport(records, { source: recordName, name, ...stored })];
    const reason = `there is no record at ${recordName} (${lookup.status === "no-name" ? "NXDOMAIN" : "no TXT record"})`;
    const findings = [makeFinding("DNS-NO-RECORD", { reason })];
    return [
      {
        ...{ kind: "nothing", source: recordName, name, description: "no record", findings, records },
        ...{ state: "unusable", severity: "error", publicKey: undefined, publish: stored && expectedRecord(stored) },
      },
    ];
  } finally {
    await resolver.close();
  }
}

interface KnownAboutRecord {
  readonly source: string;
  readonly name?: KeyName | undefined;
  readonly privateKey?: PrivateKey;
  readonly tags?: RecordTags;
}

/** A record as somebody typed or pasted it. */
export function verifyRecordText(text: string, about: KnownAboutRecord): KeyReport {
  return recordReport([text.replace(/\r?\n$/, "")], about);
}

function recordReport(records: readonly string[], about: KnownAboutRecord): KeyReport {
  const { source, name, privateKey } = about;
  const report = checkRrset(records, { name: name && keyRecordName(name), privateKey });
  const { state, severity, publicKey } = report;
  const own = records.length > 1 ? report.records.flatMap(({ findings }) => findings) : [];
  const expected = privateKey && expectedRecord({ privateKey, tags: about.tags });
  return {
    ...{ kind: "record", source, name, state, severity, findings: [...report.findings, ...own], publicKey, records },
    description: describeRecord(report, records.length),
    publish: severity === "error" ? expected : undefined,
  };
}

function describeRecord({ publicKey, state }: RecordReport, count: number): string {
  if (count > 1) return `${count} TXT records`;
  if (publicKey !== undefined) return `key record, ${describeSize(publicKey)}`;
  return state === "revoked" ? "key record of a revoked key" : "not a usable key record";
}

function privateKeyReport(
  { privateKey, format, encoding }: ParsedPrivateKey,
  { source, name, findings }: Pick<KeyReport, "source" | "name" | "findings">,
): KeyReport {
  const { publicKey } = privateKey;
  const severity = worstSeverity(findings);
  return {
    ...{ kind: "private-key", source, name, findings, severity, publicKey, records: [] },
    state: severity === "error" ? "unusable" : "usable",
    description: `private key, ${describeSize(publicKey)}, ${format} in ${encoding}`,
    publish: expectedRecord({ privateKey }),
  };
}

function publicKeyReport(publicKey: PublicKey, { source, name }: Pick<KeyReport, "source" | "name">): KeyReport {
  const findings = new FindingList();
  checkKeyStrength(publicKey, { name: name && keyRecordName(name) }, findings);
  const list = findings.toArray();
  const severity = worstSeverity(list);
  return {
    ...{ kind: "public-key", source, name, findings: list, severity, publicKey, records: [] },
    state: severity === "error" ? "unusable" : "usable",
    description: `public key, ${describeSize(publicKey)}`,
    publish: formatKeyRecord(keyRecordFor(publicKey)),
  };
}

function describeSize(publicKey: PublicKey): string {
  return publicKey.type === "rsa" ? `RSA, ${publicKey.modulusBits} bits` : "Ed25519";
}

function expectedRecord({ privateKey, tags }: { privateKey: PrivateKey; tags?: RecordTags | undefined }): string {
  return formatKeyRecord(keyRecordFor(privateKey.publicKey, tags));
}

async function openPrivateKey(
  path: string,
  bytes: Uint8Array,
  { cli, options }: VerifyTools,
): Promise<ParsedPrivateKey | PrivateKeyError> {
  try {
    return parsePrivateKey(bytes);
  } catch (error) {
    if (!(error instanceof PrivateKeyError)) throw error;
    if (error.kind !== "encrypted") return error;
    const passphrase = await passphraseSource(cli, options)(path);
    return passphrase === undefined ? error : decryptPrivateKey(bytes, passphrase);
  }
}

function readPublicKey(bytes: Uint8Array): PublicKey | undefined {
  try {
    return parsePublicKeyFile(bytes).publicKey;
  } catch (error) {
    if (error instanceof PublicKeyFileError) return undefined;
    throw error;
  }
}

/** The store's own key of that name: then the truth comes from it. */
async function readStoredKey(name: KeyName, { cli, options, settings }: VerifyTools) {
  try {
    const { privateKey, tags } = await (await openStore(cli, options, settings)).read(name);
    return { privateKey, tags };
  } catch (error) {
    if (error instanceof KeyNotFoundError || error instanceof KeyStoreError) return undefined;
    throw error;
  }
}

function nameInPath(path: string): KeyName | undefined {
  try {
    return parseKeyFileName(basename(path));
  } catch (error) {
    if (error instanceof NameSyntaxError) return undefined;
    throw error;
  }
}

/** Has a tag that only key records have; binary data never does by chance. */
function looksLikeRecord(text: string): boolean {
  return /(?:^|[\s";(])(?:v=DKIM1|p=)/i.test(text) && !text.includes("\0");
}
