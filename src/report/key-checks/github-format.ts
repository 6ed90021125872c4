import { keyRecordName } from "../../keys/key-name.ts";
import {
  describeDetails,
  describeResult,
  describeTally,
  isWarned,
  type KeyCheckFormat,
  recordToPublish,
} from "./key-check-format.ts";

/** Annotations of a GitHub Actions run: an error for each key that fails, a warning for what could not be told. */
export function githubFormat(ttlSeconds: number): KeyCheckFormat {
  return {
    check(tested) {
      const { name, outcome } = tested;
      if (outcome.verdict === "pass" && !isWarned(outcome)) return "";
      const level = ["fail", "revoked", "error"].includes(outcome.verdict) ? "error" : "warning";
      const record = recordToPublish(tested, ttlSeconds);
      const message = [
        describeResult(outcome),
        ...describeDetails(outcome),
        ...(record === undefined ? [] : [`publish: ${record}`]),
      ].join("\n");
      return `::${level} title=${escapeProperty(`DKIM ${keyRecordName(name)}`)}::${escapeData(message)}\n`;
    },
    end: ({ tally }) => `${describeTally(tally)}\n`,
  };
}

/** A workflow command ends with its line, and "%" introduces an escape. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
