import type { DomainName } from "../keys/domain-name.ts";
import { DEFAULT_SELECTOR_TEMPLATE } from "../keys/selector-template.ts";
import { oneAtATime } from "../one-at-a-time.ts";
import { DEFAULT_POLICY, type RotationPolicy } from "../rotation/rotation-policy.ts";
import type { SignerSwitch } from "../rotation/store-world.ts";
import type { Settings } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const SIGNER_TIME_LIMIT_MS = 60_000;

/** What holds for one domain: its own sections over the common ones. */
export function settingsOf(
  domain: DomainName,
  { rotation, publish, signer, domain: domains }: Settings,
): Pick<Settings, "rotation" | "publish" | "signer"> {
  const own = Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  if (own === undefined) return { rotation, publish, signer };
  const { publish: ownPublish, signer: ownSigner, ...ownRotation } = own;
  return {
    rotation: { ...rotation, ...ownRotation },
    publish: ownPublish === undefined ? publish : { ...publish, ...ownPublish },
    signer: ownSigner === undefined ? signer : { ...signer, ...ownSigner },
  };
}

/** How this domain's keys rotate: its settings over the defaults. */
export function rotationPolicy(domain: DomainName, allSettings: Settings): RotationPolicy {
  const { rotation: settings, publish, signer } = settingsOf(domain, allSettings);
  const alertAfterMs = settings["alert-after"] ?? DEFAULT_POLICY.alertAfterMs;
  return {
    algorithms: settings.algorithms ?? DEFAULT_POLICY.algorithms,
    bits: settings.bits ?? DEFAULT_POLICY.bits,
    selector: settings.selector ?? DEFAULT_SELECTOR_TEMPLATE,
    selectorRing: settings["selector-ring"],
    periodMs: settings.period ?? DEFAULT_POLICY.periodMs,
    overlapMs: settings.overlap ?? DEFAULT_POLICY.overlapMs,
    tombstoneMs: settings.tombstone ?? DEFAULT_POLICY.tombstoneMs,
    marginMs: settings.margin ?? DEFAULT_POLICY.marginMs,
    standby: settings.standby ?? DEFAULT_POLICY.standby,
    alertAfterMs,
    // A person is reminded as often as the DNS may be late.
    publishAgainMs: (publish.method ?? "manual") === "manual" ? alertAfterMs : DEFAULT_POLICY.publishAgainMs,
    activateAgainMs: signer.activate === undefined ? alertAfterMs : DEFAULT_POLICY.activateAgainMs,
  };
}

/** What makes the signer use a key; `undefined`: a person does. */
export async function openSigner(
  { signer }: Settings,
  env: Environment,
  signal: AbortSignal,
): Promise<SignerSwitch | undefined> {
  if (signer.activate === undefined) return undefined;
  const { createSignerProgram } = await import("../rotation/signer-program.ts");
  const timeLimitMs = signer["time-limit"] ?? SIGNER_TIME_LIMIT_MS;
  const program = createSignerProgram({ command: signer.activate, env, timeLimitMs, signal });
  return { use: oneAtATime((keys, retired) => program.use(keys, retired)) };
}
