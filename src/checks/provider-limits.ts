import { quoteTxtStrings } from "../dns/txt-strings.ts";

/** What a DNS provider does not take in a TXT record, though DNS would. */
interface TxtLimits {
  /** As the provider calls itself. */
  readonly title: string;
  /** The most octets of a record, its strings joined. */
  readonly octets?: number;
  /** The most octets of a record as zone text: strings in quotes, one space between them. */
  readonly quotedOctets?: number;
  /** Characters that it refuses or spoils, some of them only where they are not paired. */
  readonly refused?: string;
}

/**
 * What is known of providers. Facts, not measurements of ours: from the audits that DNSControl makes before it calls a
 * provider (providers/<its name>/auditrecords.go at commit 7a079bc2a320, 2026-05-31), most of them found by its integration
 * tests; of Route 53 from Amazon's documentation (ResourceRecord: Value). What a record of ours never has, such as a space
 * at its end, is left out.
 * @see https://github.com/DNSControl/dnscontrol
 */
const LIMITS = {
  akamai: { title: "Akamai Edge DNS", refused: '"\\' },
  alibaba: { title: "Alibaba Cloud DNS", octets: 512, refused: '"\\' },
  azure: { title: "Azure DNS" },
  bunny: { title: "Bunny DNS" },
  cloudflare: { title: "Cloudflare" },
  cloudns: { title: "ClouDNS", refused: '"`' },
  cnr: { title: "CentralNic Reseller", refused: '"' },
  cscglobal: { title: "CSC Global", refused: '"' },
  desec: { title: "deSEC" },
  digitalocean: { title: "DigitalOcean", quotedOctets: 509, refused: "\\" },
  dnscale: { title: "DNScale", refused: '"' },
  dnsimple: { title: "DNSimple", octets: 1000, refused: '"' },
  dnsmadeeasy: { title: "DNS Made Easy", refused: '"' },
  exoscale: { title: "Exoscale", refused: '"\\' },
  gandi: { title: "Gandi" },
  gcloud: { title: "Google Cloud DNS" },
  gidinet: { title: "Gidinet", refused: '"\\`' },
  hetzner: { title: "Hetzner" },
  huawei: { title: "Huawei Cloud DNS", refused: '"\\' },
  inwx: { title: "INWX", refused: "`" },
  joker: { title: "Joker", refused: '"\\' },
  linode: { title: "Linode" },
  loopia: { title: "Loopia", octets: 450 },
  mythicbeasts: { title: "Mythic Beasts", refused: '"\\' },
  namecheap: { title: "Namecheap", refused: '"' },
  namedotcom: { title: "Name.com", quotedOctets: 512, refused: '"' },
  netnod: { title: "Netnod", refused: '"\\' },
  oracle: { title: "Oracle Cloud DNS", refused: '"\\' },
  ovh: { title: "OVH" },
  porkbun: { title: "Porkbun" },
  powerdns: { title: "PowerDNS", refused: '"\\' },
  route53: { title: "Route 53", quotedOctets: 4000 },
  sakura: { title: "Sakura Cloud DNS", octets: 500, refused: '"\\' },
  transip: { title: "TransIP", octets: 1024, refused: "\\`" },
  unifi: { title: "UniFi", octets: 255 },
  vultr: { title: "Vultr", refused: '"' },
} satisfies Record<string, TxtLimits>;

export type ProviderName = keyof typeof LIMITS;

/** What `--provider` takes. */
export const PROVIDER_NAMES = Object.keys(LIMITS) as readonly ProviderName[];

/** Why a provider cannot hold a record as it is. */
export interface ProviderFault {
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/**
 * What the provider would refuse or spoil of a record; empty when nothing is known against it.
 * @param text one UTF-16 unit per octet
 */
export function providerFaults(provider: ProviderName, text: string): ProviderFault[] {
  const { title, octets = Infinity, quotedOctets = Infinity, refused = "" }: TxtLimits = LIMITS[provider];
  const faults: ProviderFault[] = [];
  const excess = Math.max(text.length - octets, quoteTxtStrings(text, " ").length - quotedOctets);
  if (excess > 0) {
    const most = octets < text.length ? octets : text.length - excess;
    const message = `the record has ${text.length} octets, and ${title} holds ${most} at most`;
    faults.push({ message, hint: shorterKeyHint(text, text.length - excess) });
  }
  const found = [...refused].filter((character) => text.includes(character));
  if (found.length > 0) {
    const message = `the record holds ${found.join(" and ")}, which ${title} does not keep as it is`;
    faults.push({ message, hint: "make the key with a note (n=) of plain words" });
  }
  return faults;
}

/** Octets of p= for an RSA key of so many bits: the base64 of its SubjectPublicKeyInfo (RFC 8017 §A.1.1). */
const RSA_KEY_OCTETS = [
  [4096, 736],
  [3072, 564],
  [2048, 392],
] as const;

/** The record's other tags stay; a key below 2048 bits is no advice (RFC 8301 §3.2). */
function shorterKeyHint(text: string, most: number): string {
  const otherTags = text.lastIndexOf("p=") + "p=".length;
  const [bits] =
    RSA_KEY_OCTETS.find(([, octets]) => otherTags + octets <= most && octets < text.length - otherTags) ?? [];
  const elsewhere = "let a CNAME at this name lead to a host elsewhere that holds it";
  return bits === undefined
    ? `${elsewhere}; of the strong keys only Ed25519 fits, which not every receiver verifies`
    : `an RSA key of ${bits} bits fits; or ${elsewhere}`;
}
