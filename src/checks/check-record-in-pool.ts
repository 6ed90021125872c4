import { isComposite } from "./check-key-strength.ts";
import { type CheckRecordOptions, checkRecord, isOwnKey, type RecordReport } from "./check-record.ts";

/**
 * `checkRecord` for who has many records: its one long computation, whether the modulus is a prime, is made in the
 * thread pool. The report is the same.
 */
export async function checkRecordInPool(text: string, options: CheckRecordOptions = {}): Promise<RecordReport> {
  const report = checkRecord(text, { ...options, isComposite: true });
  const { publicKey } = report;
  if (publicKey?.type !== "rsa" || options.arithmetic === false) return report;
  if (isOwnKey(publicKey, options.privateKey) || (await isComposite(publicKey))) return report;
  return checkRecord(text, options);
}
