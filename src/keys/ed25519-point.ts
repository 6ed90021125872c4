/**
 * Whether 32 octets are a point of edwards25519 that a signature can be verified with (RFC 8032 §5.1.3). OpenSSL loads
 * any 32 octets as a key. Variable time: for public keys only.
 */

const P = 2n ** 255n - 19n;
/** The d of the curve: -121665/121666. */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/**
 * What is wrong with an Ed25519 public key; `undefined` when nothing is.
 * - `not-a-point`: y is not below p, or no x belongs to it, as for half of all 32 octets (a published seed, say)
 * - `small-order`: one of the eight points with which some signatures verify for messages that nobody signed
 * @param bytes exactly 32 octets
 */
export function ed25519PointFault(bytes: Uint8Array): "not-a-point" | "small-order" | undefined {
  const encoded = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  const sign = encoded >> 255n;
  const y = encoded & ((1n << 255n) - 1n);
  if (y >= P) return "not-a-point";
  const y2 = (y * y) % P;
  // x² = u/v, which is a square exactly when uv is.
  const u = y2 - 1n;
  const v = D * y2 + 1n;
  if (u === 0n) return sign === 1n ? "not-a-point" : "small-order";
  const uv = mod(u * v);
  if (power(uv, (P - 1n) / 2n) === P - 1n) return "not-a-point";
  return isSmallOrder(u, v, y) ? "small-order" : undefined;
}

/**
 * Order 2, 4 or 8: for P = (x, y), 4P has y-coordinate -1 when 8P is the neutral point and 4P is not, and so on down.
 * Doubling needs x² and y only: y(2P) = (y² + x²) / (2 + x² - y²), and x²(2P) follows from the curve.
 */
function isSmallOrder(u: bigint, v: bigint, y: bigint): boolean {
  // y as the fraction n/m, to avoid inversions.
  let n = y;
  let m = 1n;
  let x2 = { n: u, m: v };
  for (let doublings = 0; doublings < 3; doublings++) {
    if (mod(n - m) === 0n) return true;
    const n2 = n * n;
    const m2 = m * m;
    const numerator = mod(n2 * x2.m + x2.n * m2);
    const denominator = mod(2n * m2 * x2.m + x2.n * m2 - n2 * x2.m);
    n = numerator;
    m = denominator;
    // -x² + y² = 1 + d x² y², so x² = (y² - 1) / (d y² + 1).
    x2 = { n: mod(n * n - m * m), m: mod(D * n * n + m * m) };
  }
  return mod(n - m) === 0n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % P) {
    if ((rest & 1n) === 1n) result = (result * square) % P;
  }
  return result;
}

function mod(number: bigint): bigint {
  const rest = number % P;
  return rest < 0n ? rest + P : rest;
}
