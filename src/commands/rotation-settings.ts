import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { relative, sep } from "node:path";
import { UsageError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { UnsupportedByStoreError } from "../keys/key-store-errors.ts";
import { DEFAULT_SELECTOR_TEMPLATE } from "../keys/selector-template.ts";
import { oneAtATime } from "../one-at-a-time.ts";
import type { KeyRevealer } from "../rotation/key-revealer.ts";
import { DEFAULT_POLICY, type RotationPolicy } from "../rotation/rotation-policy.ts";
import type { SignerNames } from "../rotation/signer-names.ts";
import type { SignerSwitch } from "../rotation/store-world.ts";
import type { Settings } from "./settings.ts";
import type { SignerNamesReader } from "./signer-names.ts";
import { signerOver } from "./signer-settings.ts";
import type { ReadableSigner } from "./signer-sources.ts";
import type { SignerSwitchOptions } from "./signer-switch.ts";
import type { SignerTarget } from "./signer-target.ts";

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
    signer: ownSigner === undefined ? signer : signerOver(signer, ownSigner),
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
    reveal: settings.reveal !== undefined,
    alertAfterMs,
    lookAgainMs: settings["look-again"] ?? DEFAULT_POLICY.lookAgainMs,
    // A person is reminded as often as the DNS may be late.
    publishAgainMs: (publish.method ?? "manual") === "manual" ? alertAfterMs : DEFAULT_POLICY.publishAgainMs,
    activateAgainMs:
      signer.activate === undefined && signer.output === undefined ? alertAfterMs : DEFAULT_POLICY.activateAgainMs,
  };
}

/** Of all that decides when something is due: whoever changes the settings need not wait for it to count. */
export function settingsFingerprint({ rotation, publish, signer, domain }: Settings): string {
  const text = JSON.stringify([rotation, publish, signer, domain]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

export interface OpenedSigner {
  /** `undefined`: a person makes the signer use a key. */
  readonly signer: SignerSwitch | undefined;
  /** What its configuration names; `undefined`: nobody has told where that is. */
  readonly names: ((domain: DomainName) => SignerNames) | undefined;
  /** Forgets what the configuration named: the next who asks finds out what it says then. */
  readNamesAgain(): void;
}

/** What makes the signer use a key, and what its configuration says. @throws {UsageError} the settings contradict */
export async function openSigner(
  settings: Pick<Settings, "signer">,
  tools: Omit<SignerSwitchOptions, "target">,
): Promise<OpenedSigner> {
  const { activate, type, configuration = [], "time-limit": timeLimit } = settings.signer;
  if (configuration.length > 0 && type === undefined) {
    throw new UsageError("signer.configuration needs signer.type: whose configuration is it?");
  }
  const { SIGNER_TIME_LIMIT_MS, signerTarget } = await import("./signer-target.ts");
  const target = signerTarget(settings);
  if (target !== undefined && !tools.store.keepsFiles) {
    throw new UnsupportedByStoreError(
      `signer.output writes paths of key files, and ${tools.store.location} keeps none`,
      {
        hint: "use signer.activate, a program of your own; or a store that tells the signer itself, see dkimctl-stores(7)",
      },
    );
  }
  const reader =
    type === undefined || (target === undefined && configuration.length === 0)
      ? undefined
      : await openNames(type, target, configuration, tools);
  const names = reader && ((domain: DomainName) => reader.of(domain));
  const readNamesAgain = () => reader?.readAgain();
  const base =
    target === undefined
      ? await openProgram(activate, timeLimit ?? SIGNER_TIME_LIMIT_MS, tools)
      : await openTarget(target, tools);
  if (base === undefined) return { signer: undefined, names, readNamesAgain };
  return {
    names,
    readNamesAgain,
    signer: {
      async use(keys, retired) {
        await base.use(keys, retired);
        const [first] = keys;
        if (first !== undefined)
          reader?.hasWritten(
            first.domain,
            keys.map(({ selector }) => selector),
          );
      },
      recover: async () => base.recover?.(),
      encodingOf: (algorithm) => base.encodingOf?.(algorithm),
    },
  };
}

async function openNames(
  signer: ReadableSigner,
  target: SignerTarget | undefined,
  configurations: readonly string[],
  { readText }: Pick<SignerSwitchOptions, "readText">,
): Promise<SignerNamesReader> {
  const { SignerNamesReader } = await import("./signer-names.ts");
  const path = target?.mainPath;
  const output = path === undefined ? undefined : { path, isThere: () => existsSync(path) };
  return new SignerNamesReader({ signer, output, configurations, readText });
}

async function openProgram(
  command: readonly string[] | undefined,
  timeLimitMs: number,
  { env, signal }: Pick<SignerSwitchOptions, "env" | "signal">,
): Promise<SignerSwitch | undefined> {
  if (command === undefined) return undefined;
  const { createSignerProgram } = await import("../rotation/signer-program.ts");
  const program = createSignerProgram({ command, env, timeLimitMs, signal });
  return { use: oneAtATime((keys, retired) => program.use(keys, retired)) };
}

async function openTarget(target: SignerTarget, tools: Omit<SignerSwitchOptions, "target">): Promise<SignerSwitch> {
  const { ConfiguredSigner } = await import("./signer-switch.ts");
  return new ConfiguredSigner({ ...tools, target });
}

/** What publishes private keys; `undefined` when no domain wants that. @throws {UsageError} the folder is in the store */
export async function openRevealers(
  settings: Settings,
  store: KeyStore,
): Promise<((domain: DomainName) => KeyRevealer | undefined) | undefined> {
  const paths = [settings.rotation, ...Object.values(settings.domain)].flatMap(({ reveal }) => reveal ?? []);
  if (paths.length === 0) return undefined;
  for (const path of store.keepsFiles ? paths : []) {
    const [first] = relative(store.location, path).split(sep);
    if (first !== "..") {
      throw new UsageError(`private keys must not be published in the store itself: ${path}`, {
        hint: "name a folder of its own, which a web server may show",
      });
    }
  }
  const { createKeyRevealers } = await import("../rotation/key-revealer.ts");
  const { RevealFolder } = await import("../rotation/reveal-folder.ts");
  const revealerOf = createKeyRevealers(store);
  return (domain) => {
    const { reveal } = settingsOf(domain, settings).rotation;
    return reveal === undefined ? undefined : revealerOf(new RevealFolder(reveal));
  };
}
