import { UsageError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import type { RecordTags } from "../keys/key-store.ts";

/** What a user may ask of the optional tags of a record (RFC 6376 §3.6.1), as typed. */
export interface RecordTagOptions {
  /** h=, each argument one algorithm or a colon-separated list. */
  readonly hash?: readonly string[] | undefined;
  /** s= */
  readonly service?: readonly string[] | undefined;
  /** t= */
  readonly flags?: readonly string[] | undefined;
  /** n= */
  readonly note?: string | undefined;
}

/** DNS answers stay small: the note is for people and costs everybody who looks the key up. */
const MAX_NOTE_LENGTH = 200;

/**
 * @throws {UsageError} a value that would make the record unusable, or that no verifier knows
 */
export function parseRecordTags({ hash, service, flags, note }: RecordTagOptions): RecordTags {
  return {
    ...(hash !== undefined && hash.length > 0 && { hashAlgorithms: parseHashAlgorithms(hash) }),
    ...(service !== undefined && service.length > 0 && { serviceTypes: parseServiceTypes(service) }),
    ...(flags !== undefined && flags.length > 0 && { flags: parseFlags(flags) }),
    ...(note !== undefined && { note: parseNote(note) }),
  };
}

/** @throws {UsageError} without sha256 nothing can be verified; sha1 must not be used (RFC 8301 §3.1) */
function parseHashAlgorithms(values: readonly string[]): string[] {
  const algorithms = parseWords(values, "hash");
  if (algorithms.includes("sha1")) {
    throw new UsageError(`hash algorithm "sha1" must not be used (RFC 8301 §3.1)`, { hint: "use sha256" });
  }
  if (!algorithms.includes("sha256")) {
    throw new UsageError(`hash algorithms ${quoteName(algorithms.join(":"))} lack sha256, the only one in use`, {
      hint: "use sha256, or leave h= out",
    });
  }
  return algorithms;
}

/** @throws {UsageError} none of `email`, `*` and `tlsrpt` (RFC 8460 §3) is listed */
function parseServiceTypes(values: readonly string[]): string[] {
  const services = parseWords(values, "service", "*");
  if (!services.some((service) => ["email", "*", "tlsrpt"].includes(service))) {
    throw new UsageError(`service types ${quoteName(services.join(":"))} exclude mail`, {
      hint: "use email, or leave s= out",
    });
  }
  return services;
}

/** @throws {UsageError} a flag other than `y` and `s` */
function parseFlags(values: readonly string[]): string[] {
  const flags = parseWords(values, "flag");
  const unknown = flags.find((flag) => flag !== "y" && flag !== "s");
  if (unknown !== undefined) {
    throw new UsageError(`${quoteName(unknown)} is not a flag of key records`, {
      hint: "use y (testing) or s (no subdomains)",
    });
  }
  return flags;
}

/** @throws {UsageError} longer than a DNS answer should carry */
function parseNote(note: string): string {
  const text = note.normalize("NFC");
  if (Buffer.byteLength(text) > MAX_NOTE_LENGTH) {
    throw new UsageError(`the note has ${Buffer.byteLength(text)} octets; the limit is ${MAX_NOTE_LENGTH}`, {
      hint: "everybody who looks the key up fetches the note: keep it short",
    });
  }
  return text;
}

/** `hyphenated-word` of RFC 6376 §2.11, or `alsoAllowed`; doubles are dropped. */
function parseWords(values: readonly string[], what: string, alsoAllowed?: string): string[] {
  const words = values.flatMap((value) => value.split(":")).map((word) => word.trim());
  for (const word of words) {
    if (word !== alsoAllowed && !isHyphenatedWord(word)) {
      throw new UsageError(`${quoteName(word)} cannot be a ${what}: letters, digits and inner hyphens only`);
    }
  }
  return [...new Set(words)];
}

/** RFC 6376 §2.11: `ALPHA [ *(ALPHA / DIGIT / "-") (ALPHA / DIGIT) ]`. */
export function isHyphenatedWord(word: string): boolean {
  return /^[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(word);
}
