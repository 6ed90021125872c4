import { type DomainName, MAX_NAME_LENGTH, NameSyntaxError, parseDomainName } from "./domain-name.ts";
import { parseSelector, type Selector } from "./selector.ts";

/** Which key: the pair that names its DNS record and its file. */
export interface KeyName {
  readonly domain: DomainName;
  readonly selector: Selector;
}

/**
 * @throws {NameSyntaxError} either part is not valid, or `<selector>._domainkey.<domain>` is longer than DNS allows
 */
export function parseKeyName(domain: string, selector: string): KeyName {
  const name: KeyName = { domain: parseDomainName(domain), selector: parseSelector(selector) };
  const { length } = keyRecordName(name);
  if (length > MAX_NAME_LENGTH) {
    throw new NameSyntaxError(
      `the record's name ${name.selector}._domainkey.${name.domain} has ${length} characters; the limit is ${MAX_NAME_LENGTH}`,
      { hint: "choose a shorter selector" },
    );
  }
  return name;
}

/** The query name of the key record, without trailing dot (RFC 6376 §3.6.2.1). */
export function keyRecordName({ domain, selector }: KeyName): string {
  return `${selector}._domainkey.${domain}`;
}

/** Key names by domain, then selector: the order of every listing. */
export function compareKeyNames(a: KeyName, b: KeyName): number {
  if (a.domain !== b.domain) return a.domain < b.domain ? -1 : 1;
  return a.selector === b.selector ? 0 : a.selector < b.selector ? -1 : 1;
}

/** `<domain>.<selector>.pem`; a dot in the selector is stored as `%2E`, so that the last dot always divides the two. */
export function keyFileName({ domain, selector }: KeyName): string {
  return `${domain}.${selector.replaceAll(".", "%2E")}.pem`;
}

/**
 * The key name in a file name that ends in `.pem`.
 * @throws {NameSyntaxError} the name is not `<domain>.<selector>.pem`, or not as `keyFileName` would write it
 */
export function parseKeyFileName(fileName: string): KeyName {
  return parsePlainKeyFileName(fileName) ?? parseUnusualKeyFileName(fileName);
}

/** Letter-digit-hyphen labels, and the last before the selector ends in a letter, so that it is no number. */
const PLAIN_FILE_NAME =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?:[a-z0-9][a-z0-9-]{0,61})?[a-z]\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.pem$/;

/** The record's name is longer than the file's, by what `._domainkey` has more than `.pem`. */
const MAX_PLAIN_LENGTH = MAX_NAME_LENGTH - "._domainkey".length + ".pem".length;

/** What nearly every file name is, in one look: over 100,000 files it shows. */
function parsePlainKeyFileName(fileName: string): KeyName | undefined {
  if (fileName.length > MAX_PLAIN_LENGTH || !PLAIN_FILE_NAME.test(fileName)) return undefined;
  const end = fileName.length - ".pem".length;
  const lastDot = fileName.lastIndexOf(".", end - 1);
  return { domain: fileName.slice(0, lastDot) as DomainName, selector: fileName.slice(lastDot + 1, end) as Selector };
}

function parseUnusualKeyFileName(fileName: string): KeyName {
  const stem = fileName.slice(0, -".pem".length);
  const lastDot = stem.lastIndexOf(".");
  if (!fileName.endsWith(".pem") || lastDot < 1) {
    throw new NameSyntaxError(`the file name is not <domain>.<selector>.pem`, {
      hint: `rename the file, or link to it: ln -s FILE <domain>.<selector>.pem`,
    });
  }
  const name = parseKeyName(stem.slice(0, lastDot), stem.slice(lastDot + 1).replaceAll("%2E", "."));
  if (keyFileName(name) !== fileName) {
    throw new NameSyntaxError(`a key of ${keyRecordName(name)} must be stored as ${keyFileName(name)}`, {
      hint: "rename the file",
    });
  }
  return name;
}
