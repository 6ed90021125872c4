import { amavisFormat } from "./amavis-format.ts";
import { bindFormat } from "./bind-format.ts";
import { dnscontrolFormat } from "./dnscontrol-format.ts";
import { jsonFormat } from "./json-format.ts";
import { nsupdateFormat } from "./nsupdate-format.ts";
import { octodnsFormat } from "./octodns-format.ts";
import { opendkimFormat } from "./opendkim-format.ts";
import { plainFormat } from "./plain-format.ts";
import type { RecordFormat, RecordFormatOptions } from "./record-format.ts";
import { route53Format } from "./route53-format.ts";
import { rspamdFormat } from "./rspamd-format.ts";
import { terraformFormat } from "./terraform-format.ts";
import { tinydnsFormat } from "./tinydns-format.ts";
import { valueFormat } from "./value-format.ts";

/** Called by its name: the bundle loads of these what is called. */
const FORMATS = {
  bind: () => bindFormat(),
  amavis: () => amavisFormat(),
  rspamd: () => rspamdFormat(),
  opendkim: () => opendkimFormat(),
  plain: (options) => plainFormat(options),
  value: () => valueFormat(),
  nsupdate: (options) => nsupdateFormat(options),
  tinydns: () => tinydnsFormat(),
  octodns: (options) => octodnsFormat(options),
  dnscontrol: (options) => dnscontrolFormat(options),
  terraform: (options) => terraformFormat(options),
  route53: (options) => route53Format(options),
  json: () => jsonFormat(),
} satisfies Record<string, (options: RecordFormatOptions) => RecordFormat>;

export type RecordFormatName = keyof typeof FORMATS;

/** What `showkeys --format` and `keygen -o` take, in the order that help shows; the first is the default. */
export const RECORD_FORMAT_NAMES = Object.keys(FORMATS) as readonly RecordFormatName[];

/** Those that write each record for a zone, and so ask for `zoneOf`. */
export const ZONE_FORMAT_NAMES: ReadonlySet<string> = new Set<RecordFormatName>(["octodns", "terraform", "route53"]);

/** A writer for one listing. It keeps count within the listing: make a new one for the next. */
export function createRecordFormat(name: RecordFormatName, options: RecordFormatOptions = {}): RecordFormat {
  return FORMATS[name](options);
}
