import { UsageError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { SignerSwitch } from "../rotation/store-world.ts";
import { openedOnce, settingsKey } from "./opened-once.ts";
import { type OpenedSigner, openSigner, settingsOf } from "./rotation-settings.ts";
import type { Settings } from "./settings.ts";
import type { SignerSwitchOptions } from "./signer-switch.ts";

/** The signers of a run: domains with the same settings have the same one, opened when it is first asked for. */
export interface Signers {
  /** @throws {UsageError} the settings of the domain contradict each other */
  of(domain: DomainName): Promise<OpenedSigner>;
  /** The one of all domains that have no other. @throws {UsageError} */
  openCommon(): Promise<OpenedSigner>;
  /** From now on, what their configurations name is read again. To be called when nothing is under way. */
  readNamesAgain(): void;
  /**
   * Puts back what a run that was killed had begun, once for each signer. To be called before anything is decided.
   * @throws {DkimctlError} it could not be put back, or the settings contradict each other
   */
  recover(domain: DomainName): Promise<void>;
  /** Of all of them; what fails with a signer of some domains is told when it is their turn. @throws as `recover` */
  recoverAll(): Promise<void>;
}

/** Where the store of the journals tells the signer, with the journal. */
const NOTHING_TO_DO: SignerSwitch = { use: async () => {} };

type SignerSettings = Settings["signer"];

/** @param tools what a signer works with */
export function createSigners(settings: Settings, tools: Omit<SignerSwitchOptions, "target" | "serves">): Signers {
  const signerOf = (domain: DomainName) => settingsOf(domain, settings).signer;
  const writers = new Map<string, string>();
  const all: OpenedSigner[] = [];
  const open = openedOnce(async (signer: SignerSettings) => {
    const key = settingsKey(signer);
    requireOneWriter(signer, key, writers);
    const serves = (domain: DomainName) => settingsKey(signerOf(domain)) === key;
    const opened = await openSigner({ signer }, { ...tools, serves });
    all.push(opened);
    return opened.signer === undefined && tools.journals.activates ? { ...opened, signer: NOTHING_TO_DO } : opened;
  });
  const recovered = openedOnce(async (signer: SignerSettings) => {
    await (await open(signer)).signer?.recover?.();
  });
  return {
    of: (domain) => open(signerOf(domain)),
    openCommon: () => open(settings.signer),
    readNamesAgain() {
      for (const opened of all) opened.readNamesAgain();
    },
    recover: (domain) => recovered(signerOf(domain)),
    async recoverAll() {
      const own = Object.keys(settings.domain) as DomainName[];
      if (!own.some((domain) => settings.domain[domain]?.signer !== undefined)) return recovered(settings.signer);
      await Promise.allSettled([recovered(settings.signer), ...own.map((domain) => recovered(signerOf(domain)))]);
    },
  };
}

/** Two that write one file would each leave out the keys of the other. */
function requireOneWriter({ output }: SignerSettings, key: string, writers: Map<string, string>): void {
  if (output === undefined) return;
  const other = writers.get(output) ?? key;
  writers.set(output, other);
  if (other === key) return;
  throw new UsageError(`signer.output is ${output} for other domains too, and their other settings differ`, {
    hint: "give these domains the same settings, or a file of their own",
  });
}
