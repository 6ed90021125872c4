import type { DomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { Selector } from "../keys/selector.ts";
import type { JournalStore } from "./journal-store.ts";

/** Which keys shall sign at this moment: the active ones of a domain that rotation manages, every key of another. */
export class SigningKeys {
  readonly #active: ReadonlyMap<DomainName, ReadonlySet<Selector>>;

  private constructor(active: ReadonlyMap<DomainName, ReadonlySet<Selector>>) {
    this.#active = active;
  }

  /**
   * @param chooses the domains that will be asked for
   * @throws {JournalError} the journal of such a domain is damaged
   */
  static async read(
    journals: Pick<JournalStore, "domains" | "read">,
    chooses: (domain: DomainName) => boolean = () => true,
  ): Promise<SigningKeys> {
    const active = new Map<DomainName, ReadonlySet<Selector>>();
    for (const domain of await journals.domains()) {
      if (!chooses(domain)) continue;
      const keys = (await journals.read(domain))?.keys.filter(({ state }) => state === "active");
      if (keys !== undefined) active.set(domain, new Set(keys.map(({ selector }) => selector)));
    }
    return new SigningKeys(active);
  }

  includes({ domain, selector }: KeyName): boolean {
    return this.#active.get(domain)?.has(selector) ?? true;
  }
}
