import { hash } from "node:crypto";
import { type Canonicalization, canonicalizeBody } from "./canonicalization.ts";

/** The body hashes of one message; what several signatures have in common is computed once (RFC 6376 §3.7). */
export class BodyHasher {
  readonly #body: Uint8Array;
  readonly #canonical = new Map<Canonicalization, Uint8Array>();
  readonly #hashes = new Map<string, Buffer>();

  /** @param body as it stands in the message */
  constructor(body: Uint8Array) {
    this.#body = body;
  }

  /** Octets of the canonical body: the most that l= may say. */
  length(canonicalization: Canonicalization): number {
    return this.#canonicalBody(canonicalization).length;
  }

  /** SHA-256 of the first `length` octets of the canonical body, of all when it is left out. */
  hash(canonicalization: Canonicalization, length?: number): Buffer {
    const key = `${canonicalization} ${length}`;
    const octets = this.#canonicalBody(canonicalization).subarray(0, length);
    const found = this.#hashes.get(key) ?? hash("sha256", octets, "buffer");
    this.#hashes.set(key, found);
    return found;
  }

  #canonicalBody(canonicalization: Canonicalization): Uint8Array {
    const octets = this.#canonical.get(canonicalization) ?? canonicalizeBody(this.#body, canonicalization);
    this.#canonical.set(canonicalization, octets);
    return octets;
  }
}
