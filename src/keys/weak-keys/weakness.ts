/** A fault of a public key, found from its numbers alone. */
export interface KeyWeakness {
  /** The rule: the catalogue of findings (src/checks) holds its sentence, explanation and fix. */
  readonly code:
    | "RSA-SHORT"
    | "RSA-1024"
    | "RSA-LONG"
    | "RSA-E"
    | "RSA-N"
    | "RSA-FACTOR"
    | "RSA-FERMAT"
    | "RSA-ROCA"
    | "RSA-WIENER"
    | "RSA-PATTERN"
    | "KNOWN-KEY"
    | "P-ED-POINT"
    | "P-ED-LOWORDER";
  readonly severity: "error" | "warning" | "info";
  /** What was seen in this key, to stand behind a colon: `1023 bits`, `divisible by 3`. */
  readonly detail: string;
}
