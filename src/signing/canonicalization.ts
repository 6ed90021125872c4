import type { HeaderField } from "./message.ts";

/** RFC 6376 §3.4: how much a relay may touch a message without breaking its signature. */
export type Canonicalization = "simple" | "relaxed";

const SP = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const CRLF = Buffer.from("\r\n");

/** The field as it is hashed, without the CRLF that ends it (RFC 6376 §3.4.1, §3.4.2). Octets as latin1. */
export function canonicalizeField({ name, text }: HeaderField, canonicalization: Canonicalization): string {
  if (canonicalization === "simple") return text;
  const raw = text.slice(text.indexOf(":") + 1);
  // What nearly every unfolded field is: nothing but single spaces.
  const value = /[\t\r]| {2}/.test(raw) ? raw.replaceAll("\r\n", "").replace(/[ \t]+/g, " ") : raw;
  return `${name}:${value.slice(value.startsWith(" ") ? 1 : 0, value.endsWith(" ") ? -1 : undefined)}`;
}

/**
 * The body as it is hashed (RFC 6376 §3.4.3, §3.4.4), before l= cuts it. A last line without line end gets one; LF counts
 * as CRLF. One pass; the result has at most one octet more per line than the input.
 */
export function canonicalizeBody(body: Uint8Array, canonicalization: Canonicalization): Uint8Array {
  return canonicalization === "simple" ? simpleBody(body) : relaxedBody(body);
}

function simpleBody(body: Uint8Array): Uint8Array {
  const octets = withCrlf(body);
  let end = octets.length;
  while (end >= 2 && octets[end - 2] === CR && octets[end - 1] === LF) end -= 2;
  // Where lines were dropped, the first CRLF of the run is the one that stays.
  return end < octets.length ? octets.subarray(0, end + 2) : Buffer.concat([octets, CRLF]);
}

function relaxedBody(body: Uint8Array): Uint8Array {
  const output = Buffer.allocUnsafe(body.length + countLineFeeds(body) + 2);
  let length = 0;
  let pendingLineEnds = 0;
  let pendingSpace = false;
  for (let i = 0; i < body.length; i++) {
    const octet = body[i] ?? 0;
    if (octet === SP || octet === TAB) {
      pendingSpace = true;
    } else if (octet === LF || (octet === CR && body[i + 1] === LF)) {
      if (octet === CR) i++;
      pendingSpace = false;
      pendingLineEnds++;
    } else {
      for (; pendingLineEnds > 0; pendingLineEnds--) {
        output[length++] = CR;
        output[length++] = LF;
      }
      if (pendingSpace) output[length++] = SP;
      pendingSpace = false;
      output[length++] = octet;
    }
  }
  if (length > 0) {
    output[length++] = CR;
    output[length++] = LF;
  }
  return output.subarray(0, length);
}

/** The octets with each LF that lacks its CR completed; the same octets when none does. */
export function withCrlf(octets: Uint8Array): Uint8Array {
  let bare = 0;
  for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, at + 1)) if (octets[at - 1] !== CR) bare++;
  if (bare === 0) return octets;
  const output = Buffer.allocUnsafe(octets.length + bare);
  let length = 0;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] ?? 0;
    if (octet === LF && octets[i - 1] !== CR) output[length++] = CR;
    output[length++] = octet;
  }
  return output;
}

function countLineFeeds(octets: Uint8Array): number {
  let count = 0;
  for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, at + 1)) count++;
  return count;
}
