import type { Style } from "../../terminal/style.ts";
import { githubFormat } from "./github-format.ts";
import { jsonFormat, ndjsonFormat } from "./json-format.ts";
import { junitFormat } from "./junit-format.ts";
import type { KeyCheckFormat } from "./key-check-format.ts";
import { nagiosFormat } from "./nagios-format.ts";
import { prometheusFormat } from "./prometheus-format.ts";
import { tableFormat } from "./table-format.ts";
import { tapFormat } from "./tap-format.ts";
import { textFormat } from "./text-format.ts";

/** What `testkeys --format` takes; the first is the default. */
export const KEY_CHECK_FORMAT_NAMES = [
  "text",
  "table",
  "json",
  "ndjson",
  "junit",
  "tap",
  "nagios",
  "prometheus",
  "github",
] as const;
export type KeyCheckFormatName = (typeof KEY_CHECK_FORMAT_NAMES)[number];

export interface KeyCheckFormatOptions {
  readonly style: Style;
  /** Of the records that are printed for publishing. */
  readonly ttlSeconds: number;
}

/** Called by its name: the bundle loads of these what is called. */
const FORMATS: Record<KeyCheckFormatName, (options: KeyCheckFormatOptions) => KeyCheckFormat> = {
  text: ({ style, ttlSeconds }) => textFormat(style, ttlSeconds),
  table: () => tableFormat(),
  json: () => jsonFormat(),
  ndjson: () => ndjsonFormat(),
  junit: ({ ttlSeconds }) => junitFormat(ttlSeconds),
  tap: ({ ttlSeconds }) => tapFormat(ttlSeconds),
  nagios: () => nagiosFormat(),
  prometheus: () => prometheusFormat(),
  github: ({ ttlSeconds }) => githubFormat(ttlSeconds),
};

/** A writer for one run: it keeps count within the run. */
export function createKeyCheckFormat(name: KeyCheckFormatName, options: KeyCheckFormatOptions): KeyCheckFormat {
  return FORMATS[name](options);
}
