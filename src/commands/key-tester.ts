import { DkimctlError } from "../errors.ts";
import type { TestedKey, TestOutcome } from "../report/key-checks/key-check-format.ts";
import type { KeySource, LoadedKey, SourceEntry } from "./key-source.ts";
import type { MailPolicyLookup } from "./mail-policy-lookup.ts";
import type { Notices } from "./notices.ts";
import { type PublicationTools, testPublication } from "./publication-test.ts";

export interface TestTools extends PublicationTools {
  readonly source: KeySource;
  /** Notes on DMARC are wanted. */
  readonly mailPolicy: MailPolicyLookup | undefined;
  readonly deadline: Deadline | undefined;
  readonly notices: Notices;
}

export interface Deadline {
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** Without a name it is a file that is no key of any domain. */
export type TestResult = Omit<TestedKey, "index"> | { readonly name: undefined; readonly error: DkimctlError };

/** The test of one key, from its file to what came of it. */
export function createTest(tools: TestTools): (entry: SourceEntry) => Promise<TestResult> {
  return async ({ name, location, load }) => {
    if (name !== undefined && tools.deadline?.signal.aborted) {
      return { name, location, outcome: skipped(tools.deadline) };
    }
    const key = await load();
    if (name === undefined) return { name, error: asError(key) };
    if (key instanceof DkimctlError) return { name, location, outcome: unreadable(key) };
    for (const warning of key.warnings) tools.notices.warn(warning);
    return { name, location, outcome: await testKey(key, tools) };
  };
}

async function testKey(key: LoadedKey, { mailPolicy, ...tools }: TestTools): Promise<TestOutcome> {
  const test = await testPublication(key, tools);
  const policyNotes = (await mailPolicy?.notes(key.name.domain)) ?? [];
  return { kind: "tested", ...test, publicKey: key.publicKey, policyNotes };
}

function asError(key: LoadedKey | DkimctlError): DkimctlError {
  if (key instanceof DkimctlError) return key;
  throw new Error("a key without a name was read");
}

function unreadable({ code, message, hint }: DkimctlError): TestOutcome {
  return { kind: "unreadable", verdict: "error", code, reason: hint === undefined ? message : `${message} (${hint})` };
}

function skipped({ seconds }: Deadline): TestOutcome {
  const reason = `not asked: the deadline of ${seconds} s was over`;
  return { kind: "skipped", verdict: "skipped", code: "not-asked", reason };
}
