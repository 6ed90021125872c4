import type { PublishedKeyCode, PublishedVerdict } from "../../src/checks/published-key.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { createKeyCheckFormat, type KeyCheckFormatName } from "../../src/report/key-checks/index.ts";
import { isWarned, type TestedKey, type TestOutcome } from "../../src/report/key-checks/key-check-format.ts";
import { createStyle } from "../../src/terminal/style.ts";

type Tested = TestOutcome & { readonly kind: "tested" };

const { publicKey } = ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(7));

/** The outcome of a test, with what a case leaves open filled in. */
export function testedOutcome(
  verdict: PublishedVerdict,
  code: PublishedKeyCode,
  reason: string,
  more: Partial<Tested> = {},
): Tested {
  return {
    ...{ kind: "tested", verdict, code, reason, findings: [], notes: [], published: [], expected: "v=DKIM1; p=abc" },
    ...{
      publicKey,
      answer: undefined,
      lookup: undefined,
      dnssec: undefined,
      foundAt: [],
      aliases: [],
      policyNotes: [],
      ...more,
    },
  };
}

/** One key of each verdict and more; `hostile` goes wherever text from outside can stand. */
export function sampleKeys(hostile = "harmless"): TestedKey[] {
  const warning = { code: "DNS-WILDCARD", severity: "warning", message: hostile, fix: "remove it" } as const;
  const outcomes: TestOutcome[] = [
    testedOutcome("pass", "pass", ""),
    testedOutcome("pass", "pass", "", { findings: [warning], policyNotes: [hostile] }),
    testedOutcome("fail", "no-name", hostile, { foundAt: [{ name: "s1.example.com", mistake: hostile }] }),
    testedOutcome("fail", "bad-record", hostile, { notes: [hostile], findings: [{ ...warning, severity: "error" }] }),
    testedOutcome("revoked", "revoked", hostile),
    testedOutcome("temporary", "temporary-dns", hostile),
    { kind: "unreadable", verdict: "error", code: "DKIM_KEY_FILE", reason: hostile },
    { kind: "skipped", verdict: "skipped", code: "not-asked", reason: hostile },
  ];
  return outcomes.map((outcome, at) => ({
    index: at + 1,
    name: parseKeyName(at < 4 ? "a.example" : "b.example", `s${at + 1}`),
    location: hostile,
    outcome,
  }));
}

/** A whole report. */
export async function renderChecks(format: KeyCheckFormatName, keys: readonly TestedKey[]): Promise<string> {
  const { begin, check, end } = createKeyCheckFormat(format, { style: await createStyle(false), ttlSeconds: 300 });
  const tally = { pass: 0, fail: 0, revoked: 0, temporary: 0, error: 0, skipped: 0 };
  for (const { outcome } of keys) tally[outcome.verdict]++;
  const warned = keys.filter(({ outcome }) => isWarned(outcome)).length;
  return [begin?.(), ...keys.map(check), end?.({ tally, warned, unnamed: 0 })].join("");
}
