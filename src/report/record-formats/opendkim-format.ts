import { quoteTxtString, quoteTxtStrings } from "../../dns/txt-strings.ts";
import { originLines } from "./origin-lines.ts";
import { type RecordFormat, recordTagTexts } from "./record-format.ts";

/** opendkim-genkey cuts the base64 into 250s; the first string has `p=` before it. */
const KEY_STRING_OCTETS = 250;

const SEPARATOR = "\n\t  ";

const TAG_ORDER = ["v", "n", "h", "k", "t", "s"];

/**
 * Octet for octet the `.txt` that `opendkim-genkey -d DOMAIN -s SELECTOR` 2.11 writes for the same RSA key: owner
 * relative to the domain, no TTL, tags in the order `v n h k t s p`, a comment that names selector and domain, and an
 * empty last string when the base64 is a multiple of 250 long.
 *
 * Like genkey, it writes `h=sha256` when the key names no hash. Unlike genkey, which writes a note in quotes that
 * become part of it, a note is encoded as RFC 6376 §3.6.1 asks. genkey has no Ed25519; libopendkim has, and such a
 * key is printed in the same layout.
 */
export function opendkimFormat(): RecordFormat {
  const originLine = originLines();
  return {
    record(record) {
      const { tags, key } = recordTagTexts({ ...record, tags: { hashAlgorithms: ["sha256"], ...record.tags } });
      const ordered = TAG_ORDER.flatMap((name) => tags.filter((tag) => tag.startsWith(`${name}=`)));
      const strings = [quoteTxtStrings(`${ordered.join("; ")}; `, SEPARATOR), ...keyStrings(key)].join(SEPARATOR);
      const { domain, selector } = record.name;
      const comment = `; ----- DKIM key ${selector} for ${domain}`;
      return `${originLine(domain)}${selector}._domainkey\tIN\tTXT\t( ${strings} )  ${comment}\n`;
    },
  };
}

function keyStrings(key: string): string[] {
  const strings: string[] = [];
  for (let start = 0; start <= key.length; start += KEY_STRING_OCTETS) {
    strings.push(quoteTxtString(`${start === 0 ? "p=" : ""}${key.slice(start, start + KEY_STRING_OCTETS)}`));
  }
  return strings;
}
