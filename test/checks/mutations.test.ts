import fc from "fast-check";
import { expect, test } from "vitest";
import { checkRecord } from "../../src/checks/check-record.ts";
import { formatKeyRecord, keyRecordFor, parseKeyRecord } from "../../src/dns/key-record.ts";
import type { PrivateKey } from "../../src/keys/private-key.ts";
import { samePublicKey } from "../../src/keys/public-key.ts";
import { makeEd25519Key, makeRsaKey } from "../helpers/signing-keys.ts";

const keys: readonly PrivateKey[] = [makeRsaKey(1024), makeEd25519Key()];

/** One thing that happens to text on its way: a character changed, lost, doubled, put in; two that change places. */
function mutate(text: string, kind: number, at: number, character: string): string {
  const [before, here, after] = [text.slice(0, at), text.slice(at, at + 1), text.slice(at + 1)];
  switch (kind) {
    case 0:
      return before + character + after;
    case 1:
      return before + after;
    case 2:
      return before + here + here + after;
    case 3:
      return before + character + here + after;
    case 4:
      return before + after.slice(0, 1) + here + after.slice(1);
    default:
      return before;
  }
}

const characters = 'AZaz09+/= \t;:"\\-_%\n\u00a0\u0000e'.split("");

test("a changed record is never usable with another key, when the right one is at hand", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.array(fc.tuple(fc.nat(5), fc.nat(300), fc.constantFrom(...characters)), { minLength: 1, maxLength: 3 }),
      (privateKey, mutations) => {
        const good = formatKeyRecord(keyRecordFor(privateKey.publicKey));
        const text = mutations.reduce((result, [kind, at, character]) => mutate(result, kind, at, character), good);
        const { state, publicKey } = checkRecord(text, { privateKey });
        if (state !== "usable") return;
        expect(publicKey && samePublicKey(publicKey, privateKey.publicKey)).toBe(true);
        // What we parse is what was checked.
        expect(parseKeyRecord(text).publicKey).toEqual(keyRecordFor(privateKey.publicKey).publicKey);
      },
    ),
    { numRuns: Number(process.env.DKIMCTL_FUZZ_RUNS ?? 5000) },
  );
});

test("without it, whatever is usable is the key that the text holds", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.nat(5),
      fc.nat(300),
      fc.constantFrom(...characters),
      (key, kind, at, character) => {
        const text = mutate(formatKeyRecord(keyRecordFor(key.publicKey)), kind, at, character);
        const { state, publicKey } = checkRecord(text);
        if (state !== "usable" || publicKey === undefined) return;
        expect(Buffer.from(parseKeyRecord(text).publicKey ?? []).toString("base64")).toBe(
          Buffer.from(keyRecordFor(publicKey).publicKey ?? []).toString("base64"),
        );
      },
    ),
    { numRuns: Number(process.env.DKIMCTL_FUZZ_RUNS ?? 2000) },
  );
});
