import { Buffer } from "node:buffer";
import { type EdeOption, type EdnsOption, Packet, type Resource } from "dns2";
import {
  type DnsMessage,
  type DnsRecord,
  type ExtendedError,
  type QueryOptions,
  type Question,
  type RecordType,
  sameName,
} from "./dns-message.ts";
import { MalformedMessageError, MessageReader } from "./message-reader.ts";

export { MalformedMessageError } from "./message-reader.ts";

/**
 * Octets of the wire to `DnsMessage` and back. What every lookup of a key needs is read and written here: dns2 decodes
 * TXT as UTF-8, drops records with errors, follows chains of compression pointers as long as the message, and works bit
 * by bit. It reads addresses and EDNS options, and is loaded when the first one comes.
 */

/** RFC 9715 §3.1, DNS flag day 2020: fits every path without fragments. */
const UDP_PAYLOAD_OCTETS = 1232;

const CLASS_IN = 1;
const OPT = 41;
/** RFC 6891 §6.1.2: the root's name, type, class, TTL, and the length of no options. */
const OPT_OCTETS = 11;
const TYPE_CODES: Record<RecordType, number> = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28 };

/**
 * A query with the ID 0; the transport writes the real one into its first two octets.
 * AD asks a validating resolver to tell (RFC 6840 §5.7).
 */
export function encodeQuery({ name, type }: Question, options: QueryOptions = {}): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  const nameOctets = labels.reduce((total, { length }) => total + 1 + length, 1);
  if (nameOctets > 255 || labels.some(({ length }) => length > 63))
    throw new RangeError("no name of the DNS is so long");
  const edns = options.edns ?? true;
  const octets = Buffer.alloc(12 + nameOctets + 4 + (edns ? OPT_OCTETS : 0));
  octets[2] = (options.recursionDesired ?? true) ? 0x01 : 0;
  octets[3] = 0x20 | (options.checkingDisabled ? 0x10 : 0);
  octets[5] = 1;
  octets[11] = edns ? 1 : 0;
  // Written at once, with a dot where the length of each label then goes.
  octets.write(`.${labels.join(".")}`, 12, "latin1");
  let at = 12;
  for (const { length } of labels) {
    octets[at] = length;
    at += 1 + length;
  }
  octets[at] = 0;
  octets[at + 2] = TYPE_CODES[type];
  octets[at + 4] = CLASS_IN;
  if (edns) {
    octets[at + 7] = OPT;
    octets.writeUInt16BE(UDP_PAYLOAD_OCTETS, at + 8);
  }
  return octets;
}

/**
 * @param octets one whole message
 * @throws {MalformedMessageError} any section that is kept does not decode
 */
export function decodeMessage(octets: Uint8Array): DnsMessage {
  if (octets.length < 12) throw new MalformedMessageError(`a message of ${octets.length} octets has no header`);
  return readMessage(new MessageReader(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)));
}

/** Why `message` cannot be the answer to `question`, or `undefined` when it can (RFC 5452 §3). */
export function answerMismatch(message: DnsMessage, { name, type }: Question): string | undefined {
  if (!message.isResponse) return "it is a query, not an answer";
  const [first] = message.questions;
  if (first === undefined) {
    // RFC 1035 §4.1.1: a server that could not read the question may leave it out.
    return message.responseCode === 1 ? undefined : "it repeats no question";
  }
  if (message.questions.length !== 1) return `it holds ${message.questions.length} questions`;
  if (!sameName(first.name, name) || first.typeCode !== TYPE_CODES[type] || first.classCode !== CLASS_IN) {
    return "it answers another question";
  }
  return undefined;
}

function readMessage(reader: MessageReader): DnsMessage {
  const id = reader.uint16();
  const flags = reader.uint16();
  const questionCount = reader.uint16();
  const answerCount = reader.uint16();
  const authorityCount = reader.uint16();
  const additionalCount = reader.uint16();
  const questions: DnsMessage["questions"][number][] = [];
  for (let i = 0; i < questionCount; i++) {
    questions.push({ name: reader.name(), typeCode: reader.uint16(), classCode: reader.uint16() });
  }
  const truncated = (flags & 0x0200) !== 0;
  const readSection = (count: number) => (truncated ? [] : readRecords(reader, count));
  const answers = readSection(answerCount);
  const authorities = readSection(authorityCount);
  const opt = truncated ? undefined : readOpt(reader, additionalCount);
  return {
    id,
    isResponse: (flags & 0x8000) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    truncated,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    responseCode: (flags & 0x000f) | ((opt?.extendedCode ?? 0) << 4),
    questions,
    answers,
    authorities,
    hasEdns: opt !== undefined,
    extendedErrors: opt?.errors ?? [],
  };
}

