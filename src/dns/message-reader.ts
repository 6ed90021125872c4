import type { Buffer } from "node:buffer";
import { DkimctlError, ExitCode } from "../errors.ts";

/** What arrived is not a DNS message. */
export class MalformedMessageError extends DkimctlError {
  override readonly code = "DKIM_DNS_MALFORMED";
  override readonly exitCode = ExitCode.tryAgain;
}

const MAX_NAME_OCTETS = 255;
/** A name is compressed at most once for each of its labels. */
const MAX_POINTERS = 127;

/**
 * Reads the octets of one message from front to back; the work is linear in their number, whatever they are.
 * Each method throws `MalformedMessageError` past the end.
 */
export class MessageReader {
  readonly octets: Buffer;
  at = 0;
  #pointersLeft: number;
  #text: string | undefined;

  constructor(octets: Buffer) {
    this.octets = octets;
    // Names expand: a record of 12 octets can stand for 127 pointers. A message of honest names has a few for each record.
    this.#pointersLeft = octets.length;
  }

  uint16(): number {
    const at = this.#step(2);
    return ((this.octets[at] ?? 0) << 8) | (this.octets[at + 1] ?? 0);
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16();
  }

  take(octets: number): Buffer {
    const at = this.#step(octets);
    return this.octets.subarray(at, at + octets);
  }

  /** Octets as latin1. Turned into text all at once: a message has a dozen labels, and each call into Node costs as much. */
  text(start: number, end: number): string {
    this.#text ??= this.octets.toString("latin1");
    return this.#text.slice(start, end);
  }

  /** RFC 1035 §3.1 and §4.1.4: the labels with dots between them, without the last dot; latin1. */
  name(): string {
    const { octets } = this;
    let text = "";
    let pointers = 0;
    let end: number | undefined;
    for (let at = this.at; ; ) {
      const length = octets[at];
      if (length === undefined) throw new MalformedMessageError("a name runs past the end of the message");
      if (length === 0) {
        this.at = end ?? at + 1;
        return text;
      }
      if (length < 0x40) {
        const next = at + 1 + length;
        if (next > octets.length) throw new MalformedMessageError("a label runs past the end of the message");
        const label = this.text(at + 1, next);
        text = text === "" ? label : `${text}.${label}`;
        if (text.length + 2 > MAX_NAME_OCTETS) throw new MalformedMessageError("a name has more than 255 octets");
        at = next;
      } else if (length >= 0xc0 && at + 1 < octets.length) {
        end ??= at + 2;
        if (++pointers > MAX_POINTERS || --this.#pointersLeft < 0) {
          throw new MalformedMessageError("the message has more compression pointers than it has use for");
        }
        at = ((length & 0x3f) << 8) | (octets[at + 1] ?? 0);
      } else throw new MalformedMessageError("a name holds a label of a reserved type");
    }
  }

  #step(octets: number): number {
    const { at } = this;
    if (at + octets > this.octets.length) throw new MalformedMessageError("past the end of the message");
    this.at = at + octets;
    return at;
  }
}
