import { renderAmavisLayout } from "./amavis-layout.ts";
import { publicKeyBits, type RecordFormat, recordTagTexts } from "./record-format.ts";

/**
 * Zone text for BIND, NSD and Knot (RFC 1035 §5.1) in amavisd's layout: absolute owner, so it may be included anywhere;
 * no class, so it takes the zone's. Unlike `amavis`: `k=` always written, exact bits.
 */
export function bindFormat(): RecordFormat {
  return {
    record(record) {
      const { tags, key } = recordTagTexts(record);
      return renderAmavisLayout({ record, bits: publicKeyBits(record.publicKey), tags, key });
    },
  };
}
