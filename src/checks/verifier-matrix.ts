import type { Finding, FindingCode } from "./catalogue.ts";

/** A verifier that people run, and the release whose behaviour the matrix tells. */
export interface Verifier {
  readonly name: string;
  /** `undefined`: its source was read or its authors say so; it was not run. */
  readonly version: string | undefined;
}

/**
 * The columns. The first four are those of Debian 12, measured again by test/interop/verifier-matrix.test.ts; mailauth was
 * measured once. Of libraries in Go and Rust only what is known to hold for those that are in use.
 */
export const VERIFIERS = [
  { name: "Mail::DKIM", version: "1.20230212" },
  { name: "dkimpy", version: "1.1.4" },
  { name: "OpenDKIM", version: "2.11.0~beta2" },
  { name: "rspamd", version: "3.4" },
  { name: "mailauth", version: "4.13.3" },
  { name: "Go", version: undefined },
  { name: "Rust", version: undefined },
] as const satisfies readonly Verifier[];

/** Whether a signature verifies with such a record, everything else being right. */
export type Verdict = "accepts" | "refuses" | "unknown";

export interface MatrixRow {
  /** `Ed25519` stands for the algorithm as such, which is no fault. */
  readonly code: FindingCode | "Ed25519";
  /** Which cases of the finding, where verifiers tell them apart. */
  readonly when?: string;
  /** Whether this finding is such a case; the first row that fits counts. */
  readonly fits?: (finding: Finding) => boolean;
  /** In the order of the columns: `+` accepts, `-` refuses, `?` unknown. */
  readonly verdicts: string;
}

const bitsOf = ({ message }: Finding) => Number(/([0-9]+) bits/.exec(message)?.[1]);

