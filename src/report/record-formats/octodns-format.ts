import { type RecordFormat, type RecordFormatOptions, type RecordToPrint, recordText } from "./record-format.ts";
import { ZoneGroups } from "./zone-groups.ts";

/**
 * YAML as octoDNS's YamlProvider reads it, whose file for a zone is `<zone>.yaml`: names relative to the zone and in
 * natural order, which it insists on; semicolons with a backslash (`escaped_semicolons`, its default); long values in one
 * piece, which it cuts itself. Each zone is a document of its own, since octoDNS reads one from a file.
 * @see https://github.com/octodns/octodns/blob/main/octodns/provider/yaml.py and octodns/record/chunked.py (1.x)
 */
export function octodnsFormat(options: RecordFormatOptions): RecordFormat {
  const zones = new ZoneGroups(options);
  return {
    record(record) {
      zones.add(record);
      return "";
    },
    end() {
      return [...zones]
        .map(([zone, records]) => {
          const sorted = records.toSorted((a, b) => compareNaturally(a.host, b.host));
          return `# ${zone}.yaml\n---\n${sorted.map(({ host, record }) => renderRecord(host, record)).join("")}`;
        })
        .join("");
    },
    note: () =>
      zones.size > 1 ? `${zones.size} zones: each document is to be a file of its own for octoDNS` : undefined,
  };
}

function renderRecord(host: string, record: RecordToPrint): string {
  // In single quotes nothing is special but the single quote (YAML 1.1 §9.1.3), and a record's text is printable ASCII.
  const value = recordText(record).replaceAll(";", "\\;").replaceAll("'", "''");
  return `${host}:\n  ttl: ${record.ttlSeconds}\n  type: TXT\n  value: '${value}'\n`;
}

/** As natsort, which octoDNS uses: numbers in names by their value, all else by code point. */
function compareNaturally(a: string, b: string): number {
  const [left, right] = [a.split(/([0-9]+)/), b.split(/([0-9]+)/)];
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    // Every second part is a number.
    const [x, y] = index % 2 === 1 ? [BigInt(part), BigInt(other)] : [part, other];
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
