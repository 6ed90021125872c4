import { createHash } from "node:crypto";
import { OperationError } from "../../errors.ts";
import type { PublicKey } from "../public-key.ts";

/** A file that is no block list. */
export class BlockListError extends OperationError {
  override readonly code = "DKIM_BLOCK_LIST";
}

/** Keys whose private half is known to others, such as Debian's of CVE-2008-0166. */
export interface BlockList {
  /** The number of the collection that the key is in; `undefined` when it is in none. */
  find(key: PublicKey): number | undefined;
}

const HASH_OCTETS = 15;
const ENTRY_OCTETS = 16;

/**
 * badkeys' `blocklist.dat`, as its docs/BLOCKLISTFORMAT.md has it: sorted entries of 16 octets, the first 15 of a
 * SHA-256 and the number of a collection. What is hashed is the key as one big-endian number without leading zeros: the
 * modulus of an RSA key, the 32 octets of an Ed25519 key.
 * @throws {BlockListError} not made of such entries, or not in order
 */
export function openBlockList(octets: Uint8Array): BlockList {
  const entries = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const count = entries.length / ENTRY_OCTETS;
  if (count === 0 || !Number.isInteger(count)) {
    throw new BlockListError(`no block list: ${entries.length} octets are not entries of ${ENTRY_OCTETS}`, {
      hint: "give badkeys' blocklist.dat, unpacked",
    });
  }
  const compareHash = (index: number, other: Uint8Array, start = 0) => {
    const at = index * ENTRY_OCTETS;
    return entries.compare(other, start, start + HASH_OCTETS, at, at + HASH_OCTETS);
  };
  for (let index = 1; index < count; index++) {
    if (compareHash(index, entries, (index - 1) * ENTRY_OCTETS) < 0) {
      throw new BlockListError(`no block list: entry ${index + 1} is out of order`, {
        hint: "give badkeys' blocklist.dat, unpacked",
      });
    }
  }
  return {
    find(key) {
      const hash = createHash("sha256").update(numberOctets(key)).digest();
      let [low, high] = [0, count];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (compareHash(middle, hash) < 0) low = middle + 1;
        else high = middle;
      }
      const isFound = low < count && compareHash(low, hash) === 0;
      return isFound ? entries[low * ENTRY_OCTETS + HASH_OCTETS] : undefined;
    },
  };
}

function numberOctets(key: PublicKey): Uint8Array {
  if (key.type === "rsa") return key.modulus;
  const first = key.bytes.findIndex((octet) => octet !== 0);
  return first === -1 ? new Uint8Array() : key.bytes.subarray(first);
}
