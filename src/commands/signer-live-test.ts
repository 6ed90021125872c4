import { setTimeout as delay } from "node:timers/promises";
import { requireProgram } from "../dns/publish/run-program.ts";
import { asTxtResolver, type Resolver } from "../dns/resolver.ts";
import { OperationError } from "../errors.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { SignerKey } from "../signers/signer-form.ts";
import { buildProbeMessage } from "../signing/probe-message.ts";
import { verifyMessage } from "../signing/verify.ts";
import { steadyMs } from "../steady-clock.ts";
import { visibleText } from "../terminal/visible-text.ts";
import type { SignerTarget } from "./signer-target.ts";

export interface LiveTestTools {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly resolver: Resolver;
  readonly signal: AbortSignal;
  now(): Date;
}

/** A daemon begins to use what it was told a moment after its reload has answered. */
const ASK_AGAIN_MS = 250;

/** The signer itself, asked whether it signs with these keys. */
export class SignerTestError extends OperationError {
  override readonly code = "DKIM_SIGNER_TEST";
}

/**
 * Asks the running signer, as far as `test` and `test-url` say how. Asks again until the time is up.
 * @param keys all of one domain that are to sign @throws {DkimctlError} it does not sign with them
 */
export async function testLiveSigner(
  keys: readonly SignerKey[],
  target: SignerTarget,
  tools: LiveTestTools,
): Promise<void> {
  const deadline = steadyMs() + target.timeLimitMs;
  const tests = [target.test && runTest, target.testUrl && askRspamd].flatMap((test) => test || []);
  for (const test of tests) {
    for (let earlier: SignerTestError | undefined; ; ) {
      const fault = await test(keys, target, tools, deadline);
      if (fault === undefined) break;
      // What was cut short by the deadline says less than what was said before it.
      if (steadyMs() >= deadline) throw earlier ?? fault;
      earlier = fault;
      if (steadyMs() + ASK_AGAIN_MS >= deadline) throw fault;
      await delay(ASK_AGAIN_MS, undefined, { signal: tools.signal });
    }
  }
}

type LiveTest = (
  keys: readonly SignerKey[],
  target: SignerTarget,
  tools: LiveTestTools,
  deadline: number,
) => Promise<SignerTestError | undefined>;

/** The user's program: its exit status counts, and of `amavisd testkeys`, which always exits with 0, its lines. */
const runTest: LiveTest = async (keys, { test = [], signer }, { env, signal, now }, deadline) => {
  const [first] = keys;
  if (first === undefined) return undefined;
  const { domain } = first.name;
  let output: string;
  try {
    output = await requireProgram({
      argv: test.map((word) => word.replaceAll("{domain}", domain)),
      stdin: Buffer.from(buildProbeMessage(first.name, now())).toString("latin1"),
      env: {
        ...env,
        DKIMCTL_DOMAIN: domain,
        DKIMCTL_SELECTORS: keys.map(({ name }) => name.selector).join("\n"),
        DKIMCTL_KEY_FILES: keys.map(({ path }) => path).join("\n"),
      },
      timeLimitMs: timeLeft(deadline),
      signal,
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return new SignerTestError(`the test of the signer: ${error.message}`, { hint: error.hint, cause: error });
  }
  if (signer !== "amavis" || !test.includes("testkeys")) return undefined;
  for (const { name } of keys) {
    const record = keyRecordName(name);
    const verdict = new RegExp(`${record.replaceAll(".", "\\.")} => (.*)`).exec(output)?.[1];
    if (verdict === "pass") continue;
    return new SignerTestError(`amavisd testkeys says of ${record}: ${visibleText(verdict ?? "nothing")}`);
  }
  return undefined;
};

/** rspamd is given a message as a local client would, and what it signs is verified as a receiver would. */
const askRspamd: LiveTest = async (keys, { testUrl = "" }, { resolver, signal, now }, deadline) => {
  const [first] = keys;
  if (first === undefined) return undefined;
  const message = buildProbeMessage(first.name, now());
  let fields: unknown[];
  try {
    const response = await fetch(testUrl, {
      method: "POST",
      // What rspamd takes for mail of its own network, and signs by default (sign_local).
      // A connection that is kept would lead to the worker of before the reload, as long as that ends its work.
      headers: { IP: "127.0.0.1", From: `probe@${first.name.domain}`, Connection: "close" },
      body: Buffer.from(message),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeLeft(deadline))]),
    });
    const answer = (await response.json()) as { "dkim-signature"?: unknown };
    fields = [answer["dkim-signature"] ?? []].flat();
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new SignerTestError(`rspamd at ${testUrl} does not answer: ${visibleText(reason)}`, { cause: error });
  }
  const signatures = fields.map((field) => Buffer.from(`DKIM-Signature: ${String(field)}\r\n`, "latin1"));
  const lookup = { lookup: (name: string) => asTxtResolver(resolver).lookup(name) };
  const verified = await verifyMessage(Buffer.concat([...signatures, message]), lookup, { now: now() });
  for (const { name } of keys) {
    const own = verified.signatures.find(
      ({ domain, selector }) => domain === name.domain && selector === name.selector,
    );
    if (own?.result === "pass") continue;
    const reason = own === undefined ? "does not sign with it" : `signs with it, and ${own.reason ?? own.result}`;
    return new SignerTestError(`rspamd was asked to sign for ${keyRecordName(name)} and ${reason}`);
  }
  return undefined;
};

/** Whole milliseconds, one at least. */
function timeLeft(deadline: number): number {
  return Math.max(1, Math.ceil(deadline - steadyMs()));
}
