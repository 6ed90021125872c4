import { quoteTxtStrings } from "../../dns/txt-strings.ts";
import { originLines } from "./origin-lines.ts";
import { type RecordFormat, recordTagTexts } from "./record-format.ts";

/** Base64 that stands in the first string of p=, after the two octets of `p=` itself. */
const FIRST_KEY_STRING_OCTETS = 253;

/**
 * Octet for octet what `rspamadm dkim_keygen` 3.4 prints for the same key, RSA or Ed25519: owner relative to the
 * domain, no TTL, key split at 253 and then 255, and the blank it leaves behind a closing parenthesis of its own line.
 * rspamadm writes no tags but v, k and p; others stand where `formatKeyRecord` puts them.
 */
export function rspamdFormat(): RecordFormat {
  const originLine = originLines();
  return {
    record(record) {
      const { tags, key } = recordTagTexts(record);
      const head = quoteTxtStrings(`${tags.join("; ")}; `, "\n\t");
      const keyStrings = quoteTxtStrings(`p=${key}`, "\n\t");
      const close = key.length < FIRST_KEY_STRING_OCTETS ? " ) ;" : "\n) ; ";
      const { domain, selector } = record.name;
      return `${originLine(domain)}${selector}._domainkey IN TXT ( ${head}\n\t${keyStrings}${close}\n`;
    },
  };
}
