import type { KeyWeakness } from "./weakness.ts";

/** The primes up to 167, of which Infineon's generator built every prime it made. */
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
];

const PRODUCT = PRIMES.reduce((product, prime) => product * BigInt(prime), 1n);

const subgroups = new Map<number, ReadonlySet<number>>();

/**
 * The powers of 65537, of which its primes (and so their product) are made modulo that prime. Made when asked for:
 * nearly every key is told apart by the first few primes.
 */
function powersModulo(prime: number): ReadonlySet<number> {
  const known = subgroups.get(prime);
  if (known !== undefined) return known;
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65_537) % prime) powers.add(power);
  subgroups.set(prime, powers);
  return powers;
}

/**
 * RSA-ROCA: the fingerprint of Infineon's generator (CVE-2017-15361; Nemec and others, "The Return of Coppersmith's
 * Attack", 2017, §3). One good key in some hundred million has it too.
 */
export function rocaWeakness(n: bigint): KeyWeakness | undefined {
  const residue = n % PRODUCT;
  for (const prime of PRIMES) {
    if (!powersModulo(prime).has(Number(residue % BigInt(prime)))) return undefined;
  }
  return { code: "RSA-ROCA", severity: "error", detail: "the modulus has the fingerprint of CVE-2017-15361" };
}
