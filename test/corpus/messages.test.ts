import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TxtAnswer } from "../../src/dns/resolver.ts";
import { summarizeResults, verifyMessage } from "../../src/signing/verify.ts";
import { CORPUS, readCorpus } from "../helpers/corpus.ts";
import exceptions from "./messages-exceptions.json" with { type: "json" };

interface MessageCase {
  readonly file: string;
  readonly dns: Readonly<Record<string, readonly string[] | "NXDOMAIN" | "TEMP" | "SERVFAIL">>;
  /** The strict reading, as one word for the message. */
  readonly rfc: string;
  readonly now?: number;
  readonly per_sig?: readonly { readonly state: string }[];
}

const cases = readCorpus<MessageCase>("messages.jsonl");
const explained = new Map<string, string>(Object.entries(exceptions));

function lookup({ dns }: MessageCase, name: string): TxtAnswer {
  const records = dns[name];
  if (records === "TEMP" || records === "SERVFAIL") return { status: "temporary-failure", reason: records };
  if (records === undefined || records === "NXDOMAIN") return { status: "no-name" };
  return { status: "found", records };
}

function verify(message: MessageCase) {
  const now = message.now === undefined ? new Date() : new Date(message.now * 1000);
  const resolver = { lookup: async (name: string) => lookup(message, name) };
  return verifyMessage(readFileSync(join(CORPUS, message.file)), resolver, { now });
}

describe("corpus messages: the strict reading of RFC 6376, 8301 and 8463", () => {
  test.each(cases)("$file: $rfc", async (message) => {
    const { signatures } = await verify(message);
    const result = summarizeResults(signatures);
    if (explained.has(message.file)) expect(result, "this exception is no longer needed").not.toBe(message.rfc);
    else expect(result, JSON.stringify(signatures.map(({ reason }) => reason))).toBe(message.rfc);
  });

  test.each(cases.filter(({ per_sig }) => per_sig !== undefined))("$file: each signature", async (message) => {
    const { signatures } = await verify(message);
    // The source project stops after five signatures.
    const states = signatures.map(({ result }) => (result === "pass" ? "SUCCESS" : "PERMFAIL")).slice(0, 5);
    expect(states).toEqual(message.per_sig?.map(({ state }) => state));
  });

  test("at least 97 % agree, and every exception names a message", () => {
    expect(explained.size).toBeLessThanOrEqual(cases.length * 0.03);
    for (const file of explained.keys()) expect(cases.map((message) => message.file)).toContain(file);
  });
});
