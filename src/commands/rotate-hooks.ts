import type { CliContext } from "../context.ts";
import { requireProgram } from "../dns/publish/run-program.ts";
import { DkimctlError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { RotationFinding, Step } from "../rotation/plan.ts";
import type { RotationRoom } from "./rotation-room.ts";

const HOOK_TIME_LIMIT_MS = 60_000;
const HOOKS = { publish: "on-publish", activate: "on-activate", destroy: "on-retire", reveal: "on-retire" } as const;

/** The user's programs, told of what is done. That one fails changes nothing but is said. */
export async function runHooks(
  domain: DomainName,
  steps: readonly Step[],
  { cli, room }: { readonly cli: CliContext; readonly room: RotationRoom },
): Promise<RotationFinding[]> {
  const findings: RotationFinding[] = [];
  for (const step of steps) {
    if (step.kind === "create" || step.kind === "advance" || step.kind === "tombstone" || step.kind === "withdraw")
      continue;
    const argv = room.settings.hooks[HOOKS[step.kind]];
    if (argv === undefined) continue;
    const selectors = step.kind === "activate" ? step.selectors : [step.selector];
    const event = { event: HOOKS[step.kind].slice("on-".length), domain, selectors };
    try {
      await requireProgram({
        argv,
        stdin: `${JSON.stringify(event)}\n`,
        env: {
          ...cli.env,
          DKIMCTL_EVENT: event.event,
          DKIMCTL_DOMAIN: domain,
          DKIMCTL_SELECTORS: selectors.join("\n"),
        },
        timeLimitMs: HOOK_TIME_LIMIT_MS,
        signal: cli.signal,
      });
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      findings.push({ level: "person", message: `the hook ${HOOKS[step.kind]}: ${error.message}` });
    }
  }
  return findings;
}
