import { makeFinding } from "../checks/catalogue.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { shellQuote } from "../keys/file-permissions.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { KeyBackup, StoreLeftover } from "../keys/key-store.ts";
import { makeNothingReport } from "../report/key-report/file-report.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";

const DAY_MS = 86_400_000;
/** How long there may be reason to go back to a key that was replaced. */
const BACKUP_DAYS = 7;

/** What lies in a store beside its keys, each with the command that takes it away. */
export function makeLeftoverReport(leftover: StoreLeftover, now: Date): KeyReport {
  const { kind, location } = leftover;
  const source = escapeDnsText(Buffer.from(location).toString("latin1"));
  const remove = leftover.removal ?? `rm ${shellQuote(location)}`;
  switch (kind) {
    case "private-key":
    case "link":
      return makeBackupReport(leftover, source, now);
    case "temporary": {
      const finding = makeFinding(
        "STORE-LEFTOVER",
        { reason: "a run that was killed has left it, and it may hold a private key" },
        { fix: `remove it: ${remove}` },
      );
      return makeNothingReport({ source, name: undefined, description: "a temporary file" }, [finding]);
    }
    default: {
      const finding = makeFinding(
        "TAGS-ORPHAN",
        { reason: "the key that these tags belong to is not in the store" },
        { fix: `unless the key is to come back, remove them: ${remove}` },
      );
      return makeNothingReport({ source, name: undefined, description: "tags of a record" }, [finding]);
    }
  }
}

function makeBackupReport(
  { kind, location, name, since, warnings, removal }: KeyBackup,
  source: string,
  now: Date,
): KeyReport {
  const days = Math.max(0, Math.floor((now.getTime() - since.getTime()) / DAY_MS));
  const age = `${days === 1 ? "1 day" : `${days} days`} ago (${since.toISOString().slice(0, 10)})`;
  const isOld = days > BACKUP_DAYS;
  const limit = isOld ? `; more than ${BACKUP_DAYS} days` : "";
  const isKey = kind === "private-key";
  const what = isKey ? "a private key" : "a link to the key of another name";
  const path = shellQuote(location);
  const remove = removal ?? `rm ${path}`;
  const finding = makeFinding(
    "KEY-BACKUP",
    { reason: `${what} that was put aside ${age}${limit}` },
    {
      severity: isOld && isKey ? "warning" : "info",
      fix:
        isKey && removal === undefined
          ? `when nobody will go back to it, remove it: ${remove}; or keep it elsewhere: mv ${path} FOLDER`
          : `when nobody will go back to it, remove it: ${remove}`,
    },
  );
  const loose = warnings.map((reason) => makeFinding("KEY-PERMISSIONS", { reason }));
  const description = isKey ? "a key that was put aside" : "a link that was put aside";
  return makeNothingReport({ source, name: keyRecordName(name), description }, [finding, ...loose]);
}
