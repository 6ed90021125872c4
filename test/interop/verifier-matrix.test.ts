import { beforeAll, expect, test } from "vitest";
import { checkRecord } from "../../src/checks/check-record.ts";
import { readVerdicts, VERIFIER_MATRIX, VERIFIERS, verdictsOfFinding } from "../../src/checks/verifier-matrix.ts";
import { type FlawedRecord, makeFlawedRecords } from "../helpers/flawed-records.ts";
import {
  type PublishedKeys,
  verifyWithDkimpy,
  verifyWithMailDkim,
  verifyWithOpendkim,
  verifyWithRspamd,
} from "../helpers/mail-peers.ts";
import { type SignedForRecords, signForRecords } from "../helpers/measure-verifiers.ts";
import { requirePeer } from "../helpers/peers.ts";

type Verify = (messages: readonly Uint8Array[], keys: PublishedKeys) => Promise<string[]>;

/** Those of Debian; one signs short keys, too. */
const PEERS: readonly (readonly [name: string, binary: string, verify: Verify])[] = [
  ["Mail::DKIM", "dkimproxy-verify", verifyWithMailDkim],
  ["dkimpy", "dkimverify", verifyWithDkimpy],
  ["OpenDKIM", "opendkim", verifyWithOpendkim],
  ["rspamd", "rspamd", verifyWithRspamd],
];

const rowName = ({ code, when }: { code: string; when?: string | undefined }) =>
  when === undefined ? code : `${code}: ${when}`;

const { skip, reason } = requirePeer("dkimproxy-verify");
let records: FlawedRecord[] = [];
let signed: SignedForRecords = { messages: [], keys: {} };
beforeAll(async () => {
  records = makeFlawedRecords();
  if (!skip) signed = await signForRecords(records, new Date());
});

test("every row has a sample, and the sample has the finding of that row", () => {
  expect(records.map(({ row }) => row).sort()).toEqual(VERIFIER_MATRIX.map(rowName).sort());
  for (const { row, text } of records) {
    const [code = ""] = row.split(":");
    const finding = checkRecord(text, { name: "s1._domainkey.example.co.uk" }).findings.find((f) => f.code === code);
    if (code === "Ed25519") expect(checkRecord(text).findings).toEqual([]);
    else expect(finding && rowName({ code, when: verdictsOfFinding(finding).when })).toBe(row);
  }
});

for (const [name, binary, verify] of PEERS) {
  const peer = requirePeer(binary);
  test.skipIf(skip || peer.skip)(`${name} does what the matrix says ${reason} ${peer.reason}`, async () => {
    const column = VERIFIERS.findIndex((verifier) => verifier.name === name);
    const results = await verify(signed.messages, signed.keys);
    const measured = records.map(({ row }, index) => `${row}: ${results[index] === "pass" ? "accepts" : "refuses"}`);
    const told = VERIFIER_MATRIX.map((row) => `${rowName(row)}: ${readVerdicts(row.verdicts)[column]}`);
    expect(measured.sort()).toEqual(told.sort());
  });
}
