import { Buffer } from "node:buffer";
import { type EdeOption, type EdnsOption, Packet, type Resource } from "dns2";
import { DkimctlError, ExitCode } from "../errors.ts";
import {
  type DnsMessage,
  type DnsRecord,
  type ExtendedError,
  type QueryOptions,
  type Question,
  type RecordType,
  sameName,
} from "./dns-message.ts";

/**
 * Octets of the wire to `DnsMessage` and back, on the parts of dns2. Three things are done here because dns2 does not:
 * TXT keeps its octets (dns2 decodes UTF-8), a record with errors spoils the message (dns2 drops it), and the work per
 * message is bounded (dns2 follows chains of compression pointers as long as the message).
 */

/** RFC 9715 §3.1, DNS flag day 2020: fits every path without fragments. */
export const UDP_PAYLOAD_OCTETS = 1232;

const CLASS_IN = 1;
const OPT = 41;
const TYPE_CODES: Record<RecordType, number> = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28 };

/** What arrived is not a DNS message. */
export class MalformedMessageError extends DkimctlError {
  override readonly code = "DKIM_DNS_MALFORMED";
  override readonly exitCode = ExitCode.tryAgain;
}

/**
 * A query with the ID 0; the transport writes the real one into its first two octets.
 * AD asks a validating resolver to tell (RFC 6840 §5.7).
 */
export function encodeQuery({ name, type }: Question, options: QueryOptions = {}): Buffer {
  const packet = new Packet();
  packet.header = new Packet.Header({ id: 0, rd: (options.recursionDesired ?? true) ? 1 : 0 });
  packet.questions.push(new Packet.Question(name, TYPE_CODES[type], CLASS_IN));
  if (options.edns ?? true) {
    packet.additionals.push(new Packet.Resource(Packet.Resource.EDNS([], { udpPayloadSize: UDP_PAYLOAD_OCTETS })));
  }
  const octets = packet.toBuffer();
  // dns2's types know neither bit.
  octets[3] = (octets[3] ?? 0) | 0x20 | (options.checkingDisabled ? 0x10 : 0);
  return octets;
}

/**
 * @param octets one whole message
 * @throws {MalformedMessageError} any section that is kept does not decode
 */
export function decodeMessage(octets: Uint8Array): DnsMessage {
  if (octets.length < 12) throw new MalformedMessageError(`a message of ${octets.length} octets has no header`);
  const reader = new OctetReader(octets);
  try {
    return readMessage(reader);
  } catch (cause) {
    // dns2 quotes names from the wire in its messages; the cause keeps them for -v only.
    if (cause instanceof MalformedMessageError) throw cause;
    throw new MalformedMessageError(`the message does not decode at octet ${Math.floor(reader.offset / 8)}`, { cause });
  }
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

/** dns2's reader with a quick path for whole octets and a bound on the work that one message can cause. */
class OctetReader extends Packet.Reader {
  #budget: number;

  constructor(octets: Uint8Array) {
    super(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength));
    // Names expand: 12 octets of a record can stand for some 130 reads. Only pointer chains need more than this.
    this.#budget = 16 * octets.length + 4096;
  }

  override read(bits: number): number {
    this.#budget -= 1;
    if (this.#budget < 0)
      throw new MalformedMessageError("the message has more compression pointers than it has use for");
    const at = this.offset >>> 3;
    if ((this.offset & 7) === 0 && (bits & 7) === 0 && at + (bits >>> 3) <= this.buffer.length) {
      this.offset += bits;
      return this.buffer.readUIntBE(at, bits >>> 3);
    }
    return super.read(bits);
  }

  take(octets: number): Buffer {
    const at = this.offset >>> 3;
    if (at + octets > this.buffer.length) throw new RangeError("past the end of the message");
    this.offset += octets * 8;
    return this.buffer.subarray(at, at + octets);
  }
}

function readMessage(reader: OctetReader): DnsMessage {
  const id = reader.read(16);
  const flags = reader.read(16);
  const [questionCount, answerCount, authorityCount, additionalCount] = [
    reader.read(16),
    reader.read(16),
    reader.read(16),
    reader.read(16),
  ];
  const questions = Array.from({ length: questionCount }, () => {
    const question = Packet.Question.decode(reader);
    return { name: question.name, typeCode: question.type, classCode: question.class };
  });
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

function readRecords(reader: OctetReader, count: number): (DnsRecord | OptRecord)[] {
  const records: (DnsRecord | OptRecord)[] = [];
  for (let i = 0; i < count; i++) {
    const record = readRecord(reader);
    if (record !== undefined) records.push(record);
  }
  return records;
}

function readRecord(reader: OctetReader): DnsRecord | OptRecord | undefined {
  const start = reader.offset;
  const name = Packet.Name.decode(reader);
  const typeCode = reader.read(16);
  const classCode = reader.read(16);
  const ttl = reader.read(32);
  const length = reader.read(16);
  if (typeCode !== OPT && classCode !== CLASS_IN) {
    reader.take(length);
    return undefined;
  }
  // RFC 2181 §8: a TTL with the high bit set is to be read as 0.
  const head = { name, ttlSeconds: ttl > 0x7fffffff ? 0 : ttl };
  switch (typeCode) {
    case TYPE_CODES.TXT:
      return { ...head, type: "TXT", strings: readStrings(reader.take(length)) };
    case TYPE_CODES.A:
    case TYPE_CODES.AAAA:
    case TYPE_CODES.NS:
    case TYPE_CODES.CNAME:
    case TYPE_CODES.SOA:
    case OPT:
      reader.offset = start;
      return fromDns2(Packet.Resource.decode(reader), head, typeCode);
    default:
      reader.take(length);
      return undefined;
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

function fromDns2(
  resource: Resource,
  head: { readonly name: string; readonly ttlSeconds: number },
  typeCode: number,
): DnsRecord | OptRecord {
  switch (typeCode) {
    case TYPE_CODES.A:
      return { ...head, type: "A", address: resource.address ?? "" };
    case TYPE_CODES.AAAA:
      return { ...head, type: "AAAA", address: resource.address ?? "" };
    case TYPE_CODES.NS:
      return { ...head, type: "NS", target: resource.ns ?? "" };
    case TYPE_CODES.CNAME:
      return { ...head, type: "CNAME", target: resource.domain ?? "" };
    case TYPE_CODES.SOA:
      return {
        ...head,
        type: "SOA",
        primary: resource.primary ?? "",
        serial: resource.serial ?? 0,
        minimumTtlSeconds: resource.minimum ?? 0,
      };
    default:
      return { type: "OPT", extendedCode: resource.extendedRcode ?? 0, errors: extendedErrors(resource.rdata ?? []) };
  }
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
