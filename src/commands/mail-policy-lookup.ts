import { describeMailPolicy, type FoundPolicy, isDmarcRecord } from "../checks/mail-policy.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { failureReason, isTemporary, type Resolver } from "../dns/resolver.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { RecentMap } from "./recent-map.ts";

/** So far up is looked for a DMARC record; the draft that will replace RFC 7489 has the same bound. */
const MOST_LEVELS = 8;

/** The notes of `--adsp-dmarc`, asked once for all keys of a domain. */
export class MailPolicyLookup {
  readonly #resolver: Resolver;
  readonly #signal: AbortSignal;
  readonly #notes = new RecentMap<DomainName, Promise<readonly string[]>>(512);

  constructor(resolver: Resolver, signal: AbortSignal) {
    this.#resolver = resolver;
    this.#signal = signal;
  }

  notes(domain: DomainName): Promise<readonly string[]> {
    return this.#notes.getOrMake(domain, () => this.#look(domain));
  }

  async #look(domain: DomainName): Promise<readonly string[]> {
    const signal = this.#signal;
    const adsp = this.#resolver.lookupTxt(`_adsp._domainkey.${domain}`, { signal });
    const labels = domain.split(".");
    // A top-level domain has no policy for what is below it.
    for (let level = 0; level < Math.max(1, Math.min(MOST_LEVELS, labels.length - 1)); level++) {
      const parent = labels.slice(level).join(".");
      const lookup = await this.#resolver.lookupTxt(`_dmarc.${parent}`, { signal });
      if (isTemporary(lookup)) return [`info: the DMARC record of ${domain} cannot be told: ${failureReason(lookup)}`];
      const policies: FoundPolicy[] =
        lookup.status !== "found"
          ? []
          : lookup.records
              .map(({ strings }) => ({ domain: escapeDnsText(parent), text: strings.join("") }))
              .filter(({ text }) => isDmarcRecord(text));
      if (policies.length > 0) return describeMailPolicy(domain, policies, await hasAdsp(adsp));
    }
    return describeMailPolicy(domain, [], await hasAdsp(adsp));
  }
}

async function hasAdsp(lookup: ReturnType<Resolver["lookupTxt"]>): Promise<boolean> {
  const adsp = await lookup;
  return adsp.status === "found" && adsp.records.some(({ strings }) => /^dkim[ \t]*=/.test(strings.join("")));
}
