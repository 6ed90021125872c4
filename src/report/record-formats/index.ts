import type { DomainName } from "../../keys/domain-name.ts";
import { amavisFormat } from "./amavis-format.ts";
import { bindFormat } from "./bind-format.ts";
import { jsonFormat } from "./json-format.ts";
import { opendkimFormat } from "./opendkim-format.ts";
import { plainFormat } from "./plain-format.ts";
import type { RecordFormat } from "./record-format.ts";
import { rspamdFormat } from "./rspamd-format.ts";
import { valueFormat } from "./value-format.ts";

/** What `showkeys --format` and `keygen -o` take, in the order that help shows; the first is the default. */
export const RECORD_FORMAT_NAMES = ["bind", "amavis", "rspamd", "opendkim", "plain", "value", "json"] as const;
export type RecordFormatName = (typeof RECORD_FORMAT_NAMES)[number];

export interface RecordFormatOptions {
  /** `plain` only: the zone without which hosts are given. */
  readonly relativeTo?: DomainName | undefined;
}

const FORMATS: Record<RecordFormatName, (options: RecordFormatOptions) => RecordFormat> = {
  bind: bindFormat,
  amavis: amavisFormat,
  rspamd: rspamdFormat,
  opendkim: opendkimFormat,
  plain: plainFormat,
  value: valueFormat,
  json: jsonFormat,
};

/** A writer for one listing. It keeps count within the listing: make a new one for the next. */
export function createRecordFormat(name: RecordFormatName, options: RecordFormatOptions = {}): RecordFormat {
  return FORMATS[name](options);
}
