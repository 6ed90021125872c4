import type { ZoneRecord } from "./zone-text.ts";

/**
 * tinydns-data lines: `'fqdn:text:ttl:timestamp:lo`, `:fqdn:16:rdata:ttl:…` and `Cfqdn:target:ttl:…`. Octets are
 * written `\ooo`, octal. Lines of other kinds are passed over. Never throws; linear time.
 */
export function scanTinydnsData(text: string): ZoneRecord[] {
  const records: ZoneRecord[] = [];
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const record = readLine(line.trimEnd(), index + 1);
    if (record !== undefined) records.push(record);
  }
  return records;
}

function readLine(text: string, line: number): ZoneRecord | undefined {
  const [name = "", second = "", third = "", fourth = ""] = text.slice(1).split(":");
  if (!/^[^\s:]+$/.test(name)) return undefined;
  const owner = unescapeOctal(name).replace(/\.$/, "");
  switch (text[0]) {
    case "'":
      return { name: owner, ttlSeconds: readTtl(third), type: "TXT", strings: [unescapeOctal(second)], line };
    case ":":
      if (second !== "16") return undefined;
      return { name: owner, ttlSeconds: readTtl(fourth), type: "TXT", strings: readRdata(unescapeOctal(third)), line };
    case "C":
      if (second === "") return undefined;
      return {
        name: owner,
        ttlSeconds: readTtl(third),
        type: "CNAME",
        target: unescapeOctal(second).replace(/\.$/, ""),
        line,
      };
    default:
      return undefined;
  }
}

/** tinydns-data cuts long text into strings itself: 127 octets each; joined they are the same. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-3][0-7]{2}|[0-7]{1,2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Length-prefixed strings; what is cut off is kept as far as it goes. */
function readRdata(rdata: string): string[] {
  const strings: string[] = [];
  for (let at = 0; at < rdata.length; ) {
    const length = rdata.charCodeAt(at);
    strings.push(rdata.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return strings;
}

function readTtl(text: string): number | undefined {
  return /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
}
