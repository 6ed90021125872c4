import { DerError, DerTag } from "./der.ts";

const TAG_NAMES = new Map<number, string>([
  [DerTag.boolean, "BOOLEAN"],
  [DerTag.integer, "INTEGER"],
  [DerTag.bitString, "BIT STRING"],
  [DerTag.octetString, "OCTET STRING"],
  [DerTag.null, "NULL"],
  [DerTag.objectIdentifier, "OBJECT IDENTIFIER"],
  [DerTag.sequence, "SEQUENCE"],
  [DerTag.set, "SET"],
]);

/** Nothing a key file holds nests deeper; recursion stays bounded on hostile input. */
const MAX_DEPTH = 24;

/** Universal types that DER has as primitive only (X.690 §10.2), `constructed` bit set. */
const CONSTRUCTED_STRINGS = new Set([0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x2a, 0x2c, 0x33, 0x34, 0x36, 0x37, 0x38]);

function tagName(tag: number | undefined): string {
  if (tag === undefined) return "nothing";
  return TAG_NAMES.get(tag) ?? `tag 0x${tag.toString(16).padStart(2, "0")}`;
}

/**
 * Reads DER from front to back without copying. Everything it accepts is what an encoder would write: minimal
 * definite lengths, minimal integers, zero padding bits, primitive strings.
 * With `faults`, an encoding fault is noted there and reading goes on as BER would (to name what a broken thing was
 * meant to be); the structure must still be there. Each method throws `DerError` and nothing else.
 */
