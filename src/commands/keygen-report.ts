import type { PublicKey } from "../keys/public-key.ts";
import { publicKeyFingerprint } from "../keys/public-key.ts";
import { registeredDomain } from "../keys/public-suffix.ts";
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
  /** @returns what a person must know before the records are used */
  finish(): string | undefined;
}

/** Writes the records of new keys to `output`, each as soon as it is added. @param ttl in seconds */
export function createKeygenReport(format: KeygenFormat, ttl: number | undefined, output: Output): KeygenReport {
  const ttlSeconds = ttl ?? DEFAULT_TTL_SECONDS;
  if (format === "json") return createJsonReport(ttlSeconds, output);
  let index = 0;
  const records = createRecordFormat(format === "dns" || format === "dnskey" ? RSPAMD_NAMES[format] : format, {
    zoneOf: registeredDomain,
  });
  return {
    add(result) {
      if (result.kind === "failed") return;
      if (index === 0) output.write(records.begin?.() ?? "");
      output.write(records.record({ ...result, index: ++index, ttlSeconds }));
    },
    finish() {
      if (index === 0) return undefined;
      output.write(records.end?.() ?? "");
      return records.note?.();
    },
  };
}

/** One document, of the same shape for no key, one and many; keys are written as they come, one a line. */
function createJsonReport(ttlSeconds: number, output: Output): KeygenReport {
  const failures: string[] = [];
  let index = 0;
  const head = () => (index === 0 ? `{"schema":${JSON.stringify(KEYGEN_SCHEMA)},"keys":[\n` : ",");
  return {
    add(result) {
      if (result.kind === "made") {
        const { backup = null } = result;
        const key = (index: number) => JSON.stringify({ ...jsonRecord({ ...result, index, ttlSeconds }), backup });
        output.write(`${head()}${key(++index)}\n`);
      } else {
        const { name, error } = result;
        const { code, message, hint = null } = error;
        failures.push(JSON.stringify({ ...name, code, message, hint }));
      }
    },
    finish() {
      const begin = index === 0 ? head() : "";
      output.write(`${begin}],"failures":[\n${failures.map((failure) => `${failure}\n`).join(",")}]}\n`);
      return undefined;
    },
  };
}

/** `RSA, 2048 bits, SHA256:<hex>`. */
export function describeKey(publicKey: PublicKey): string {
  const size = publicKey.type === "rsa" ? `RSA, ${publicKeyBits(publicKey)} bits` : "Ed25519";
  return `${size}, SHA256:${publicKeyFingerprint(publicKey)}`;
}
