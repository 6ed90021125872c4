import type { DkimctlError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { isoTime } from "../report/rotation-status/key-status.ts";
import { roughDuration } from "../rotation/duration.ts";
import type { RotationFinding, Step, Wait } from "../rotation/plan.ts";
import type { Notices } from "./notices.ts";

/** What became of one domain. */
export interface DomainOutcome {
  readonly domain: DomainName;
  /** Done; in a dry run, what would be done. */
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
  readonly findings: readonly RotationFinding[];
}

const ROTATE_SCHEMA = "dkimctl/rotate/1";

/** One line for a domain that moved; empty text for one that did not. */
export function renderSteps({ domain, steps }: DomainOutcome, future: boolean): string {
  if (steps.length === 0) return "";
  return `${domain}: ${steps.map((step) => describeStep(step, future)).join("; ")}\n`;
}

/** What a dry run says of the time after it. */
export function renderWaits({ domain, waits }: DomainOutcome, now: number): string {
  return waits
    .map(({ selector, what, until }) => {
      const time =
        until === undefined ? "" : `, until ${new Date(until).toISOString()} (${roughDuration(until - now)})`;
      return `${domain}: ${selector === undefined ? "" : `${selector} `}waits for ${what}${time}\n`;
    })
    .join("");
}

/** A warning for each finding, named by domain and selector. */
export function tellFindings({ domain, findings }: DomainOutcome, notices: Notices): void {
  for (const { selector, message, hint } of findings) {
    notices.warn(`${domain}: ${selector === undefined ? "" : `${selector}: `}${message}`, hint);
  }
}

/** One JSON document of all outcomes, in the order given. */
export function renderJson(outcomes: readonly DomainOutcome[], dryRun: boolean): string {
  const domains = outcomes.map(({ domain, steps, waits, findings }) => ({
    domain,
    steps,
    waits: waits.map(({ selector = null, what, until }) => ({ selector, what, until: isoTime(until) })),
    findings: findings.map(({ level, selector = null, message, hint = null }) => ({ level, selector, message, hint })),
  }));
  return `${JSON.stringify({ schema: ROTATE_SCHEMA, dryRun, domains }, undefined, 2)}\n`;
}

/** A domain about which nothing was done, and the failure as its one finding. */
export function failedDomain(
  domain: DomainName,
  { message, hint }: DkimctlError,
  level: RotationFinding["level"],
): DomainOutcome {
  return { domain, steps: [], waits: [], findings: [{ level, message, hint }] };
}

function describeStep(step: Step, future: boolean): string {
  const would = (done: string, planned: string) => (future ? planned : done);
  switch (step.kind) {
    case "create":
      return would(
        `made the ${step.algorithm} key ${step.selector}`,
        `make the ${step.algorithm} key ${step.selector} (${step.why})`,
      );
    case "publish":
      return would(`asked for the record of ${step.selector}`, `publish ${step.selector} (${step.why})`);
    case "tombstone":
      return would(`asked for ${step.selector} to be revoked`, `revoke ${step.selector} (${step.why})`);
    case "withdraw":
      return would(
        `asked for the record of ${step.selector} to be removed`,
        `remove the record of ${step.selector} (${step.why})`,
      );
    case "advance":
      return would(
        `${step.selector} is ${STATE_WORDS[step.to] ?? step.to}`,
        `count ${step.selector} as ${step.to} (${step.why})`,
      );
    case "activate": {
      const names = step.selectors.join(" and ");
      const old = step.retired.length === 0 ? "" : ` instead of ${step.retired.join(" and ")}`;
      return would(
        `${names} ${step.selectors.length === 1 ? "signs" : "sign"}${old}`,
        `sign with ${names}${old} (${step.why})`,
      );
    }
    case "destroy":
      return would(`${step.selector} is gone`, `destroy the private key of ${step.selector} (${step.why})`);
    case "reveal":
      return would(
        `${step.selector} is gone, and its private key public`,
        `make the private key of ${step.selector} public (${step.why})`,
      );
  }
}

const STATE_WORDS: Readonly<Record<string, string>> = { tombstone: "revoked" };
