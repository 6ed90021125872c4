import { basename, resolve } from "node:path";
import { makeFinding } from "../checks/catalogue.ts";
import { checkPrivateKey } from "../checks/check-private-key.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { NameSyntaxError } from "../keys/domain-name.ts";
import { decryptPrivateKey } from "../keys/encrypted-private-key.ts";
import { DEFAULT_KEY_MODE } from "../keys/file-access.ts";
import { describeForeignFile } from "../keys/foreign-key-file.ts";
import { readKeyFile } from "../keys/key-file.ts";
import { keyRecordName, parseKeyFileName } from "../keys/key-name.ts";
import { type ParsedPrivateKey, PrivateKeyError, parsePrivateKey } from "../keys/private-key.ts";
import type { PublicKey } from "../keys/public-key.ts";
import { PublicKeyFileError, parsePublicKeyFile } from "../keys/public-key-file.ts";
import { makeNothingReport, makePrivateKeyReport, makePublicKeyReport } from "../report/key-report/file-report.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";
import { passphraseSource } from "./settings.ts";
import type { VerifyTools } from "./verify-key-options.ts";
import { decodeText, looksLikeRecord, type PastedText, verifyText } from "./verify-key-text.ts";

/** Mails come with attachments; what is longer is neither a key nor a record. */
const MAX_FILE_OCTETS = 16 * 1024 * 1024;

/** A file: a private key, a public key, or any text that a record can be found in. */
export async function verifyFile(
  path: string,
  record: PastedText | undefined,
  tools: VerifyTools,
): Promise<KeyReport[]> {
  const { bytes, warnings } = readKeyFile(resolve(path), {
    allowedMode: tools.settings.store.mode ?? DEFAULT_KEY_MODE,
    maxOctets: MAX_FILE_OCTETS,
  });
  const source = escapeDnsText(Buffer.from(path).toString("latin1"));
  return verifyBytes(bytes, { source, path, warnings, name: nameInPath(path) }, record, tools);
}

interface BytesToVerify {
  /** Escaped. */
  readonly source: string;
  /** What is asked the passphrase of. */
  readonly path: string;
  /** About the file. */
  readonly warnings: readonly string[];
  /** The record's name that the file's name tells. */
  readonly name: string | undefined;
}

/** What a file or standard input holds; with `record`, whether a private key there and the record belong together. */
export async function verifyBytes(
  bytes: Uint8Array,
  { source, path, warnings, name }: BytesToVerify,
  record: PastedText | undefined,
  tools: VerifyTools,
): Promise<KeyReport[]> {
  const read = await openPrivateKey(path, bytes, tools);
  if (!(read instanceof PrivateKeyError)) {
    const loose = warnings.map((reason) => makeFinding("KEY-PERMISSIONS", { reason }));
    const report = makePrivateKeyReport(read, {
      source,
      name,
      findings: [...checkPrivateKey(read, name, tools.blockList), ...loose],
    });
    if (record === undefined) return [report];
    return [report, ...(await verifyText(record, { name, privateKey: read.privateKey }, tools))];
  }
  const others = record === undefined ? [] : await verifyText(record, { name }, tools);
  const publicKey = readPublicKey(bytes);
  if (publicKey !== undefined) return [makePublicKeyReport(publicKey, { source, name }, tools.blockList), ...others];
  const text = decodeText(bytes);
  if (path === "-" || looksLikeRecord(text, tools.options.origin)) {
    return [...(await verifyText({ text, source }, { name }, tools)), ...others];
  }
  const description = (await describeForeignFile(bytes)) ?? "neither a key nor a record";
  return [makeNothingReport({ source, name, description }, checkPrivateKey(read)), ...others];
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
    const passphrase = await passphraseSource(cli, options)(path === "-" ? "standard input" : path);
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

function nameInPath(path: string): string | undefined {
  try {
    return keyRecordName(parseKeyFileName(basename(path)));
  } catch (error) {
    if (error instanceof NameSyntaxError) return undefined;
    throw error;
  }
}
