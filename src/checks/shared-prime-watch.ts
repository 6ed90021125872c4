import type { PublicKey } from "../keys/public-key.ts";
import { type SharedPrime, sharedPrimes } from "../keys/weak-keys/shared-primes.ts";
import { makeFinding } from "./catalogue.ts";
import { firstAndMore, quotePart } from "./finding-list.ts";
import { type RecordAnswer, toAnswerFinding } from "./record-stream.ts";

/** A further line about a record that was answered before: its key shares a prime with others of the stream. */
export interface SharedPrimeAnswer extends Omit<RecordAnswer, "state" | "severity"> {
  readonly state: "unusable";
  readonly severity: "error";
  /** The ids of some of the other records, in the order of the stream; records of the same key are not among them. */
  readonly sharedWith: readonly unknown[];
  /** How many others there are. */
  readonly sharedCount: number;
}

/** Each of many keys that one bad generator made would name all others: more than a reader can use. */
const MAX_NAMED = 100;

/** Remembers the RSA keys of a stream, one modulus for each key, with the ids of their records: nothing else. */
export class SharedPrimeWatch {
  /** By the modulus as latin1 text: one octet a character, and compared by value. */
  readonly #ids = new Map<string, unknown[]>();

  add(id: unknown, key: PublicKey): void {
    if (key.type !== "rsa") return;
    const { buffer, byteOffset, length } = key.modulus;
    const modulus = Buffer.from(buffer, byteOffset, length).toString("latin1");
    const ids = this.#ids.get(modulus);
    if (ids === undefined) this.#ids.set(modulus, [id]);
    // A record may hold a key twice, in an RRset.
    else if (ids.at(-1) !== id) ids.push(id);
  }

  /** One answer for each record whose key another key breaks, in order of the keys. Minutes for 100,000 keys. */
  *answers(): Generator<SharedPrimeAnswer, void, undefined> {
    const ids = [...this.#ids.values()];
    const groups = sharedPrimes(Array.from(this.#ids.keys(), (modulus) => Buffer.from(modulus, "latin1")));
    const groupsOf = new Map<number, SharedPrime[]>();
    for (const group of groups) {
      for (const index of group) groupsOf.set(index, [...(groupsOf.get(index) ?? []), group]);
    }
    for (const [index, ofKey] of [...groupsOf].toSorted(([a], [b]) => a - b)) {
      const idsBeside = (group: SharedPrime) => group.flatMap((other) => (other === index ? [] : (ids[other] ?? [])));
      const findings = ofKey.map((group) => {
        const part = firstAndMore(idsBeside(group), quoteId);
        return toAnswerFinding(makeFinding("RSA-SHARED-PRIME", { part }, { critical: true, tag: "p" }));
      });
      const sharedWith = idsBeside([...new Set(ofKey.flat())]);
      for (const id of ids[index] ?? []) {
        yield {
          ...{ id, state: "unusable", severity: "error", findings },
          ...{ sharedWith: sharedWith.slice(0, MAX_NAMED), sharedCount: sharedWith.length },
        };
      }
    }
  }
}

function quoteId(id: unknown): string {
  return quotePart(typeof id === "string" ? id : JSON.stringify(id));
}
