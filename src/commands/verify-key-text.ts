import { makeFinding } from "../checks/catalogue.ts";
import { checkRecordName } from "../checks/check-record-name.ts";
import { quotePart } from "../checks/finding-list.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { type RecordInput, type RecordsAtName, recogniseRecordInput } from "../dns/record-input.ts";
import { ExitCode, TryAgainError } from "../errors.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import { makeNothingReport } from "../report/key-report/file-report.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";
import { tryKeyName } from "../report/key-report/published-record.ts";
import { makeAliasReport, makeRecordReport } from "../report/key-report/record-report.ts";
import { verifyAlias, verifyPublished } from "./verify-key-dns.ts";
import type { VerifyTools } from "./verify-key-options.ts";

/** Text as somebody typed or pasted it. */
export interface PastedText {
  readonly text: string;
  /** Escaped. */
  readonly source: string;
}

export interface KnownAboutText {
  /** The record's name, when the text does not say. */
  readonly name?: string | undefined;
  readonly privateKey?: PrivateKey;
}

/** A zone file has thousands of aliases, and is checked before it is published: that is for --zone. */
const MAX_ALIASES_FOLLOWED = 20;

/** Whatever people paste: each name in it has a report. A message or an alias holds no record: the DNS is asked. */
export async function verifyText(
  { text, source }: PastedText,
  known: KnownAboutText,
  tools: VerifyTools,
): Promise<KeyReport[]> {
  const input = recogniseRecordInput(text, { origin: tools.options.origin });
  const reports: KeyReport[] = [];
  let aliases = 0;
  for (const at of [input, ...input.others]) {
    tools.cli.throwIfEnded();
    const { name, target, records } = at;
    if (target !== undefined && records.length === 0 && ++aliases > MAX_ALIASES_FOLLOWED) {
      const findings = [makeFinding("DNS-CNAME", { part: quotePart(target) })];
      reports.push(makeAliasReport({ source, name, input, target, findings }));
      continue;
    }
    try {
      reports.push(await verifyName(at, input, source, known, tools));
    } catch (error) {
      if (!(error instanceof TryAgainError)) throw error;
      // One name that cannot be looked up now hides no other.
      tools.notices.error(error);
      tools.cli.exitCode = ExitCode.tryAgain;
    }
  }
  return reports;
}

async function verifyName(
  at: Partial<Pick<RecordsAtName, "name" | "target">> & Pick<RecordsAtName, "records">,
  input: RecordInput,
  source: string,
  known: KnownAboutText,
  tools: VerifyTools,
): Promise<KeyReport> {
  const { target, records } = at;
  const name = at.name ?? known.name;
  // A key in a file of a name is not that of every record in a zone.
  const isOther = at.name !== undefined && known.name !== undefined && at.name.toLowerCase() !== known.name;
  const privateKey = isOther ? undefined : known.privateKey;
  if (records.length > 0) {
    const aliases = target === undefined ? [] : [target];
    const { notes } = input;
    const found = { name, texts: records, notes, privateKey, blockList: tools.blockList };
    return makeRecordReport({ source, input, aliases, ...found });
  }
  if (target !== undefined) return verifyAlias(target, { name, input, privateKey }, tools);
  const keyName = name === undefined ? undefined : tryKeyName(name);
  if (keyName !== undefined) {
    tools.notices.notice(`${source} is a signed message; looking up ${name === undefined ? "" : escapeDnsText(name)}`);
    return verifyPublished(keyName, { input, privateKey }, tools);
  }
  const findings = checkRecordName(name ?? "");
  return makeNothingReport({ source, name, input, description: "a signed message that names no key" }, findings);
}

/** Whether there is a record or the name of one in the text; of random octets and other files there is not. */
export function looksLikeRecord(text: string, origin: string | undefined): boolean {
  if (text.includes("\0")) return false;
  const { form, name, target, others } = recogniseRecordInput(text, { origin });
  const isName = (at: string | undefined) => at !== undefined && /(?:^|\.)_domainkey(?:\.|$)/i.test(at);
  if (form === "message" || isName(name) || isName(target) || others.some((other) => isName(other.name))) return true;
  return /(?:^|[\s";(\ufeff])(?:v[ \t]*=[ \t]*DKIM1|p[ \t]*=)/i.test(text);
}

/** UTF-8, UTF-16 with a byte order mark as some editors write it, or else one character an octet. */
export function decodeText(bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: encoding === "utf-8" }).decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  }
}
