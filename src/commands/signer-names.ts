import { DkimctlError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { SignerNames } from "../rotation/signer-names.ts";
import { joinReadings, type SignerReading } from "../signers/signer-reading.ts";
import { type ReadableSigner, readConfiguration, readConfigurations } from "./signer-sources.ts";

export interface SignerNamesOptions {
  readonly signer: ReadableSigner;
  /** The configuration that `rotate` writes, which need not be there yet. */
  readonly output: { readonly path: string; isThere(): boolean } | undefined;
  /** Others, which must be. Folders stand for their files. */
  readonly configurations: readonly string[];
  readText(path: string): string;
}

/** Selectors and where they are named. */
type Places = ReadonlyMap<string, string>;

interface Known {
  readonly isWhole: boolean;
  readonly signing: ReadonlyMap<string, readonly string[]>;
  readonly places: ReadonlyMap<string, Places>;
  /** Words of the lines that were not understood. */
  readonly mentioned: Places;
}

/** The keys that a signer's configuration names: read once, until it is to be read again. */
export class SignerNamesReader {
  readonly #options: SignerNamesOptions;
  #known: Known | { readonly reason: string } | undefined;
  /** The files of `output`. */
  readonly #ownFiles = new Set<string>();
  /** What `rotate` has written since it was read. */
  readonly #written = new Map<DomainName, readonly string[]>();

  constructor(options: SignerNamesOptions) {
    this.#options = options;
  }

  of(domain: DomainName): SignerNames {
    this.#known ??= this.#read();
    const known = this.#known;
    if ("reason" in known) return { kind: "unknown", reason: known.reason };
    const { output, configurations } = this.#options;
    const written = this.#written.get(domain);
    const places = known.places.get(domain);
    return {
      kind: "known",
      source: output?.path ?? configurations.join(", "),
      isWhole: known.isWhole,
      signing: written ?? known.signing.get(domain) ?? [...(places?.keys() ?? [])],
      where: (selector) => {
        if (written?.includes(selector)) return output?.path;
        const place = places?.get(selector);
        // What stood in the file that has been written since no longer counts.
        if (place !== undefined && (written === undefined || !this.#isOutput(place))) return place;
        return known.mentioned.get(selector);
      },
    };
  }

  /** The configuration names these keys of the domain from now on. */
  hasWritten(domain: DomainName, selectors: readonly string[]): void {
    if (this.#options.output === undefined) this.readAgain();
    else this.#written.set(domain, selectors);
  }

  /** Somebody may have changed it meanwhile, or put right what kept it from being read. */
  readAgain(): void {
    this.#known = undefined;
    this.#ownFiles.clear();
    this.#written.clear();
  }

  #isOutput(place: string): boolean {
    const { output } = this.#options;
    return output !== undefined && this.#ownFiles.has(place.replace(/:[0-9]+$/, ""));
  }

  #read(): Known | { readonly reason: string } {
    const { signer, output, configurations, readText } = this.#options;
    try {
      const readings: SignerReading[] = [];
      if (output?.isThere()) {
        const read = (path: string) => {
          this.#ownFiles.add(path);
          return readText(path);
        };
        readings.push(readConfiguration(signer, output.path, read));
      }
      readings.push(readConfigurations(signer, configurations, readText));
      return summarize(joinReadings(readings), readText);
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      return { reason: `the signer's configuration: ${error.message}` };
    }
  }
}

function summarize({ entries, choices, notUnderstood }: SignerReading, readText: (path: string) => string): Known {
  const places = new Map<string, Map<string, string>>();
  for (const { name, where } of entries) {
    const own = places.get(name.domain) ?? new Map<string, string>();
    places.set(name.domain, own.set(name.selector, where));
  }
  const signing = new Map<string, readonly string[]>();
  for (const { sender, domain = sender, selector } of choices) {
    if (selector !== undefined && places.get(domain)?.has(selector)) {
      signing.set(domain, [...new Set([...(signing.get(domain) ?? []), selector])]);
    }
  }
  const mentioned = new Map<string, string>();
  const lines = new Map<string, readonly string[]>();
  for (const { where } of notUnderstood) {
    const [, path = "", line = ""] = /^(\/.*):([0-9]+)$/.exec(where) ?? [];
    if (path === "") continue;
    if (!lines.has(path)) lines.set(path, readText(path).split("\n"));
    for (const word of lines
      .get(path)
      ?.[Number(line) - 1]?.toLowerCase()
      .split(/[^\w.-]+/) ?? []) {
      if (word !== "") mentioned.set(word, where);
    }
  }
  return { isWhole: notUnderstood.length === 0, signing, places, mentioned };
}
