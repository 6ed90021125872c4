import { InvalidArgumentError } from "commander";
import { UsageError } from "../errors.ts";
import type { Notices } from "./notices.ts";

/** RFC 8301 §3.2: signers MUST use 1024 bits at least and SHOULD use 2048. */
const SHORTEST = 1024;
const ADVISED = 2048;
export const DEFAULT_RSA_BITS = ADVISED;
const SHORTEST_AT_ALL = 512;
const LONGEST = 16_384;
/** RFC 8301 §3.2: verifiers MUST be able to validate up to this. */
const SURELY_VERIFIED = 4096;

/** An argParser: a number of bits that any RSA key could have. */
export function parseRsaBits(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError("It is not a number of bits.");
  return Number(text);
}

/**
 * Refuses sizes that no verifier may accept, and warns of those that some do not.
 * @throws {UsageError}
 */
export function checkRsaBits(bits: number, allowWeak: boolean, notices: Notices): void {
  if (bits > LONGEST)
    throw new UsageError(`${bits} bits are more than any verifier takes`, { hint: "use 2048 (or up to 4096)" });
  if (bits < SHORTEST_AT_ALL) throw new UsageError(`${bits} bits are too few to sign with`, { hint: "use 2048" });
  if (bits < SHORTEST) {
    if (!allowWeak) {
      throw new UsageError(`a key of ${bits} bits must not be accepted by any verifier (RFC 8301 §3.2)`, {
        hint: "use 2048; for tests only, --allow-weak makes it all the same",
      });
    }
    notices.warn(`${bits} bits: no conforming verifier accepts signatures of this key (RFC 8301 §3.2)`);
  } else if (bits < ADVISED) {
    notices.warn(`${bits} bits: signers should use at least ${ADVISED} (RFC 8301 §3.2)`);
  } else if (bits > SURELY_VERIFIED) {
    notices.warn(`${bits} bits: verifiers need not support more than ${SURELY_VERIFIED} (RFC 8301 §3.2)`);
  }
}
