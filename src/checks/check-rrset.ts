import { makeFinding, worstSeverity } from "./catalogue.ts";
import { type CheckRecordOptions, checkRecord, type RecordReport } from "./check-record.ts";

export interface RrsetReport extends RecordReport {
  /** One report per record, in the order given. */
  readonly records: readonly RecordReport[];
}

/**
 * All TXT records of one name. One record is judged as itself; of several no verifier can be sure which is meant
 * (RFC 6376 §3.6.2.2, §6.1.2): an error as soon as two are, or were meant to be, key records, a warning when one is
 * and the rest has nothing to do with DKIM.
 */
export function checkRrset(texts: readonly string[], options: CheckRecordOptions = {}): RrsetReport {
  const records = texts.map((text) => checkRecord(text, options));
  const [only] = records;
  if (only !== undefined && records.length === 1) return { ...only, records };
  if (only === undefined) return { ...checkRecord(""), records };
  const keys = texts.filter(isMeantAsKey);
  // A bare piece of base64 beside a key: one long record stored as two.
  const isHalved = texts.some((text) => BARE_BASE64.test(text)) && texts.some((text) => HAS_KEY.test(text));
  const multi = makeFinding(
    "DNS-MULTI",
    { records: records.length, keys: keys.length },
    { severity: keys.length > 1 || isHalved ? "error" : "warning" },
  );
  return { state: "undefined", severity: worstSeverity([multi]), findings: [multi], records };
}

/** Good or not: it says that it is a key record, or holds p= and does not say that it is something else. */
function isMeantAsKey(text: string): boolean {
  const version = /(?:^|;)[ \t"]*v[ \t]*=[ \t]*([^;]*)/i.exec(text)?.[1];
  return version === undefined ? HAS_KEY.test(text) : /^DKIM/i.test(version);
}

const HAS_KEY = /(?:^|;)[ \t"]*p[ \t]*=/;

const BARE_BASE64 = /^[ "]*[A-Za-z0-9+/]{16,}={0,2}[ ";]*$/;
