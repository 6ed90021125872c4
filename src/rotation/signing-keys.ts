import type { DomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { Selector } from "../keys/selector.ts";
import type { JournalFolder } from "./journal-folder.ts";

/** Which keys shall sign now: the active ones of a domain that rotation manages, every key of another. */
export class SigningKeys {
  readonly #journals: Pick<JournalFolder, "read">;
  /** Listings are in order of domains: each journal is read once. */
  #domain: DomainName | undefined;
  #active: ReadonlySet<Selector> | undefined;

  constructor(journals: Pick<JournalFolder, "read">) {
    this.#journals = journals;
  }

  /** @throws {JournalError} the domain's journal is damaged */
  includes({ domain, selector }: KeyName): boolean {
    if (domain !== this.#domain) {
      const keys = this.#journals.read(domain)?.keys.filter(({ state }) => state === "active");
      this.#active = keys && new Set(keys.map((key) => key.selector));
      this.#domain = domain;
    }
    return this.#active?.has(selector) ?? true;
  }
}
