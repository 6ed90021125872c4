import { generatePrimeSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { rsaPublicKeyFromNumbers } from "../../src/keys/public-key.ts";
import { runCli } from "../helpers/run-cli.ts";
import { makeEd25519Key } from "../helpers/signing-keys.ts";

const primes = Array.from({ length: 8 }, () => generatePrimeSync(512, { bigint: true }));

/** The record of the key that has these primes. */
function record(i: number, j: number, factor = 1n): string {
  const modulus = (primes[i] ?? 0n) * (primes[j] ?? 0n) * factor;
  const digits = modulus.toString(16);
  const octets = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return formatKeyRecord(keyRecordFor(rsaPublicKeyFromNumbers(octets, Uint8Array.of(1, 0, 1))));
}

const ED25519 = formatKeyRecord(keyRecordFor(makeEd25519Key().publicKey));

interface Line {
  readonly id: unknown;
  readonly state: string;
  readonly severity: string;
  readonly findings: { code: string; severity: string; message: string; critical?: boolean }[];
  readonly sharedWith?: unknown[];
  readonly sharedCount?: number;
}

async function ask(questions: readonly object[], argv: readonly string[] = ["--shared-primes"]) {
  const stdin = questions.map((question) => `${JSON.stringify(question)}\n`).join("");
  const result = await runCli(["verify-key", "--stdin", "--format", "ndjson", ...argv], { stdin });
  const lines = result.stdout.split("\n").filter((line) => line !== "");
  const answers: Line[] = lines.map((line) => JSON.parse(line));
  return { ...result, answers: answers.slice(0, questions.length), further: answers.slice(questions.length) };
}

describe("primes that records of a stream share (RFC 8017 §3.1 wants two of one's own)", () => {
  test("a further line for each record that is affected, after the answers", async () => {
    const { answers, further, exitCode } = await ask([
      { id: "a", record: record(0, 1) },
      { id: "b", record: record(2, 3) },
      { id: "c", record: ED25519 },
      { id: 4, record: record(4, 0) },
      { id: "e", record: "x" },
      { id: "f", record: record(0, 1) },
    ]);
    expect(answers.map(({ id }) => id)).toEqual(["a", "b", "c", 4, "e", "f"]);
    expect(answers.filter(({ sharedWith }) => sharedWith !== undefined)).toEqual([]);
    expect(further.map(({ id, sharedWith, sharedCount }) => [id, sharedWith, sharedCount])).toEqual([
      ["a", [4], 1],
      ["f", [4], 1],
      [4, ["a", "f"], 2],
    ]);
    for (const { state, severity, findings } of further) {
      expect({ state, severity }).toEqual({ state: "unusable", severity: "error" });
      expect(findings).toMatchObject([{ code: "RSA-SHARED-PRIME", severity: "error", critical: true }]);
    }
    expect(further[0]?.findings[0]?.message).toContain(`that of "4": `);
    expect(further[2]?.findings[0]?.message).toContain(`that of "a" and of 1 more: `);
    expect(exitCode).toBe(1);
  });

  test("they alone make the exit status 1", async () => {
    const questions = [{ record: record(0, 1) }, { record: record(1, 2) }];
    expect(await ask(questions, [])).toMatchObject({ exitCode: 0, further: [] });
    const { exitCode, further } = await ask(questions);
    expect(further.map(({ id, sharedWith }) => [id, sharedWith])).toEqual([
      [1, [2]],
      [2, [1]],
    ]);
    expect(exitCode).toBe(1);
  });

  test("both primes shared, with different keys: a finding for each", async () => {
    const { further } = await ask([
      { id: "a", record: record(0, 1) },
      { id: "b", record: record(1, 2) },
      { id: "c", record: record(2, 3) },
    ]);
    expect(further.map(({ id, sharedWith, findings }) => [id, sharedWith, findings.length])).toEqual([
      ["a", ["b"], 1],
      ["b", ["a", "c"], 2],
      ["c", ["b"], 1],
    ]);
  });

  test("nothing shared; one key in several records; a small factor that two have", async () => {
    const { further, exitCode } = await ask([
      { record: record(0, 1) },
      { record: record(2, 3) },
      { record: record(1, 0) },
    ]);
    expect({ further, exitCode }).toEqual({ further: [], exitCode: 0 });
    expect((await ask([{ record: record(0, 1, 3n) }, { record: record(2, 3, 3n) }])).further).toEqual([]);
    expect((await ask([{ record: record(0, 1, 3n) }, { record: record(0, 3, 3n) }])).further).toHaveLength(2);
    expect((await ask([])).further).toEqual([]);
  });

  test("records of an RRset, of octets and of zone text", async () => {
    const { further } = await ask([
      { id: "set", rrset: [record(0, 1), record(2, 3)] },
      { id: "octets", record_b64: Buffer.from(record(3, 4)).toString("base64") },
      { id: "zone", form: "presentation", record: `"${record(5, 1).slice(0, 200)}" "${record(5, 1).slice(200)}"` },
    ]);
    expect(further.map(({ id, sharedWith }) => [id, sharedWith])).toEqual([
      ["set", ["zone"]],
      ["set", ["octets"]],
      ["octets", ["set"]],
      ["zone", ["set"]],
    ]);
  });

  test("a bad generator's many keys do not each name all others", async () => {
    const many = Array.from({ length: 130 }, (_, i) => {
      const modulus = (primes[0] ?? 0n) * ((primes[1] ?? 0n) + 2n ** 260n * BigInt(i + 1));
      const octets = Buffer.from(modulus.toString(16).padStart(256, "0"), "hex");
      return { id: i, record: formatKeyRecord(keyRecordFor(rsaPublicKeyFromNumbers(octets, Uint8Array.of(1, 0, 1)))) };
    });
    const { further } = await ask(many, ["--shared-primes", "--no-arithmetic"]);
    expect(new Set(further.map(({ id }) => id)).size).toBe(130);
    for (const { sharedWith, sharedCount } of further) expect([sharedWith?.length, sharedCount]).toEqual([100, 129]);
  });

  test("is for streams", async () => {
    expect((await runCli(["verify-key", "--record", "x", "--shared-primes"])).exitCode).toBe(2);
    expect((await runCli(["verify-key", "--all", "--shared-primes"])).exitCode).toBe(2);
  });
});
