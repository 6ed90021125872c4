import type { Publisher } from "../dns/publish/publisher.ts";
import { parseServerAddress } from "../dns/server-address.ts";
import { UsageError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { DEFAULT_SELECTOR_TEMPLATE } from "../keys/selector-template.ts";
import { oneAtATime } from "../one-at-a-time.ts";
import { DEFAULT_POLICY, type RotationPolicy } from "../rotation/rotation-policy.ts";
import type { SignerSwitch } from "../rotation/store-world.ts";
import type { Settings } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const TIME_LIMIT_MS = 30_000;
const SIGNER_TIME_LIMIT_MS = 60_000;
const DNS_PORT = 53;

/** How this domain's keys rotate: its own section over [rotation] over the defaults. */
export function rotationPolicy(
  domain: DomainName,
  { rotation, domain: domains, publish, signer }: Settings,
): RotationPolicy {
  const own = Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  const settings = { ...rotation, ...own };
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

/** What changes the DNS; `undefined`: a person does. @throws {UsageError} the method lacks a setting */
export async function openPublisher({ publish }: Settings, env: Environment): Promise<Publisher | undefined> {
  const { method = "manual" } = publish;
  const timeLimitMs = publish["time-limit"] ?? TIME_LIMIT_MS;
  switch (method) {
    case "manual":
      return undefined;
    case "exec": {
      const { createExecPublisher } = await import("../dns/publish/exec-publisher.ts");
      return inTurn(createExecPublisher({ command: needed(publish.command, method, "command"), env, timeLimitMs }));
    }
    case "zone-file": {
      const { createZoneFilePublisher } = await import("../dns/publish/zone-file-publisher.ts");
      const file = needed(publish.file, method, "file");
      return inTurn(createZoneFilePublisher({ file, reload: publish.reload, env, timeLimitMs }));
    }
    case "nsupdate": {
      const { createNsupdatePublisher } = await import("../dns/publish/nsupdate-publisher.ts");
      const address = parseServerAddress(needed(publish.server, method, "server"));
      if (address.transport === "https" || address.transport === "tls") {
        throw new UsageError(`nsupdate cannot use ${publish.server}`, { hint: "give ADDRESS or ADDRESS#PORT" });
      }
      const server = { host: address.host, port: address.port ?? DNS_PORT };
      return createNsupdatePublisher({ server, keyFile: publish["key-file"], env, timeLimitMs });
    }
  }
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

/** Domains rotate side by side; a file, or a program of the user's, is for one of them at a time. */
function inTurn(publisher: Publisher): Publisher {
  return { change: oneAtATime((change, signal) => publisher.change(change, signal)) };
}

function needed<Value>(value: Value | undefined, method: string, key: string): Value {
  if (value !== undefined) return value;
  throw new UsageError(`the method ${method} needs the setting publish.${key}`, {
    hint: `see dkimctl.toml(5): [publish] ${key} = …`,
  });
}
