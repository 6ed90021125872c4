import { type Command, Option } from "commander";
import { FINDING_CATALOGUE, type FindingCode, findFindingKind } from "../checks/catalogue.ts";
import type { CheckPolicy } from "../checks/check-policy.ts";
import { UsageError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import { nearestName } from "../nearest-name.ts";
import { collect } from "./options.ts";

/** What a pipeline wants a test of keys to mean, and where it wants the report. */
export interface GateOptions {
  readonly selector?: readonly string[];
  readonly onlyActive?: boolean;
  readonly fromRecords?: string;
  readonly failOn: CheckPolicy["failOn"];
  readonly ignore?: readonly FindingCode[];
  readonly expect: CheckPolicy["expect"];
  readonly requireDnssec?: boolean;
  readonly output?: string;
}

/** Adds `--selector`, `--only-active`, `--from-records`, `--fail-on`, `--ignore`, `--expect`, `--output`. */
export function addGateOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--selector <pattern>",
        "only selectors like this: * is any text, ? one character; may be repeated",
      ).argParser(collect((text: string) => text)),
    )
    .option("--only-active", "only keys that sign now; of a domain that rotate does not manage, every key")
    .option("--from-records <file>", "test the records that showkeys --format json wrote; no private key is read")
    .addOption(
      new Option("--fail-on <severity>", "the least severity that fails a key")
        .choices(["error", "warning"])
        .default("error"),
    )
    .addOption(
      new Option("--ignore <code>", "as if this were not found, such as DNS-WILDCARD; may be repeated").argParser(
        collect(parseFindingCode),
      ),
    )
    .addOption(
      new Option("--expect <state>", "what should be published: the keys, or their revocation")
        .choices(["pass", "revoked"])
        .default("pass"),
    )
    .option("--output <file>", "write the report to this file, replaced in one step when it is whole");
}

/** What passes and what is only told, as the options say. */
export function checkPolicy({ failOn, ignore = [], expect, requireDnssec = false }: GateOptions): CheckPolicy {
  return { failOn, ignore: new Set(ignore), expect, requireDnssec };
}

/** @throws {UsageError} */
function parseFindingCode(text: string): FindingCode {
  const known = findFindingKind(text);
  if (known !== undefined) return known.code;
  const codes = Object.keys(FINDING_CATALOGUE).map((code) => code.toLowerCase());
  const nearest = nearestName(text, codes)?.toUpperCase();
  throw new UsageError(`there is no finding ${quoteName(text)}`, {
    hint: nearest === undefined ? "reports name the code of each finding in parentheses" : `did you mean ${nearest}?`,
  });
}
