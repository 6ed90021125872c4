import { formatKeyRecord, type KeyRecord, keyRecordFor, splitColonList } from "../dns/key-record.ts";
import { decodeQpSection } from "../dns/qp-section.ts";
import { isHyphenatedWord } from "../dns/record-tags.ts";
import { scanTagList, trimFws } from "../dns/tag-list.ts";
import type { RecordTags } from "../keys/key-store.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import type { PublicKey } from "../keys/public-key.ts";
import { checkRecord } from "./check-record.ts";
import { salvagePublicKey } from "./salvaged-key.ts";
import { undoPasting } from "./undo-pasting.ts";

export interface CorrectedRecord {
  /** The record as it should be published; `checkRecord` finds no error in it. */
  readonly text: string;
  /** What was changed, one sentence each: lower case, no full stop. */
  readonly changes: readonly string[];
}

export interface CorrectRecordOptions {
  /** The signer's key: the truth about p= and k= comes from it. */
  readonly privateKey?: PrivateKey | undefined;
}

/**
 * The record that was meant, when that is beyond doubt: what was pasted around it is removed, the key is put into the
 * form that everybody reads, tags into their order. `undefined` when there is nothing to change, when the key cannot be
 * recovered with certainty, or when it must not be used at all (a published private key, a weak key).
 */
export function correctRecord(text: string, { privateKey }: CorrectRecordOptions = {}): CorrectedRecord | undefined {
  if (privateKey === undefined && checkRecord(text).findings.some(({ critical }) => critical)) return undefined;
  const changes: string[] = [];
  const clean = undoPasting(text, changes);
  const tags = readTags(clean, changes);
  const record = correctKey(tags, privateKey, changes);
  if (record === undefined) return undefined;
  const corrected = formatKeyRecord({ ...correctTags(tags, changes), ...record });
  if (corrected === text || checkRecord(corrected, { privateKey }).severity === "error") return undefined;
  if (tags.get("v") === undefined) changes.push("v=DKIM1 is put in front");
  else if (tags.keys().next().value !== "v" || tags.get("v") !== "DKIM1")
    changes.push("v=DKIM1 is put right, as the first tag");
  if (changes.length === 0) changes.push("tags are in their usual order and spelling");
  return { text: corrected, changes };
}

/**
 * One record out of several at one name: the halves of a long record, stored as two. `undefined` when the parts do
 * not make one good record in exactly one order.
 */
export function correctRrset(
  texts: readonly string[],
  options: CorrectRecordOptions = {},
): CorrectedRecord | undefined {
  const [first, second] = texts;
  if (first === undefined || second === undefined || texts.length > 2) return undefined;
  const isGood = (text: string) => checkRecord(text, options).severity !== "error";
  if (isGood(first) || isGood(second)) return undefined;
  const joined = [first + second, second + first].filter(isGood);
  const [text] = joined;
  if (text === undefined || joined.length > 1) return undefined;
  return { text, changes: ["the two records are joined: they are the halves of one"] };
}

/** Of tags that stand twice the first is kept when both say the same, and none otherwise. */
function readTags(text: string, changes: string[]): Map<string, string> {
  const { tags, faults } = scanTagList(text);
  const read = new Map<string, string>();
  const names = new Set(tags.map(({ name }) => name));
  const contradicted = new Set<string>();
  for (const tag of tags) {
    const lower = tag.name.toLowerCase();
    const name = tag.name.length === 1 && !names.has(lower) ? lower : tag.name;
    const value = trimFws(tag.value);
    if (name !== tag.name) changes.push(`${tag.name}= is written in lower case`);
    const earlier = read.get(name);
    if (earlier !== undefined) changes.push(`the second ${name}= is removed`);
    if (earlier !== undefined && earlier !== value) contradicted.add(name);
    if (earlier === undefined) read.set(name, value);
  }
  for (const name of contradicted) read.delete(name);
  if (faults.some(({ kind }) => kind === "no-equals" || kind === "bad-name"))
    changes.push("parts that are no tags are removed");
  if (faults.some(({ kind }) => kind === "empty-spec")) changes.push("surplus semicolons are removed");
  if (faults.some(({ kind }) => kind === "trailing-space")) changes.push("white space at the end is removed");
  return read;
}

function correctKey(
  tags: ReadonlyMap<string, string>,
  privateKey: PrivateKey | undefined,
  changes: string[],
): Pick<KeyRecord, "keyType" | "publicKey"> | undefined {
  const keyType = tags.get("k") ?? "rsa";
  const value = tags.get("p");
  if (privateKey !== undefined) {
    changes.push("k= and p= are those of the private key");
    return keyRecordFor(privateKey.publicKey);
  }
  if (value === undefined) return undefined;
  if (value === "") return keyType === "rsa" || keyType === "ed25519" ? { keyType, publicKey: undefined } : undefined;
  const key: PublicKey | undefined = salvagePublicKey(value, changes);
  if (key === undefined) return undefined;
  if (key.type !== keyType) changes.push(`k= is ${key.type}, as the key is`);
  else if (!tags.has("k")) changes.push(`k=${key.type} is written out`);
  return keyRecordFor(key);
}

/** The other tags, as far as they say something that verifiers heed. */
function correctTags(tags: ReadonlyMap<string, string>, changes: string[]): RecordTags & Pick<KeyRecord, "otherTags"> {
  const list = (name: string, isKept: (word: string) => boolean): string[] | undefined => {
    const value = tags.get(name);
    if (value === undefined) return undefined;
    const words = [...new Set(splitColonList(value).filter(isKept))];
    if (words.join(":") !== value)
      changes.push(words.length === 0 ? `${name}= is removed` : `${name}= is ${words.join(":")}`);
    return words.length === 0 ? undefined : words;
  };
  const hashAlgorithms = list("h", (word) => word === "sha256");
  const serviceTypes = list("s", (word) => word === "email" || word === "*");
  const flags = list("t", (word) => isHyphenatedWord(word));
  const note = tags.get("n");
  const others = [...tags].filter(([name]) => !["v", "h", "k", "s", "t", "n", "p"].includes(name));
  const kept = others.filter(([name, value]) => name !== "g" && /^[\x20-\x7e]*$/.test(value) && name.length > 1);
  for (const [name] of others) if (!kept.some(([other]) => other === name)) changes.push(`${name}= is removed`);
  return {
    ...(hashAlgorithms !== undefined && { hashAlgorithms }),
    ...(serviceTypes !== undefined && { serviceTypes }),
    ...(flags !== undefined && { flags }),
    ...(note !== undefined && note !== "" && { note: decodeQpSection(note) }),
    ...(kept.length > 0 && { otherTags: new Map(kept) }),
  };
}
