/**
 * DNS messages as values. No octets, no I/O: encoding and decoding stand in dns2-codec.ts.
 * Text that came from the wire is latin1, one UTF-16 unit per octet; escape it before a terminal sees it.
 * @see RFC 1035 §4, RFC 6891, RFC 8914
 */
export type RecordType = "A" | "AAAA" | "CNAME" | "NS" | "SOA" | "TXT";

interface RecordHead {
  /** Owner, without trailing dot, in the case the server sent. */
  readonly name: string;
  readonly ttlSeconds: number;
}

export type TxtRecord = RecordHead & { readonly type: "TXT"; readonly strings: readonly string[] };
export type ARecord = RecordHead & { readonly type: "A"; readonly address: string };
export type AaaaRecord = RecordHead & { readonly type: "AAAA"; readonly address: string };
export type CnameRecord = RecordHead & { readonly type: "CNAME"; readonly target: string };
export type NsRecord = RecordHead & { readonly type: "NS"; readonly target: string };
export type SoaRecord = RecordHead & {
  readonly type: "SOA";
  readonly primary: string;
  readonly serial: number;
  /** RFC 2308 §4: the upper bound of the negative TTL. */
  readonly minimumTtlSeconds: number;
};
export type DnsRecord = TxtRecord | ARecord | AaaaRecord | CnameRecord | NsRecord | SoaRecord;

/** The record that an answer to a question of type `T` holds. */
export type RecordOf<T extends RecordType> = Extract<DnsRecord, { readonly type: T }>;

export interface Question {
  readonly name: string;
  readonly type: RecordType;
}

/** RFC 8914: why the server answered as it did. */
export interface ExtendedError {
  readonly code: number;
  /** The registered purpose in plain words, such as `dnssec bogus`; `code 4711` when it is not registered. */
  readonly purpose: string;
  /** EXTRA-TEXT, latin1; often empty. */
  readonly text: string;
}

export interface DnsMessage {
  readonly id: number;
  /** QR: an answer, not a question. */
  readonly isResponse: boolean;
  /** AA */
  readonly authoritative: boolean;
  /** TC. The record sections of a truncated message are not decoded and stand empty. */
  readonly truncated: boolean;
  /** RA */
  readonly recursionAvailable: boolean;
  /** AD */
  readonly authenticData: boolean;
  /** 12 bits with EDNS (RFC 6891 §6.1.3). */
  readonly responseCode: number;
  readonly questions: readonly { readonly name: string; readonly typeCode: number; readonly classCode: number }[];
  /** Records of other types are left out. */
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly hasEdns: boolean;
  readonly extendedErrors: readonly ExtendedError[];
}

export interface QueryOptions {
  /** RD. Default true; false when an authoritative server is asked. */
  readonly recursionDesired?: boolean;
  /** CD: a validating resolver answers even what it holds for bogus (RFC 4035 §3.2.2). */
  readonly checkingDisabled?: boolean;
  /** Default true; false for servers that answer FORMERR to an OPT record. */
  readonly edns?: boolean;
}

/** RFC 1035 §2.3.3: ASCII letters compare without case, every other octet as it is. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Whether two names are one to the DNS (RFC 1035 §2.3.3). */
export function sameName(a: string, b: string): boolean {
  return a === b || foldName(a) === foldName(b);
}

const RESPONSE_CODES = [
  "NOERROR",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
  "YXDOMAIN",
  "YXRRSET",
  "NXRRSET",
  "NOTAUTH",
  "NOTZONE",
];

/** The mnemonic of a response code, `RCODE 42` for one without. */
export function responseCodeName(code: number): string {
  return RESPONSE_CODES[code] ?? (code === 16 ? "BADVERS" : `RCODE ${code}`);
}
