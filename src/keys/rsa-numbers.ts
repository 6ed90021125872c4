/** Around the octets of a whole ArrayBuffer, of which the numbers of one key are all parts. */
let latest: Buffer | undefined;

/** The number of unsigned big-endian octets. */
export function toBigInt({ buffer, byteOffset, length }: Uint8Array): bigint {
  if (length === 0) return 0n;
  if (latest?.buffer !== buffer) latest = Buffer.from(buffer);
  return BigInt(`0x${latest.toString("hex", byteOffset, byteOffset + length)}`);
}

/** Unsigned big-endian octets without leading zeros; zero is empty. */
export function toOctets(number: bigint): Uint8Array {
  const hex = number.toString(16);
  return number === 0n ? new Uint8Array() : new Uint8Array(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex"));
}

/** The exact number of bits; 0 for zero. */
export function bitLength(number: bigint): number {
  if (number <= 0n) return 0;
  const hex = number.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex.charAt(0), 16)) + 28;
}
