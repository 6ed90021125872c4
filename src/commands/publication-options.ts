import { type Command, Option } from "commander";
import { UsageError } from "../errors.ts";
import type { EvidenceMode } from "./key-evidence.ts";
import { wholeNumber } from "./options.ts";

/** Who is asked about one key, and whether DNSSEC must vouch for the answer. */
export interface EvidenceOptions {
  readonly authoritative?: boolean;
  readonly both?: boolean;
  readonly requireDnssec?: boolean;
}

/** How thoroughly the DNS is asked about the keys of a run. */
export interface PublicationOptions extends EvidenceOptions {
  readonly adspDmarc?: boolean;
  readonly deadline?: number;
}

/** Adds `--authoritative`, `--both`, `--require-dnssec`. */
export function addEvidenceOptions(command: Command): Command {
  return command
    .option("--authoritative", "ask every authoritative server of the zone, and no resolver for the record itself")
    .option("--both", 'ask the authoritative servers, then the resolvers: tells "not yet" from "never"')
    .option("--require-dnssec", "fail a key whose answer DNSSEC does not secure");
}

/** Adds the options of `addEvidenceOptions`, and `--adsp-dmarc`, `--deadline`. */
export function addPublicationOptions(command: Command): Command {
  return addEvidenceOptions(command)
    .option("--adsp-dmarc", "add notes on the domain's DMARC record and on ADSP")
    .addOption(
      new Option(
        "--deadline <seconds>",
        "stop asking after so long; keys not asked for by then are told (exit 4)",
      ).argParser(wholeNumber("seconds", { min: 1, max: 1_000_000 })),
    );
}

/**
 * @param isRepeated testing again and again must not plant a "no" in the caches that it waits for (RFC 2308 §5)
 * @throws {UsageError} options that contradict each other
 */
export function evidenceMode(
  { authoritative, both, requireDnssec }: EvidenceOptions,
  isRepeated: boolean,
): EvidenceMode {
  if (requireDnssec && authoritative && !both) {
    throw new UsageError("--authoritative asks no server that validates DNSSEC", {
      hint: "use --both with --require-dnssec",
    });
  }
  if (both) return "both";
  if (authoritative) return "authoritative";
  return isRepeated ? "both" : "resolvers";
}
