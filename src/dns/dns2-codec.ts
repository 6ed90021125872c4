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
  let at = 12;
  for (const label of labels) {
    octets[at] = label.length;
    at += 1 + octets.write(label, at + 1, "latin1");
  }
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
  const additionals = readSection(additionalCount);
  const opt = additionals.find((record) => record.type === "OPT");
  return {
    id,
    isResponse: (flags & 0x8000) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    truncated,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    responseCode: (flags & 0x000f) | ((opt?.extendedCode ?? 0) << 4),
    questions,
    answers: answers.filter(isData),
    authorities: authorities.filter(isData),
    hasEdns: opt !== undefined,
    extendedErrors: opt?.errors ?? [],
  };
}

type OptRecord = { readonly type: "OPT"; readonly extendedCode: number; readonly errors: readonly ExtendedError[] };

function isData(record: DnsRecord | OptRecord): record is DnsRecord {
  return record.type !== "OPT";
}

function readRecords(reader: MessageReader, count: number): (DnsRecord | OptRecord)[] {
  const records: (DnsRecord | OptRecord)[] = [];
  for (let i = 0; i < count; i++) {
    const record = readRecord(reader);
    if (record !== undefined) records.push(record);
  }
  return records;
}

function readRecord(reader: MessageReader): DnsRecord | OptRecord | undefined {
  const start = reader.at;
  const name = reader.name();
  const typeCode = reader.uint16();
  const classCode = reader.uint16();
  const ttl = reader.uint32();
  const data = reader.take(reader.uint16());
  if (typeCode === OPT) {
    const errors = data.length === 0 ? [] : extendedErrors(decodeByDns2(reader, start).rdata ?? []);
    return { type: "OPT", extendedCode: ttl >>> 24, errors };
  }
  if (classCode !== CLASS_IN) return undefined;
  // RFC 2181 §8: a TTL with the high bit set is to be read as 0.
  const head = { name, ttlSeconds: ttl > 0x7fffffff ? 0 : ttl };
  switch (typeCode) {
    case TYPE_CODES.TXT:
      return { ...head, type: "TXT", strings: readStrings(data) };
    case TYPE_CODES.NS:
      return { ...head, type: "NS", target: readInside(reader, data, () => reader.name()) };
    case TYPE_CODES.CNAME:
      return { ...head, type: "CNAME", target: readInside(reader, data, () => reader.name()) };
    case TYPE_CODES.SOA:
      return { ...head, type: "SOA", ...readInside(reader, data, () => readSoa(reader)) };
    case TYPE_CODES.A:
      return { ...head, type: "A", address: decodeByDns2(reader, start).address ?? "" };
    case TYPE_CODES.AAAA:
      return { ...head, type: "AAAA", address: decodeByDns2(reader, start).address ?? "" };
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
function readStrings(data: Buffer): string[] {
  const strings: string[] = [];
  for (let at = 0; at < data.length; ) {
    const end = at + 1 + (data[at] ?? 0);
    if (end > data.length) throw new MalformedMessageError("a TXT record's string runs past its data");
    strings.push(data.toString("latin1", at + 1, end));
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
