import type { DomainName } from "../../keys/domain-name.ts";
import { type RecordFormat, type RecordFormatOptions, recordText } from "./record-format.ts";
import { hostOf } from "./record-host.ts";

/**
 * JavaScript for DNSControl, to be loaded after the `D()` of the domains: `D_EXTEND("example.com", TXT(…), …)`. A domain that
 * is no zone of its own is added to the longest one that holds it, by DNSControl. It splits long strings and does all
 * quoting itself; a JSON string is a JavaScript string.
 * @see https://docs.dnscontrol.org/language-reference/top-level-functions/d_extend
 * @see https://docs.dnscontrol.org/language-reference/domain-modifiers/txt
 */
export function dnscontrolFormat({ relativeTo }: RecordFormatOptions): RecordFormat {
  let open: { readonly zone: DomainName; readonly call: string } | undefined;
  const close = () => (open === undefined ? "" : `${open.call}\n);\n`);
  return {
    record(record) {
      const zone = relativeTo ?? record.name.domain;
      const words = [hostOf(record.name, zone), recordText(record)].map((word) => JSON.stringify(word));
      const call = `  TXT(${words.join(", ")}, TTL(${record.ttlSeconds}))`;
      // A comma after the last argument is a syntax error in older JavaScript: each call waits for the next.
      const before = open?.zone === zone ? `${open.call},\n` : `${close()}D_EXTEND(${JSON.stringify(zone)},\n`;
      open = { zone, call };
      return before;
    },
    end: close,
  };
}
