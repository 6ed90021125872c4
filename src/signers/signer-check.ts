import { DEFAULT_POLICY } from "../checks/check-policy.ts";
import { checkPublishedKey, type PublishedKeyEvidence } from "../checks/published-key.ts";
import { concurrentMap } from "../concurrent-map.ts";
import { DkimctlError } from "../errors.ts";
import type { Readability } from "../keys/file-reader.ts";
import { compareKeyNames, type KeyName, keyRecordName, parseKeyName } from "../keys/key-name.ts";
import type { StoredPublicKey } from "../keys/key-store.ts";
import { systemErrorCode } from "../keys/key-store-errors.ts";
import type { ParsedPrivateKey } from "../keys/private-key.ts";
import { publicKeyFingerprint, samePublicKey } from "../keys/public-key.ts";
import { EXPORT_FORMS } from "./index.ts";
import type { SignerKey } from "./signer-form.ts";
import type { SenderChoice, SignerEntry } from "./signer-reading.ts";

/** Whether a signer can sign with a key that its configuration names, and the world verify it. */
export interface SignerKeyCheck {
  readonly name: KeyName;
  /** What names the key; absent for one that nothing names. */
  readonly entry?: SignerEntry;
  /** `temporary`: the DNS did not answer, and nothing else is wrong. */
  readonly verdict: "ok" | "fail" | "temporary" | "unused";
  readonly problems: readonly SignerProblem[];
  /** What is no fault, and is good to know. */
  readonly notes: readonly string[];
}

