import { type KeyRecord, KeyRecordSyntaxError, parseKeyRecord } from "../dns/key-record.ts";
import type { RecordTags } from "../keys/key-store.ts";

const COMPARED = { h: "hashAlgorithms", s: "serviceTypes", t: "flags" } as const;

/** Tags, such as `t=`, in which the published record is not as it should be; the order within a list means nothing. */
export function differingTags(published: string, { tags }: { readonly tags: RecordTags }): string[] {
  let record: KeyRecord;
  try {
    record = parseKeyRecord(published);
  } catch (error) {
    if (error instanceof KeyRecordSyntaxError) return [];
    throw error;
  }
  if (record.publicKey === undefined) return [];
  const sorted = (list: readonly string[] = []) => [...list].sort().join();
  return Object.entries(COMPARED).flatMap(([tag, field]) =>
    sorted(tags[field]) === sorted(record[field]) ? [] : [`${tag}=`],
  );
}
