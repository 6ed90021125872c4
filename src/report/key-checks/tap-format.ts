import { keyRecordName } from "../../keys/key-name.ts";
import { describeDetails, type KeyCheckFormat, recordToPublish } from "./key-check-format.ts";

/**
 * The Test Anything Protocol, version 13, with a YAML block under what is not ok. The plan comes last: keys are counted as
 * they come. No directive is used: `# SKIP` and `# TODO` would let what is not proven pass.
 */
export function tapFormat(ttlSeconds: number): KeyCheckFormat {
  let count = 0;
  return {
    begin: () => "TAP version 13\n",
    check(tested) {
      const { index, name, outcome } = tested;
      count = index;
      const isGood = outcome.verdict === "pass";
      const lines = [`${isGood ? "ok" : "not ok"} ${index} - ${escapeDescription(keyRecordName(name))}`];
      const details = describeDetails(outcome);
      if (!isGood || details.length > 0) {
        const record = recordToPublish(tested, ttlSeconds);
        lines.push("  ---", `  verdict: ${outcome.verdict}`, `  code: ${yamlText(outcome.code)}`);
        lines.push(`  message: ${yamlText(outcome.reason)}`);
        if (details.length > 0) lines.push("  details: |", ...details.map((detail) => `    ${yamlLine(detail)}`));
        if (record !== undefined) lines.push(`  publish: ${yamlText(record)}`);
        lines.push("  ...");
      }
      return `${lines.join("\n")}\n`;
    },
    end: () => `1..${count}\n`,
  };
}

function escapeDescription(text: string): string {
  return text.replace(/[\\#]/g, "\\$&");
}

/** A double-quoted scalar on one line. */
function yamlText(text: string): string {
  return `"${escapeControls(text.replace(/[\\"]/g, "\\$&"))}"`;
}

/** A line of a literal block: a list would not do, for Perl's parser takes an item that holds ": " for a mapping. */
function yamlLine(text: string): string {
  return escapeControls(text).trim();
}

function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => {
    const hex = (char.codePointAt(0) ?? 0).toString(16);
    return hex.length > 2 ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`;
  });
}