export class DerReader {
  readonly bytes: Uint8Array;
  /** Where the next element starts. */
  position: number;
  readonly end: number;
  readonly #faults: string[] | undefined;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length, faults?: string[]) {
    // Views of a Buffer would be Buffers, and equal to no other octets in a comparison of values.
    this.bytes = Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes;
    this.position = start;
    this.end = end;
    this.#faults = faults;
  }

  get atEnd(): boolean {
    return this.position >= this.end;
  }

  /** The tag octet of the next element; `undefined` at the end. */
  peekTag(): number | undefined {
    return this.position < this.end ? this.bytes[this.position] : undefined;
  }

  /** Enters a constructed element. */
  readConstructed(tag: number = DerTag.sequence): DerReader {
    const end = this.#readHeader(tag);
    const inner = new DerReader(this.bytes, this.position, end, this.#faults);
    this.position = end;
    return inner;
  }

  /** The content octets of a primitive element, as a view. */
  readContent(tag: number): Uint8Array {
    const end = this.#readHeader(tag);
    const content = this.bytes.subarray(this.position, end);
    this.position = end;
    return content;
  }

  /** A non-negative INTEGER, big-endian without leading zeros: zero is empty. */
  readUnsignedInteger(): Uint8Array {
    const first = this.passUnsignedInteger();
    return this.bytes.subarray(first, this.position);
  }

  /** Passes a non-negative INTEGER. @returns where its octets without leading zeros start; they end at `position` */
  passUnsignedInteger(): number {
    const start = this.position;
    const end = this.#readHeader(DerTag.integer);
    let first = this.position;
    this.position = end;
    if (first === end) throw new DerError(`the INTEGER at octet ${start} is empty`);
    const lead = this.bytes[first] ?? 0;
    if (lead >= 0x80) this.#fault(`the INTEGER at octet ${start} is negative`);
    if (lead === 0) {
      first += 1;
      if (first < end && (this.bytes[first] ?? 0) < 0x80) this.#fault(`the INTEGER at octet ${start} is padded`);
      while (first < end && this.bytes[first] === 0) first += 1;
    }
    return first;
  }

  /** An INTEGER 0..255, such as a version. */
  readSmallInteger(): number {
    const start = this.position;
    const octets = this.readUnsignedInteger();
    if (octets.length > 1) throw new DerError(`the INTEGER at octet ${start} is larger than a version number`);
    return octets[0] ?? 0;
  }

  /** An OBJECT IDENTIFIER in dotted form. */
  readObjectIdentifier(): string {
    const start = this.position;
    return formatObjectIdentifier(this.readContent(DerTag.objectIdentifier), start);
  }

  readNull(): void {
    const start = this.position;
    if (this.readContent(DerTag.null).length > 0) this.#fault(`the NULL at octet ${start} is not empty`);
  }

  /** A BIT STRING of whole octets, as the key formats have them. */
  readBitString(tag: number = DerTag.bitString): Uint8Array {
    const start = this.position;
    const content = this.readContent(tag);
    if (content.length === 0) throw new DerError(`the BIT STRING at octet ${start} is empty`);
    if (content[0] !== 0) this.#fault(`the BIT STRING at octet ${start} is not of whole octets`);
    return content.subarray(1);
  }

  /** Any one element, checked to be DER through and through; the view includes its header. */
  readAny(depth = 0): Uint8Array {
    const start = this.position;
    const tag = this.peekTag();
    if (tag === undefined) throw new DerError(`an element is missing at octet ${start}`);
    if (depth > MAX_DEPTH) throw new DerError(`the element at octet ${start} is nested too deeply`);
    const end = this.#readHeader(tag);
    const content = this.position;
    if ((tag & 0x20) !== 0) this.#checkConstructed(tag, start, end, depth);
    else this.#checkPrimitive(tag, start, content, end);
    this.position = end;
    return this.bytes.subarray(start, end);
  }

  /** @throws {DerError} something is left */
  finish(): void {
    const left = this.end - this.position;
    if (left > 0) throw new DerError(`${left} octet${left === 1 ? "" : "s"} too many at octet ${this.position}`);
  }

  /** Reads tag and length; `position` is then at the content, and the content's end is returned. */
  #readHeader(expectedTag: number): number {
    const { bytes, end } = this;
    const start = this.position;
    const tag = start < end ? bytes[start] : undefined;
    if (tag !== expectedTag) {
      throw new DerError(`${tagName(expectedTag)} expected at octet ${start}, found ${tagName(tag)}`);
    }
    if ((tag & 0x1f) === 0x1f) throw new DerError(`the tag at octet ${start} is of the multi-octet form`);
    if (start + 1 >= end) throw new DerError(`cut off: the length at octet ${start + 1} is missing`);
    let length = bytes[start + 1] ?? 0;
    let content = start + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0) throw new DerError(`the length at octet ${start + 1} is indefinite, which DER forbids`);
      if (count > 4) throw new DerError(`the length at octet ${start + 1} has ${count} octets`);
      if (content + count > end) throw new DerError(`cut off: the length at octet ${start + 1} is incomplete`);
      length = 0;
      for (let i = 0; i < count; i += 1) length = length * 256 + (bytes[content + i] ?? 0);
      if (length < 0x80 || bytes[content] === 0) this.#fault(`the length at octet ${start + 1} is not minimal`);
      content += count;
    }
    this.position = content;
    if (length > end - content) {
      const message = `cut off: ${tagName(tag)} at octet ${start} wants ${length} octets, ${end - content} are left`;
      // What a cut-off frame still holds can be told; a cut-off number or string is worth nothing.
      if ((tag & 0x20) === 0) throw new DerError(message);
      this.#fault(message);
      return end;
    }
    return content + length;
  }

  #checkConstructed(tag: number, start: number, end: number, depth: number): void {
    if (CONSTRUCTED_STRINGS.has(tag)) this.#fault(`the string at octet ${start} is in pieces, which DER forbids`);
    const inner = new DerReader(this.bytes, this.position, end, this.#faults);
    let previous: Uint8Array | undefined;
    while (!inner.atEnd) {
      const element = inner.readAny(depth + 1);
      // X.690 §11.6; what a SET (not SET OF) wants, by tag, is the same order for the types seen in keys.
      if (tag === DerTag.set && previous !== undefined && compareOctets(previous, element) > 0) {
        this.#fault(`the SET at octet ${start} is not in order`);
      }
      previous = element;
    }
  }

  #checkPrimitive(tag: number, start: number, content: number, end: number): void {
    const { bytes } = this;
    const length = end - content;
    const first = bytes[content] ?? 0;
    if (tag === DerTag.sequence - 0x20 || tag === DerTag.set - 0x20) {
      throw new DerError(`the SEQUENCE or SET at octet ${start} is marked primitive`);
    }
    if (tag === DerTag.integer) {
      if (length === 0) throw new DerError(`the INTEGER at octet ${start} is empty`);
      const second = bytes[content + 1] ?? 0;
      if (length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
        this.#fault(`the INTEGER at octet ${start} is padded`);
      }
    } else if (tag === DerTag.boolean) {
      if (length !== 1 || (first !== 0 && first !== 0xff)) this.#fault(`the BOOLEAN at octet ${start} is not DER`);
    } else if (tag === DerTag.null) {
      if (length !== 0) this.#fault(`the NULL at octet ${start} is not empty`);
    } else if (tag === DerTag.bitString) {
      const last = bytes[end - 1] ?? 0;
      if (length === 0 || first > 7 || (length === 1 && first !== 0) || (last & ((1 << first) - 1)) !== 0) {
        this.#fault(`the BIT STRING at octet ${start} is not DER`);
      }
    } else if (tag === DerTag.objectIdentifier) {
      formatObjectIdentifier(bytes.subarray(content, end), start);
    }
  }

  #fault(message: string): void {
    if (this.#faults === undefined) throw new DerError(message);
    this.#faults.push(message);
  }
}

function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** X.690 §8.19. Arcs beyond 2^48 are in no registry and are refused. */
function formatObjectIdentifier(content: Uint8Array, start: number): string {
  const fail = () => new DerError(`the OBJECT IDENTIFIER at octet ${start} is malformed`);
  if (content.length === 0 || ((content.at(-1) ?? 0) & 0x80) !== 0) throw fail();
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const octet of content) {
    if ((fresh && octet === 0x80) || arc >= 2 ** 41) throw fail();
    arc = arc * 128 + (octet & 0x7f);
    fresh = (octet & 0x80) === 0;
    if (!fresh) continue;
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(arc / 40));
      arcs.push(root, arc - 40 * root);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}