export interface SignerProblem {
  /** Stable, for scripts. What the DNS has against the key is told by the codes of testkeys. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What the check may ask of the world. */
export interface SignerCheckTools {
  readonly signer: string;
  readonly now: Date;
  /** The key of a file. @throws {DkimctlError} it is missing, cannot be read even by us, or is no key */
  readKeyFile(path: string): ParsedPrivateKey;
  /** The key in octets. @throws {DkimctlError} */
  parseKey(bytes: Uint8Array): ParsedPrivateKey;
  /** As the signer's user. */
  testReading(paths: readonly string[]): Promise<readonly Readability[]>;
  /** What the DNS holds at the key's name. */
  askDns(name: KeyName): Promise<PublishedKeyEvidence>;
}

/** As testkeys: answers are waited for, not computed. */
const LOOKUPS_AT_ONCE = 32;

/**
 * Checks each key that a configuration names, and names each key of the store that it does not.
 * @param stored every key of the store that can be read
 * @returns in order of the names
 */
export async function checkSignerKeys(
  entries: readonly SignerEntry[],
  stored: readonly StoredPublicKey[],
  tools: SignerCheckTools,
): Promise<SignerKeyCheck[]> {
  const form = Object.values(EXPORT_FORMS[tools.signer] ?? {})[0]?.form;
  const inStore = new Map(stored.map((key) => [keyRecordName(key.name), key]));
  const byFingerprint = new Map(stored.map((key) => [publicKeyFingerprint(key.publicKey), key.name]));
  const read = entries.map((entry) => ({ entry, ...readEntry(entry, tools) }));
  const paths = entries.flatMap(({ source }) => (source.kind === "file" ? [source.path] : []));
  const readabilities = await tools.testReading(paths);
  const readability = new Map(paths.map((path, index) => [path, readabilities[index]]));
  const known = read.flatMap(({ entry, parsed }) => (parsed === undefined ? [] : [signerKey(entry, parsed)]));

  const checkEntry = async ({ entry, parsed, problem }: (typeof read)[number]): Promise<SignerKeyCheck> => {
    const { name, source } = entry;
    if (parsed === undefined) return { name, entry, verdict: "fail", problems: [problem], notes: [] };
    const problems: SignerProblem[] = [];
    const access = source.kind === "file" ? readability.get(source.path) : undefined;
    if (access?.kind === "unreadable") {
      problems.push({
        code: "unreadable",
        message: access.reason,
        hint: "keygen --mode 0640 --group GROUP makes keys for it",
      });
    }
    const asKey = signerKey(entry, parsed);
    const reason = form?.cannotUse?.(asKey, known);
    if (reason !== undefined) problems.push({ code: "unusable", message: reason });
    const { publicKey } = parsed.privateKey;
    const own = inStore.get(keyRecordName(name));
    const otherName = byFingerprint.get(publicKeyFingerprint(publicKey));
    const notes = [form?.caution?.(asKey)].flatMap((caution) => caution ?? []);
    if (own !== undefined && !samePublicKey(own.publicKey, publicKey)) {
      problems.push({ code: "not-the-stored", message: `the store has another key of this name: ${own.location}` });
    } else if (own === undefined && otherName !== undefined) {
      const message = `in the store this is the key of ${keyRecordName(otherName)}`;
      problems.push({ code: otherName.domain === name.domain ? "other-selector" : "other-domain", message });
    } else if (own === undefined) notes.push("this key is not in the store");
    const evidence = await tools.askDns(name);
    const tags = own?.tags ?? entry.tags;
    const published = await checkPublishedKey(
      { name, publicKey, privateKey: parsed.privateKey, tags },
      evidence,
      DEFAULT_POLICY,
      tools.now,
    );
    const isTemporary = published.verdict === "temporary";
    if (published.verdict !== "pass") problems.push({ code: published.code, message: published.reason });
    const verdict = problems.length === 0 ? "ok" : isTemporary && problems.length === 1 ? "temporary" : "fail";
    return { name, entry, verdict, problems, notes };
  };
  const checks: SignerKeyCheck[] = [];
  for await (const check of concurrentMap(read, LOOKUPS_AT_ONCE, checkEntry)) checks.push(check);

  const used = new Set(entries.map(({ name }) => keyRecordName(name)));
  const unused = stored.flatMap(({ name, location }): SignerKeyCheck[] => {
    if (used.has(keyRecordName(name))) return [];
    const message = `${tools.signer} is not told of this key: ${location}`;
    return [{ name, verdict: "unused", problems: [{ code: "unused", message }], notes: [] }];
  });
  return [...checks, ...unused].sort((a, b) => compareKeyNames(a.name, b.name));
}

type EntryKey =
  | { readonly parsed: ParsedPrivateKey; readonly problem?: undefined }
  | { readonly parsed?: undefined; readonly problem: SignerProblem };

function readEntry({ source }: SignerEntry, tools: SignerCheckTools): EntryKey {
  try {
    return { parsed: source.kind === "file" ? tools.readKeyFile(source.path) : tools.parseKey(source.bytes) };
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    const isBarred = systemErrorCode(error.cause) === "EACCES";
    const code = error.code === "DKIM_KEY_NOT_FOUND" ? "missing" : isBarred ? "unreadable" : "not-a-key";
    return { problem: { code, message: error.message, hint: error.hint } };
  }
}

/**
 * Choices of a key that no entry has: mail of that sender goes without a signature.
 * @param choices with senders that are domains, addresses, or patterns such as `.example.com`
 */
export function checkChoices(choices: readonly SenderChoice[], entries: readonly SignerEntry[]): SignerKeyCheck[] {
  return choices.flatMap(({ sender, domain = sender.replace(/^.*@|^\./, ""), selector, where }): SignerKeyCheck[] => {
    const ofDomain = entries.filter(({ name }) => name.domain === domain);
    if (selector === undefined || ofDomain.some(({ name }) => name.selector === selector)) return [];
    const known = ofDomain.map(({ name }) => name.selector).join(", ");
    const message = `${where} wants this key for mail of ${sender}, and ${known === "" ? "no key of the domain is there" : `of the domain there is only ${known}`}`;
    const problems = [{ code: "no-such-key", message, hint: "mail of this sender goes without a signature" }];
    try {
      return [{ name: parseKeyName(domain, selector), verdict: "fail", problems, notes: [] }];
    } catch (error) {
      if (error instanceof DkimctlError) return [];
      throw error;
    }
  });
}

/** The checks with notes on keys that are there and do not sign, because another key of the domain was chosen. */
export function noteChoices(checks: readonly SignerKeyCheck[], choices: readonly SenderChoice[]): SignerKeyCheck[] {
  const chosen = new Map<string, SenderChoice[]>();
  for (const choice of choices) {
    const domain = choice.domain ?? choice.sender;
    if (choice.selector !== undefined) chosen.set(domain, [...(chosen.get(domain) ?? []), choice]);
  }
  return checks.map((check) => {
    const [first, ...others] = chosen.get(check.name.domain) ?? [];
    const signs = [first, ...others].some((choice) => choice?.selector === check.name.selector);
    if (check.entry === undefined || first === undefined || signs) return check;
    const note = `it signs nothing: ${first.where} chooses ${first.selector} for mail of ${first.sender}`;
    return { ...check, notes: [...check.notes, note] };
  });
}

function signerKey({ name, source, tags }: SignerEntry, { privateKey, encoding }: ParsedPrivateKey): SignerKey {
  return { name, path: source.kind === "file" ? source.path : "/", algorithm: privateKey.type, encoding, tags };
}
