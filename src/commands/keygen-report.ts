import type { PublicKey } from "../keys/public-key.ts";
import { publicKeyFingerprint } from "../keys/public-key.ts";
import { createRecordFormat, RECORD_FORMAT_NAMES, type RecordFormatName } from "../report/record-formats/index.ts";
import { jsonRecord } from "../report/record-formats/json-format.ts";
import { publicKeyBits } from "../report/record-formats/record-format.ts";
import type { Output } from "../terminal/output.ts";
import type { MadeKey } from "./key-maker.ts";
import { DEFAULT_TTL_SECONDS } from "./options.ts";

/** rspamd's names for its two record formats mean here what they mean there. */
const RSPAMD_NAMES = { dns: "rspamd", dnskey: "value" } as const;

export const KEYGEN_FORMATS = [...RECORD_FORMAT_NAMES, ...Object.keys(RSPAMD_NAMES)];
export type KeygenFormat = RecordFormatName | keyof typeof RSPAMD_NAMES;

const KEYGEN_SCHEMA = "dkimctl/keygen/1";

/** What keygen prints on standard output: each record as soon as its key is stored. */
export interface KeygenReport {
  add(result: MadeKey): void;
  finish(): void;
}

export function createKeygenReport(format: KeygenFormat, ttl: number | undefined, output: Output): KeygenReport {
  const ttlSeconds = ttl ?? DEFAULT_TTL_SECONDS;
  let index = 0;
  if (format === "json") {
    const keys: unknown[] = [];
    const failures: unknown[] = [];
    return {
      add(result) {
        if (result.kind === "made") {
          const { location, backup } = result;
          keys.push({ ...jsonRecord({ ...result, index: ++index, ttlSeconds, location }), backup: backup ?? null });
        } else {
          const { name, error } = result;
          failures.push({ ...name, code: error.code, message: error.message, hint: error.hint ?? null });
        }
      },
      finish: () => output.write(`${JSON.stringify({ schema: KEYGEN_SCHEMA, keys, failures }, undefined, 2)}\n`),
    };
  }
  const records = createRecordFormat(format === "dns" || format === "dnskey" ? RSPAMD_NAMES[format] : format);
  return {
    add(result) {
      if (result.kind === "failed") return;
      if (index === 0) output.write(records.begin?.() ?? "");
      output.write(records.record({ ...result, index: ++index, ttlSeconds }));
    },
    finish() {
      if (index > 0) output.write(records.end?.() ?? "");
    },
  };
}

/** `RSA, 2048 bits, SHA256:<hex>`. */
export function describeKey(publicKey: PublicKey): string {
  const size = publicKey.type === "rsa" ? `RSA, ${publicKeyBits(publicKey)} bits` : "Ed25519";
  return `${size}, SHA256:${publicKeyFingerprint(publicKey)}`;
}
