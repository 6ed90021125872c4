import { isUtf8 } from "node:buffer";

/**
 * The qp-section of n= (RFC 6376 §3.6.1, §2.11; RFC 2045 §6.7): `=XX` for what a tag value cannot hold.
 */

/** Plain text to qp-section. Quotes and backslashes are encoded too: zone tools and their users trip over them. */
export function encodeQpSection(text: string): string {
  const octets = Buffer.from(text, "utf8").toString("latin1");
  const encode = (char: string) => `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  // White space at the ends belongs to the tag-list, not to the value, unless encoded.
  return octets.replace(/[^\x20-\x7e]|[=;"\\]/g, encode).replace(/^ +| +$/g, (spaces) => "=20".repeat(spaces.length));
}

/** qp-section to plain text; what is no `=XX` stays as it is, and octets that are not UTF-8 are read as latin1. */
export function decodeQpSection(encoded: string): string {
  // Text with characters that are no octets was not read from DNS.
  const source = /[^\x00-\xff]/.test(encoded) ? Buffer.from(encoded).toString("latin1") : encoded;
  const octets = source.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const bytes = Buffer.from(octets, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : octets;
}

/** Where the first `=` stands that is no `=XX` (upper-case hexadecimal, RFC 2045 §6.7), or -1. */
export function findQpFault(encoded: string): number {
  return encoded.search(/=(?![0-9A-F]{2})/);
}