/** Of the additional section only OPT is kept: the addresses that servers add for their own names are not even decoded. */
function readOpt(reader: MessageReader, count: number) {
  let opt: { readonly extendedCode: number; readonly errors: readonly ExtendedError[] } | undefined;
  for (let i = 0; i < count; i++) {
    const start = reader.at;
    reader.name();
    const isOpt = reader.uint16() === OPT;
    reader.uint16();
    const ttl = reader.uint32();
    const { length } = reader.take(reader.uint16());
    if (!isOpt || opt !== undefined) continue;
    const errors = length === 0 ? [] : extendedErrors(decodeByDns2(reader, start).rdata ?? []);
    opt = { extendedCode: ttl >>> 24, errors };
  }
  return opt;
}

function readRecords(reader: MessageReader, count: number): DnsRecord[] {
  const records: DnsRecord[] = [];
  for (let i = 0; i < count; i++) {
    const record = readRecord(reader);
    if (record !== undefined) records.push(record);
  }
  return records;
}

function readRecord(reader: MessageReader): DnsRecord | undefined {
  const start = reader.at;
  const name = reader.name();
  const typeCode = reader.uint16();
  const classCode = reader.uint16();
  const ttl = reader.uint32();
  const data = reader.take(reader.uint16());
  if (classCode !== CLASS_IN) return undefined;
  // RFC 2181 §8: a TTL with the high bit set is to be read as 0.
  const ttlSeconds = ttl > 0x7fffffff ? 0 : ttl;
  switch (typeCode) {
    case TYPE_CODES.TXT:
      return { name, ttlSeconds, type: "TXT", strings: readStrings(reader, data) };
    case TYPE_CODES.NS:
      return { name, ttlSeconds, type: "NS", target: readInside(reader, data, () => reader.name()) };
    case TYPE_CODES.CNAME:
      return { name, ttlSeconds, type: "CNAME", target: readInside(reader, data, () => reader.name()) };
    case TYPE_CODES.SOA:
      return { name, ttlSeconds, type: "SOA", ...readInside(reader, data, () => readSoa(reader)) };
    case TYPE_CODES.A:
      return { name, ttlSeconds, type: "A", address: decodeByDns2(reader, start).address ?? "" };
    case TYPE_CODES.AAAA:
      return { name, ttlSeconds, type: "AAAA", address: decodeByDns2(reader, start).address ?? "" };
    default:
      return undefined;
  }
}

/** Data in which names may be compressed, so that it is read as part of the message. It is read to its end. */
function readInside<Value>(reader: MessageReader, { length }: Buffer, read: () => Value): Value {
  const end = reader.at;
  reader.at = end - length;
  const value = read();
  if (reader.at !== end) throw new MalformedMessageError("a record's data does not fill its length");
  return value;
}

/** RFC 1035 §3.3.13: MNAME, RNAME, SERIAL, REFRESH, RETRY, EXPIRE, MINIMUM. */
function readSoa(reader: MessageReader) {
  const primary = reader.name();
  reader.name();
  const serial = reader.uint32();
  reader.take(12);
  return { primary, serial, minimumTtlSeconds: reader.uint32() };
}

/** The record whose first octet is at `start`, and whose owner has been read: no more work than its data is long. */
function decodeByDns2({ octets }: MessageReader, start: number): Resource {
  try {
    return Packet.Resource.decode(new Packet.Reader(octets, start * 8));
  } catch (cause) {
    // dns2 quotes names from the wire in its messages; the cause keeps them for -v only.
    throw new MalformedMessageError(`the record at octet ${start} does not decode`, { cause });
  }
}

/** RFC 1035 §3.3.14: one or more character-strings that fill the record's data exactly. */
function readStrings(reader: MessageReader, { length }: Buffer): string[] {
  const { octets, at: dataEnd } = reader;
  const strings: string[] = [];
  for (let at = dataEnd - length; at < dataEnd; ) {
    const end = at + 1 + (octets[at] ?? 0);
    if (end > dataEnd) throw new MalformedMessageError("a TXT record's string runs past its data");
    strings.push(reader.text(at + 1, end));
    at = end;
  }
  if (strings.length === 0) throw new MalformedMessageError("a TXT record holds no string");
  return strings;
}

function extendedErrors(options: readonly EdnsOption[]): ExtendedError[] {
  return options.filter(isExtendedError).map(({ infoCode, extraText }) => ({
    code: infoCode,
    purpose: Packet.EDE_NAME[infoCode]?.toLowerCase().replaceAll("_", " ") ?? `code ${infoCode}`,
    text: Buffer.from(extraText, "utf8").toString("latin1"),
  }));
}

function isExtendedError(option: EdnsOption): option is EdeOption {
  return option.ednsCode === 15;
}
