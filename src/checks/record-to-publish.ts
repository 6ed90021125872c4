import { formatKeyRecord, keyRecordFor } from "../dns/key-record.ts";
import type { RecordTags } from "../keys/key-store.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import type { BlockList } from "../keys/weak-keys/block-list.ts";
import { checkRecord } from "./check-record.ts";
import { correctedRecordName } from "./check-record-name.ts";
import { checkRrset } from "./check-rrset.ts";
import { type CorrectedRecord, correctRecord, correctRrset } from "./corrected-record.ts";

/** What should stand in the DNS instead of what was looked at. */
export interface RecordToPublish extends CorrectedRecord {
  /** Its name, without trailing dot, when it is known. */
  readonly name: string | undefined;
}

export interface RecordsAsFound {
  /** The TXT records at the name, each joined. */
  readonly texts: readonly string[];
  readonly name?: string | undefined;
  /** What was undone to read them: as they were written they would not have done. */
  readonly notes?: readonly string[] | undefined;
  /** The signer's key: the truth about k= and p= comes from it. */
  readonly privateKey?: PrivateKey | undefined;
  /** The tags that the store keeps with that key: then the whole record is known. */
  readonly tags?: RecordTags | undefined;
  /** No record is printed of a key in it. */
  readonly blockList?: BlockList | undefined;
}

/**
 * The record as it should be published; `undefined` when there is nothing to change, or when what was meant is not
 * certain. There is no error in it, and at least one fault of what was found is gone.
 */
export function recordToPublish({ texts, name, notes = [], ...known }: RecordsAsFound): RecordToPublish | undefined {
  const rightName = name === undefined ? undefined : correctedRecordName(name);
  const corrected = improvedRecord(texts, known);
  const [only = ""] = texts;
  const isFine = texts.length === 1 && checkRecord(only, known).severity !== "error";
  const text = corrected?.text ?? (isFine && (rightName !== undefined || notes.length > 0) ? only : undefined);
  if (text === undefined || /[^\x20-\x7e]/.test(text)) return undefined;
  const changes = [
    ...notes,
    ...(rightName === undefined ? [] : ["the domain stands in the name once"]),
    ...(corrected?.changes ?? []),
  ];
  return { name: rightName ?? name, text, changes };
}

type Known = Pick<RecordsAsFound, "privateKey" | "tags" | "blockList">;

function improvedRecord(texts: readonly string[], known: Known): CorrectedRecord | undefined {
  const { privateKey, blockList } = known;
  const found = checkRrset(texts, { privateKey, blockList });
  const all = [...found.findings, ...found.records.flatMap(({ findings }) => findings)];
  // A published private key is burnt: its public half is not to be published either.
  if (all.some(({ critical }) => critical)) return undefined;
  const before = new Set(all.map(codeOf));
  const candidates = texts.length === 1 ? [() => correctRecord(texts[0] ?? "", { privateKey })] : [];
  if (texts.length > 1) candidates.push(() => correctRrset(texts, { privateKey }));
  for (const candidate of [() => ownRecord(known), ...candidates]) {
    const corrected = candidate();
    if (corrected === undefined) continue;
    const after = checkRecord(corrected.text, { privateKey, blockList });
    const codes = new Set(after.findings.map(codeOf));
    if (after.severity !== "error" && [...before].some((code) => !codes.has(code))) return corrected;
  }
  return undefined;
}

const codeOf = ({ code }: { readonly code: string }) => code;

/** Of a key in the store all of the record is known; of another only the key, and the tags of what was found stay. */
function ownRecord({ privateKey, tags }: Known): CorrectedRecord | undefined {
  if (privateKey === undefined || tags === undefined) return undefined;
  const text = formatKeyRecord(keyRecordFor(privateKey.publicKey, tags));
  return { text, changes: ["it is the record of the key in the store"] };
}

/** The record of a key that is at hand; `undefined` when the key must not be used. */
export function recordOfKey(
  publicKey: PrivateKey["publicKey"],
  { name, tags, blockList }: Pick<RecordsAsFound, "name" | "tags" | "blockList"> = {},
): RecordToPublish | undefined {
  const text = formatKeyRecord(keyRecordFor(publicKey, tags));
  return checkRecord(text, { blockList }).severity === "error" ? undefined : { name, text, changes: [] };
}
