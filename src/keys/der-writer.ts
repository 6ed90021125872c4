import { DerTag } from "./der.ts";

/** Writes DER from front to back into an array of the right size, so that nothing is copied twice. */
export class DerWriter {
  readonly bytes: Uint8Array;
  #position = 0;

  /** @param length of all that will be written */
  constructor(length: number) {
    // Out of Node's pool: an ArrayBuffer for each costs more than all that is done with it.
    const { buffer, byteOffset } = Buffer.allocUnsafe(length);
    this.bytes = new Uint8Array(buffer, byteOffset, length);
  }

  octet(value: number): void {
    this.bytes[this.#position++] = value;
  }

  octets(values: Uint8Array): void {
    this.bytes.set(values, this.#position);
    this.#position += values.length;
  }

  /** Tag and minimal length; the content is for the caller to write. */
  header(tag: number, length: number): void {
    this.octet(tag);
    const count = lengthOctets(length) - 1;
    if (count > 0) this.octet(0x80 + count);
    for (let shift = 8 * Math.max(0, count - 1); shift >= 0; shift -= 8) this.octet((length >>> shift) & 0xff);
  }

  /** The INTEGER of unsigned big-endian octets without leading zeros; empty is zero. */
  unsignedInteger(number: Uint8Array): void {
    const isPadded = needsZero(number);
    this.header(DerTag.integer, number.length + (isPadded ? 1 : 0));
    if (isPadded) this.octet(0);
    this.octets(number);
  }
}

/** Octets of an element whose content has `length` octets. */
export function elementLength(length: number): number {
  return 1 + lengthOctets(length) + length;
}

/** Octets of the element that `DerWriter.unsignedInteger` writes. */
export function unsignedIntegerLength(number: Uint8Array): number {
  return elementLength(number.length + (needsZero(number) ? 1 : 0));
}

/** One element: tag, minimal length, the parts joined. */
export function encodeDer(tag: number, ...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const writer = new DerWriter(elementLength(length));
  writer.header(tag, length);
  for (const part of parts) writer.octets(part);
  return writer.bytes;
}

/** The INTEGER of unsigned big-endian octets; empty is zero. */
export function encodeUnsignedInteger(octets: Uint8Array): Uint8Array {
  let first = 0;
  while (first < octets.length && octets[first] === 0) first += 1;
  const number = octets.subarray(first);
  const writer = new DerWriter(unsignedIntegerLength(number));
  writer.unsignedInteger(number);
  return writer.bytes;
}

/** The BIT STRING of whole octets. */
export function encodeBitString(octets: Uint8Array): Uint8Array {
  return encodeDer(DerTag.bitString, Uint8Array.of(0), octets);
}

function needsZero(number: Uint8Array): boolean {
  return number.length === 0 || (number[0] ?? 0) >= 0x80;
}

/** 1 for lengths below 128, else 1 and as many as the length takes. */
function lengthOctets(length: number): number {
  if (length < 0x80) return 1;
  return length < 0x100 ? 2 : length < 0x10000 ? 3 : length < 0x1000000 ? 4 : 5;
}
