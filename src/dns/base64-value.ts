import { removeFws } from "./tag-list.ts";

/**
 * A base64 tag value (RFC 6376 §2.10, RFC 4648 §4): folding white space is dropped, the alphabet is the standard one,
 * padding is optional but, where it stands, must be the right one.
 */
export interface Base64Scan {
  /** `undefined` when the value cannot be decoded with certainty. */
  readonly octets: Uint8Array | undefined;
  /** The one reason why not. */
  readonly fault: Base64Fault | undefined;
  readonly isPaddingMissing: boolean;
  /** Bits of the last character that belong to no octet are not zero (RFC 4648 §3.5). */
  readonly hasPadBits: boolean;
  /** Folding white space inside, not only around. */
  readonly hasInnerSpace: boolean;
}

export type Base64Fault =
  | { readonly kind: "alphabet"; readonly offset: number; readonly character: string }
  /** One character is left over: something was cut off or inserted. */
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "padding"; readonly offset: number };

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** What nearly every value is: one look instead of three. */
const PLAIN = /^[A-Za-z0-9+/]*={0,2}$/;

/** Never throws; linear. Offsets count from the start of `value`. */
export function scanBase64(value: string): Base64Scan {
  const isPlain = PLAIN.test(value);
  const hasInnerSpace = !isPlain && /[^ \t\r\n][ \t\r\n]+[^ \t\r\n]/.test(value);
  const compact = isPlain ? value : removeFws(value);
  const digits = trimPadding(compact);
  const padding = compact.length - digits.length;
  const missing = (4 - (digits.length % 4)) % 4;
  const base = { octets: undefined, isPaddingMissing: false, hasPadBits: false, hasInnerSpace };
  const bad = isPlain ? -1 : (findOddCharacter(value) ?? (digits.includes("=") ? value.indexOf("=") : -1));
  if (bad >= 0) {
    const character = String.fromCodePoint(value.codePointAt(bad) ?? 0);
    return { ...base, fault: { kind: "alphabet", offset: bad, character } };
  }
  if (digits.length % 4 === 1) return { ...base, fault: { kind: "length", length: digits.length } };
  if (padding > 0 && padding !== missing) return { ...base, fault: { kind: "padding", offset: value.indexOf("=") } };
  const lastDigit = ALPHABET.indexOf(digits.at(-1) ?? "A");
  return {
    octets: new Uint8Array(Buffer.from(digits, "base64")),
    fault: undefined,
    isPaddingMissing: padding === 0 && missing > 0,
    hasPadBits: (lastDigit & (missing === 2 ? 0b1111 : missing === 1 ? 0b11 : 0)) !== 0,
    hasInnerSpace,
  };
}

function findOddCharacter(value: string): number | undefined {
  return /[^A-Za-z0-9+/= \t\r\n]/u.exec(value)?.index;
}

/** Without the = signs at the end; a loop, since a regular expression would take the square of hostile text's length. */
export function trimPadding(base64: string): string {
  let end = base64.length;
  while (end > 0 && base64[end - 1] === "=") end--;
  return base64.slice(0, end);
}
