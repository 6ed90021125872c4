/** Factors up to here are looked for. */
const LIMIT = 65_537;

/** The odd primes up to 65,537 (sieve of Eratosthenes). */
export function smallPrimes(): number[] {
  const composite = new Uint8Array(LIMIT + 1);
  const primes: number[] = [];
  for (let i = 3; i <= LIMIT; i += 2) {
    if (composite[i] === 1) continue;
    primes.push(i);
    for (let j = i * i; j <= LIMIT; j += 2 * i) composite[j] = 1;
  }
  return primes;
}

function product(numbers: readonly number[]): bigint {
  if (numbers.length <= 8) return numbers.reduce((total, each) => total * BigInt(each), 1n);
  const middle = numbers.length >> 1;
  return product(numbers.slice(0, middle)) * product(numbers.slice(middle));
}

let known: bigint | undefined;

/**
 * The product of the odd primes up to 65,537, of 94,041 bits. In the bundle it stands as a number (build/bundle.js): to
 * make it costs a process that has one key to look at more than everything else about that key.
 */
export function primorial(): bigint {
  known ??= product(smallPrimes());
  return known;
}
