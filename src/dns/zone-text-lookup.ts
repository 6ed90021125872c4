import { parseTxtData, type ZoneRecord, ZoneTextSyntaxError } from "./zone-text.ts";

/**
 * What `host` and `nslookup` print: `NAME descriptive text "…"`, `NAME is an alias for TARGET.`, `NAME text = "…"` with
 * further strings on the next lines, `NAME canonical name = TARGET.`. Other lines are passed over. Never throws.
 */
export function scanLookupText(text: string): ZoneRecord[] {
  const records: ZoneRecord[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const alias = /^(\S+)\s+(?:is an alias for|canonical name =)\s+(\S+)\s*$/.exec(line);
    if (alias !== null) {
      const [, name = "", target = ""] = alias;
      records.push({ ...base(name, index), type: "CNAME", target: withoutDot(target) });
      continue;
    }
    const txt = /^(\S+)\s+(?:descriptive text|text =)(?:\s+(.*))?$/.exec(line);
    if (txt === null) continue;
    const [, name = "", sameLine = ""] = txt;
    const data = [sameLine];
    // nslookup divides long records: each further string stands quoted on a line of its own.
    while (/^\s+"/.test(lines[index + 1] ?? "")) data.push(lines[++index] ?? "");
    const strings = readStrings(data.join(" "));
    if (strings !== undefined) records.push({ ...base(name, index), type: "TXT", strings });
  }
  return records;
}

function base(name: string, index: number) {
  return { name: withoutDot(name), ttlSeconds: undefined, line: index + 1 };
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, "");
}

function readStrings(data: string): string[] | undefined {
  try {
    return parseTxtData(data);
  } catch (error) {
    if (error instanceof ZoneTextSyntaxError) return undefined;
    throw error;
  }
}