/** What was seen, and nothing that was concluded. A case that is missing was not measured. */
export const VERIFIER_MATRIX: readonly MatrixRow[] = [
  { code: "TL-NONE", verdicts: "-----??" },
  {
    ...{ code: "TL-SYNTAX", when: "a no-break space between tags", verdicts: "+--++??" },
    fits: ({ message }) => message.includes("no-break space"),
  },
  {
    ...{ code: "TL-SYNTAX", when: "a part without =", verdicts: "---++??" },
    fits: ({ message }) => message.includes(`has no "="`),
  },
  {
    code: "TL-SYNTAX",
    when: "a name with a hyphen",
    verdicts: "+++++??",
    fits: ({ message }) => /-[^"]*="/.test(message),
  },
  { code: "TL-DUP", verdicts: "+-+++-?" },
  { code: "TL-EMPTY-SPEC", verdicts: "+--++??" },
  { code: "TL-TRAIL-WSP", verdicts: "+++++-?" },
  { code: "TL-8BIT", when: "UTF-8 in n=", verdicts: "++-++??" },
  { code: "TL-BOM", verdicts: "+--++??" },
  {
    ...{ code: "TL-QUOTED", when: "quotes around the record", verdicts: "+----??" },
    fits: ({ position }) => position?.offset === 0,
  },
  { code: "TL-QUOTED", when: "quotes within p=", verdicts: "++++-??" },
  { code: "TL-BACKSLASH", verdicts: "---+-??" },
  { code: "TL-UPPER", when: "P= in place of p=", verdicts: "----+??", fits: ({ tag }) => tag === "P" },
  { code: "TL-UPPER", when: "another tag", verdicts: "+++++??" },
  { code: "REC-LONG", verdicts: "++-++??" },
  { code: "V-MISSING", verdicts: "+++++??" },
  { code: "V-FIRST", verdicts: "+++++-?" },
  {
    ...{ code: "V-VALUE", when: "DKIM1 in other letters", verdicts: "---++??" },
    fits: ({ message }) => /"dkim1"/i.test(message),
  },
  { code: "V-VALUE", when: "another version", verdicts: "---+-??" },
  { code: "K-EMPTY", verdicts: "+--+-??" },
  {
    ...{ code: "K-UNKNOWN", when: "RSA in capitals", verdicts: "--+++??" },
    fits: ({ message }) => /"rsa"/i.test(message),
  },
  { code: "K-UNKNOWN", when: "another type", verdicts: "---+-??" },
  { code: "H-NOSHA256", verdicts: "-+-++??" },
  { code: "H-SHA1", verdicts: "+++++??" },
  { code: "H-UNKNOWN", verdicts: "+++++??" },
  { code: "H-SYNTAX", verdicts: "+++++??" },
  { code: "S-SYNTAX", verdicts: "+-+++??" },
  { code: "T-SYNTAX", verdicts: "+++++??" },
  { code: "COLON-WSP", when: "in h=", verdicts: "-++++??", fits: ({ tag }) => tag === "h" },
  { code: "COLON-WSP", when: "in s=", verdicts: "--+++??" },
  { code: "S-NOTEMAIL", verdicts: "---++??" },
  { code: "S-LIST", verdicts: "+-+++??" },
  { code: "S-UNKNOWN", verdicts: "+-+++??" },
  { code: "T-TESTING", verdicts: "+++++??" },
  { code: "T-UNKNOWN", verdicts: "+++++??" },
  { code: "G-HISTORIC", when: "g=*", verdicts: "+++++??", fits: ({ severity }) => severity === "info" },
  { code: "G-HISTORIC", when: "an empty g=", verdicts: "-++++??", fits: ({ message }) => message.includes(`""`) },
  { code: "N-QP", verdicts: "+++++??" },
  { code: "P-MISSING", verdicts: "-----??" },
  { code: "P-EMPTY", verdicts: "-----??" },
  {
    ...{ code: "P-B64", when: "too many = signs", verdicts: "-++--??" },
    fits: ({ message }) => message.includes("= signs"),
  },
  {
    ...{ code: "P-B64", when: "the URL alphabet", verdicts: "-----??" },
    fits: ({ message }) => message.includes("URL alphabet"),
  },
  {
    ...{ code: "P-B64", when: "a character that is not of the alphabet", verdicts: "-----??" },
    fits: ({ message }) => message.includes("it holds") && !message.includes("quote"),
  },
  { code: "P-PAD", verdicts: "--++???" },
  { code: "P-PADBITS", verdicts: "+++++??" },
  { code: "P-WSP", verdicts: "+++++??" },
  { code: "P-PEM", verdicts: "-----??" },
  { code: "P-DER", verdicts: "-----??" },
  { code: "P-TRAILING", verdicts: "+++++-?" },
  { code: "P-PKCS1", verdicts: "-+---++" },
  { code: "P-ALG", verdicts: "-----??", fits: ({ message }) => !message.includes("PSS") },
  { code: "P-CERT", verdicts: "-----??" },
  { code: "P-PRIVATE", verdicts: "-----??" },
  { code: "P-ED-LEN", verdicts: "-----??" },
  { code: "P-ED-SPKI", verdicts: "----+??" },
  {
    code: "KNOWN-KEY",
    verdicts: "-++++??",
    when: "an Ed25519 key",
    fits: ({ message }) => !message.includes("RFC 6376"),
  },
  {
    ...{ code: "RSA-SHORT", when: "1017 to 1023 bits", verdicts: "+-++-??" },
    fits: (finding) => bitsOf(finding) > 1016,
  },
  { code: "RSA-SHORT", when: "512 bits", verdicts: "+--+-??" },
  { code: "RSA-1024", verdicts: "+++++??" },
  { code: "RSA-E", verdicts: "+++++??", fits: ({ severity }) => severity === "warning" },
  { code: "RSA-FERMAT", verdicts: "+++++??" },
  { code: "Ed25519", verdicts: "-++++??" },
];

/** What each verifier does with a finding, in the order of `VERIFIERS`. */
export function verdictsOfFinding(finding: Finding): {
  readonly when: string | undefined;
  readonly verdicts: Verdict[];
} {
  const row = VERIFIER_MATRIX.find(({ code, fits }) => code === finding.code && (fits?.(finding) ?? true));
  return { when: row?.when, verdicts: readVerdicts(row?.verdicts ?? "") };
}

/** What each verifier does with Ed25519 keys as such. */
export function verdictsOfEd25519(): Verdict[] {
  return readVerdicts(VERIFIER_MATRIX.find(({ code }) => code === "Ed25519")?.verdicts ?? "");
}

/** @param text see `MatrixRow.verdicts` */
export function readVerdicts(text: string): Verdict[] {
  return VERIFIERS.map((_, index) => (text[index] === "+" ? "accepts" : text[index] === "-" ? "refuses" : "unknown"));
}
