import type { Style } from "../../terminal/style.ts";
import { jsonFormat } from "./json-format.ts";
import type { KeyCheckFormat } from "./key-check-format.ts";
import { tableFormat } from "./table-format.ts";
import { textFormat } from "./text-format.ts";

/** What `testkeys --format` takes; the first is the default. */
export const KEY_CHECK_FORMAT_NAMES = ["text", "table", "json"] as const;
export type KeyCheckFormatName = (typeof KEY_CHECK_FORMAT_NAMES)[number];

export interface KeyCheckFormatOptions {
  readonly style: Style;
  /** Of the records that are printed for publishing. */
  readonly ttlSeconds: number;
}

const FORMATS: Record<KeyCheckFormatName, (options: KeyCheckFormatOptions) => KeyCheckFormat> = {
  text: ({ style, ttlSeconds }) => textFormat(style, ttlSeconds),
  table: tableFormat,
  json: jsonFormat,
};

/** A writer for one run: it keeps count within the run. */
export function createKeyCheckFormat(name: KeyCheckFormatName, options: KeyCheckFormatOptions): KeyCheckFormat {
  return FORMATS[name](options);
}
