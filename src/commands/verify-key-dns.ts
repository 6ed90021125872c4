import { makeFinding } from "../checks/catalogue.ts";
import { checkRecordName } from "../checks/check-record-name.ts";
import { recordOfKey } from "../checks/record-to-publish.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { failureReason, isTemporary, type TxtLookup } from "../dns/resolver.ts";
import { TryAgainError } from "../errors.ts";
import { NameSyntaxError, parseDomainName, quoteName } from "../keys/domain-name.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import { KeyNotFoundError, KeyStoreError } from "../keys/key-store-errors.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import { makeNothingReport } from "../report/key-report/file-report.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";
import { makeRecordReport } from "../report/key-report/record-report.ts";
import { openResolver } from "./dns-options.ts";
import { openStore } from "./settings.ts";
import type { VerifyTools } from "./verify-key-options.ts";

interface KnownAboutName {
  readonly input?: KeyReport["input"];
  readonly privateKey?: PrivateKey | undefined;
}

/**
 * What a look-up finds at the selector that a message names, against the key at hand, or the key in the store when it
 * has one.
 * @throws {TryAgainError} the DNS gives no answer now
 */
export async function verifyPublished(name: KeyName, known: KnownAboutName, tools: VerifyTools): Promise<KeyReport> {
  const own = known.privateKey === undefined ? await openStoredKey(name, tools) : undefined;
  const stored = own && { privateKey: own.privateKey, tags: own.tags };
  const recordName = keyRecordName(name);
  return reportLookup(recordName, recordName, { ...stored, ...known }, tools);
}

/** An alias that is not published yet: its target is. @throws {TryAgainError} the DNS gives no answer now */
export async function verifyAlias(
  target: string,
  { name, ...known }: KnownAboutName & { readonly name: string | undefined },
  tools: VerifyTools,
): Promise<KeyReport> {
  const source = escapeDnsText(target);
  if (!isQueryName(target)) {
    const reason = `the alias leads to ${quoteName(target)}, which is no name of a record`;
    const finding = makeFinding("NAME-SYNTAX", { reason });
    return makeNothingReport({ source, name, ...known, aliases: [target], description: "an alias (CNAME)" }, [finding]);
  }
  tools.notices.notice(`an alias was given; looking up ${source}`);
  return reportLookup(target, name, known, tools, [target]);
}

/** Labels that any resolver takes: underscores stand in names of providers, too. */
function isQueryName(target: string): boolean {
  try {
    parseDomainName(target.replaceAll("_", "x"));
    return true;
  } catch (error) {
    if (error instanceof NameSyntaxError) return false;
    throw error;
  }
}

async function reportLookup(
  asked: string,
  name: string | undefined,
  known: KnownAboutName & { readonly tags?: RecordTags },
  tools: VerifyTools,
  aliases: readonly string[] = [],
): Promise<KeyReport> {
  const lookup = await lookUp(asked, tools);
  if (isTemporary(lookup) || lookup.status === "cname-elsewhere") {
    throw cannotLookUp(asked, failureReason(lookup));
  }
  const source = escapeDnsText(asked);
  const followed = [...aliases, ...lookup.cnames.map(({ to }) => to)];
  if (lookup.status === "found") {
    const texts = lookup.records.map(({ strings }) => strings.join(""));
    return makeRecordReport({ ...known, source, name, texts, aliases: followed, blockList: tools.blockList });
  }
  const findings = [
    ...(name === undefined ? [] : checkRecordName(name)),
    makeFinding("DNS-NO-RECORD", { reason: describeAbsence(asked, lookup) }),
  ];
  const { privateKey, tags, input } = known;
  const publish = privateKey && recordOfKey(privateKey.publicKey, { name, tags, blockList: tools.blockList });
  return makeNothingReport({ source, name, input, aliases: followed, description: "no record", publish }, findings);
}

/** @param reason escaped */
export function cannotLookUp(asked: string, reason: string): TryAgainError {
  return new TryAgainError(`cannot look ${asked} up: ${reason}`, {
    hint: "try again later, or ask another name server with --server",
  });
}

async function lookUp(asked: string, { cli, options, settings }: VerifyTools): Promise<TxtLookup> {
  const resolver = await openResolver(cli, options, settings);
  try {
    return await resolver.lookupTxt(asked);
  } finally {
    await resolver.close();
  }
}

/** @param lookup one that found nothing */
export function describeAbsence(asked: string, lookup: TxtLookup): string {
  const what = (isName: boolean) => (isName ? "NXDOMAIN" : "no TXT record");
  const name = escapeDnsText(asked);
  if (lookup.status === "cname-to-nothing") {
    const target = escapeDnsText(lookup.target);
    return `${name} is an alias of ${target}, and there is no record (${what(lookup.missing === "name")})`;
  }
  return `there is no record at ${name} (${what(lookup.status === "no-name")})`;
}

/** The store's own key of that name, and the store: then the truth comes from it. */
export async function openStoredKey(name: KeyName, { cli, options, settings }: VerifyTools) {
  try {
    const store = await openStore(cli, options, settings);
    const { privateKey, tags } = await store.read(name);
    return { store, privateKey, tags };
  } catch (error) {
    if (error instanceof KeyNotFoundError || error instanceof KeyStoreError) return undefined;
    throw error;
  }
}
