/**
 * The library face of dkimctl: key records, messages, and the key store. What is not exported here is not public.
 * @packageDocumentation
 */
import type { MessageLimits } from "./signing/message.ts";
import { type KeyLookup, type MessageVerification, verifyMessage as verifyMessageAt } from "./signing/verify.ts";

export type { Finding, FindingCode, FindingPosition, Severity } from "./checks/catalogue.ts";
export { type CheckRecordOptions, checkRecord, type RecordReport } from "./checks/check-record.ts";
export { checkRecordName } from "./checks/check-record-name.ts";
export { checkRrset, type RrsetReport } from "./checks/check-rrset.ts";
export { checkZone, type ZoneNameReport, type ZoneReport } from "./checks/check-zone.ts";
export { type CorrectedRecord, type CorrectRecordOptions, correctRecord } from "./checks/corrected-record.ts";
export {
  formatKeyRecord,
  type KeyRecord,
  KeyRecordSyntaxError,
  keyRecordFor,
  parseKeyRecord,
} from "./dns/key-record.ts";
export { type RecordInput, type RecordsAtName, recogniseRecordInput } from "./dns/record-input.ts";
export type { TxtAnswer } from "./dns/resolver.ts";
export { DkimctlError } from "./errors.ts";
export { DirectoryKeyStore, type DirectoryKeyStoreOptions } from "./keys/directory-key-store.ts";
export { type DomainName, NameSyntaxError, parseDomainName } from "./keys/domain-name.ts";
export { generateEd25519Key, generateRsaKey, KeyGenerationError } from "./keys/generate-key.ts";
export { type KeyName, keyRecordName, parseKeyName } from "./keys/key-name.ts";
export type {
  CreateOutcome,
  KeyBackup,
  KeyLocation,
  KeyProblem,
  KeyStore,
  KeyStoreEntry,
  KnownKey,
  LockableKeyStore,
  NamedNewKey,
  NewKey,
  PublicKeyEntry,
  RecordTags,
  ReplacedKey,
  StoredKey,
  StoredPublicKey,
  StoreLeftover,
  StoreLock,
} from "./keys/key-store.ts";
export {
  KeyExistsError,
  KeyFileError,
  KeyNotFoundError,
  KeyStoreError,
  StoreLockedError,
} from "./keys/key-store-errors.ts";
export {
  encodePrivateKey,
  type ParsedPrivateKey,
  type PrivateKey,
  PrivateKeyError,
  parsePrivateKey,
} from "./keys/private-key.ts";
export { type Ed25519PublicKey, type PublicKey, publicKeyFingerprint, type RsaPublicKey } from "./keys/public-key.ts";
export { parseSelector, type Selector } from "./keys/selector.ts";
export { MessageLimitError, type MessageLimits } from "./signing/message.ts";
export { type SignedMessage, SigningError, type SignOptions, signMessage } from "./signing/sign.ts";
export {
  type KeyLookup,
  type MessageVerification,
  type SignatureResult,
  type SignatureResultWord,
  summarizeResults,
} from "./signing/verify.ts";

export interface VerifyMessageOptions extends MessageLimits {
  /** The moment that x= and t= are compared with; default: now. */
  readonly now?: Date;
  /** Signatures examined; those after them are `policy`. Default 16. */
  readonly maxSignatures?: number;
  /** How far t= may lie in the future before the signature is `policy`; default 3600. */
  readonly clockSkewSeconds?: number;
}

/**
 * Verifies every DKIM-Signature of a message as RFC 6376 §6, RFC 8301 and RFC 8463 read when they are taken at their
 * word; results are RFC 8601's words.
 * @param raw the message with CRLF or LF line ends
 * @param resolver answers for the names of key records; a rejection counts as a temporary failure
 * @throws {MessageLimitError} the message is larger than the limits
 */
export function verifyMessage(
  raw: Uint8Array,
  resolver: KeyLookup,
  { now = new Date(), ...options }: VerifyMessageOptions = {},
): Promise<MessageVerification> {
  return verifyMessageAt(raw, resolver, { ...options, now });
}
