/** The number of unsigned big-endian octets. */
export function toBigInt(octets: Uint8Array): bigint {
  return octets.length === 0 ? 0n : BigInt(`0x${asBuffer(octets).toString("hex")}`);
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

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}
