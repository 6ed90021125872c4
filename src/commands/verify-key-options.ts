import type { CliContext } from "../context.ts";
import type { BlockList } from "../keys/weak-keys/block-list.ts";
import type { PublishFormatName } from "../report/key-report/published-record.ts";
import type { DnsOptions } from "./dns-options.ts";
import type { Notices } from "./notices.ts";
import type { GlobalOptions, PassphraseOptions } from "./options.ts";
import type { EvidenceOptions } from "./publication-options.ts";
import type { Settings } from "./settings.ts";

export interface VerifyKeyOptions extends GlobalOptions, PassphraseOptions, DnsOptions, EvidenceOptions {
  readonly record?: string;
  readonly stdin?: boolean;
  readonly zone?: string;
  readonly all?: boolean;
  readonly maxAge?: number;
  readonly origin?: string;
  readonly explain?: string;
  readonly format: "text" | "json" | "ndjson";
  readonly publishAs: PublishFormatName;
  readonly verifiers?: boolean;
  readonly blocklist?: string;
  readonly arithmetic: boolean;
  readonly sharedPrimes?: boolean;
  readonly text?: boolean;
}

/** What the parts of verify-key work with. */
export interface VerifyTools {
  readonly cli: CliContext;
  readonly options: VerifyKeyOptions;
  readonly notices: Notices;
  readonly settings: Settings;
  readonly blockList: BlockList | undefined;
}
