import { OperationError } from "../errors.ts";

/** Octets that are not DER (X.690 §10, §11), or not the structure that was asked for. Names offsets, never content. */
export class DerError extends OperationError {
  override readonly code = "DKIM_DER";
}

export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Where something stands among octets. */
export interface OctetRange {
  start: number;
  end: number;
}

/*
 * The two functions below are for a loop over many keys that has no words for what is wrong.
 */

/**
 * The contents of the value at `position`, when it is of this tag and below 65,536 octets.
 * @param range becomes where they stand
 * @returns whether it is one, its length in the shortest form, and it ends at `end` or before
 */
export function findContents(
  bytes: Uint8Array,
  tag: number,
  position: number,
  end: number,
  range: OctetRange,
): boolean {
  if (position + 2 > end || bytes[position] !== tag) return false;
  let length = bytes[position + 1] as number;
  let start = position + 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count < 1 || count > 2 || start + count > end) return false;
    length = bytes[start] as number;
    if (count === 2) length = length * 256 + (bytes[start + 1] as number);
    if (length < (count === 1 ? 0x80 : 0x100)) return false;
    start += count;
  }
  range.start = start;
  range.end = start + length;
  return range.end <= end;
}

/** `findContents` of a positive INTEGER or zero. @param range becomes where its octets without leading zeros stand */
export function findUnsignedInteger(bytes: Uint8Array, position: number, end: number, range: OctetRange): boolean {
  if (!findContents(bytes, DerTag.integer, position, end, range)) return false;
  const { start } = range;
  if (range.end === start || (bytes[start] as number) >= 0x80) return false;
  if (bytes[start] !== 0) return true;
  range.start = start + 1;
  return range.end === start + 1 || (bytes[start + 1] as number) >= 0x80;
}
