import { splitTxtStrings } from "../../dns/txt-strings.ts";
import type { DomainName } from "../../keys/domain-name.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import { type RecordFormat, type RecordFormatOptions, type RecordToPrint, recordText } from "./record-format.ts";
import { type HostedRecord, ZoneGroups } from "./zone-groups.ts";

/**
 * Half of what a request may hold, 1,000 ResourceRecord elements and 32,000 characters in Value elements: both count twice
 * when the action is UPSERT.
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
 */
const MOST_RECORDS = 500;
const MOST_CHARACTERS = 16_000;

interface Change {
  readonly Action: "UPSERT";
  readonly ResourceRecordSet: {
    readonly Name: string;
    readonly Type: "TXT";
    readonly TTL: number;
    readonly ResourceRecords: readonly [{ readonly Value: string }];
  };
}

/**
 * Change batches for `aws route53 change-resource-record-sets --change-batch`, one a line: each is for one hosted zone,
 * which its comment names, and within the limits of a request.
 * @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
 */
export function route53Format(options: RecordFormatOptions): RecordFormat {
  const zones = new ZoneGroups(options);
  let batches = 0;
  return {
    record(record) {
      zones.add(record);
      return "";
    },
    end() {
      const lines = [...zones].flatMap(([zone, records]) => renderBatches(zone, records));
      batches = lines.length;
      return lines.join("");
    },
    note: () => (batches > 1 ? `${batches} change batches, one a line: each is a call of its own for aws` : undefined),
  };
}

function renderBatches(zone: DomainName, records: readonly HostedRecord[]): string[] {
  const batches = splitBatches(records.map(({ record }) => changeOf(record)));
  return batches.map((Changes, index) => {
    const part = batches.length === 1 ? "" : `, part ${index + 1} of ${batches.length}`;
    return `${JSON.stringify({ Comment: `DKIM records of ${zone}${part}`, Changes })}\n`;
  });
}

function splitBatches(changes: readonly Change[]): Change[][] {
  const batches: Change[][] = [];
  let characters = 0;
  for (const change of changes) {
    const { length } = change.ResourceRecordSet.ResourceRecords[0].Value;
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MOST_RECORDS || characters + length > MOST_CHARACTERS) {
      batches.push([change]);
      characters = length;
    } else {
      batch.push(change);
      characters += length;
    }
  }
  return batches;
}

function changeOf(record: RecordToPrint): Change {
  const Value = splitTxtStrings(recordText(record)).map(quote).join(" ");
  return {
    Action: "UPSERT",
    ResourceRecordSet: {
      Name: `${keyRecordName(record.name)}.`,
      Type: "TXT",
      TTL: record.ttlSeconds,
      ResourceRecords: [{ Value }],
    },
  };
}

/**
 * As Route 53 wants it: `\"`, and octal for what else is not itself, where master files have decimal.
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat
 */
function quote(octets: string): string {
  const escaped = octets.replace(/["\\]|[^\x20-\x7e]/g, (octet) =>
    octet === '"' ? '\\"' : `\\${octet.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return `"${escaped}"`;
}
