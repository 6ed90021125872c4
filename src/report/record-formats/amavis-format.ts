import { renderAmavisLayout } from "./amavis-layout.ts";
import { publicKeyBits, type RecordFormat, recordTagTexts } from "./record-format.ts";

/**
 * Octet for octet what `amavisd showkeys` 2.13 prints for the same RSA key, tags and file name: tags in the order
 * `v h s t n p`, `k=` left to its default, bits rounded up to whole octets.
 *
 * It differs where amavisd's own output would not load or would read back as another record: a note with a backslash,
 * with characters outside US-ASCII or with outer spaces is encoded, tags longer than 255 octets are split, and a line
 * break in a file name is escaped. amavisd has no Ed25519: such a key is printed in its layout, with `k=ed25519`.
 */
export function amavisFormat(): RecordFormat {
  return {
    record(record) {
      const { tags, key } = recordTagTexts(record);
      return renderAmavisLayout({
        record,
        bits: Math.ceil(publicKeyBits(record.publicKey) / 8) * 8,
        tags: tags.filter((tag) => tag !== "k=rsa"),
        key,
      });
    },
  };
}
