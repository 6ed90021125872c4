import { generatePrimeSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerRecordLine, answerRecordLineInPool } from "../../src/checks/record-stream.ts";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { rsaPublicKeyFromNumbers } from "../../src/keys/public-key.ts";
import { toOctets } from "../../src/keys/rsa-numbers.ts";

const KEY = "p=pP+YUyRjAvKha4Oc49KAY703oLUS1NLMEuGD3IHMKww=";
const ask = (question: unknown) => answerRecordLine(JSON.stringify(question), 7);

describe("one line in, one line out", () => {
  test("a good record", () => {
    expect(ask({ id: "a", name: "s._domainkey.example.org", record: `v=DKIM1; k=ed25519; ${KEY}` })).toEqual({
      id: "a",
      state: "usable",
      severity: "ok",
      findings: [],
    });
  });

  test("a finding has code, severity, message and fix", () => {
    expect(ask({ id: 1, name: null, record: `k=ed25519; ${KEY}` })).toEqual({
      id: 1,
      state: "usable",
      severity: "info",
      findings: [
        {
          code: "V-MISSING",
          severity: "info",
          message: "v=DKIM1 is missing",
          fix: "put v=DKIM1; before the other tags",
          tag: "v",
        },
      ],
    });
  });

  test.each<[string, object, object]>([
    ["octets", { record_b64: Buffer.from("v=DKIM1; n=\xff; p=", "latin1").toString("base64") }, { state: "unusable" }],
    ["one record in an RRset", { rrset: ["v=DKIM1; p="] }, { state: "revoked", severity: "info" }],
    ["an empty RRset", { rrset: [] }, { state: "unusable", findings: [{ code: "TL-NONE" }] }],
    [
      "two records (RFC 6376 §3.6.2.2); findings of each tell which",
      { rrset: ["v=DKIM1; p=", "x"] },
      {
        state: "undefined",
        severity: "warning",
        findings: [{ code: "DNS-MULTI" }, { record: 0 }, { record: 1 }, { record: 1 }],
      },
    ],
    [
      "presentation (RFC 1035 §5.1)",
      { form: "presentation", record: `( "v=DKIM1; "\n"p=" ) ; x` },
      { state: "revoked" },
    ],
    ["a whole zone line", { form: "presentation", record: `s 60 IN TXT "v=DKIM1; p="` }, { state: "revoked" }],
    [
      "a string that is too long",
      { form: "presentation", record: `"${"x".repeat(256)}"` },
      { state: "unusable", severity: "error", findings: [{ code: "ZONE-SYNTAX" }] },
    ],
    [
      "bits",
      {
        record:
          "p=MEgCQQCo9+BpMRYQ/dL3DS2CyJxRF+j6ctbT3/Qp84+KeFhnii7NT7fELilKUSnxS30WAvQCCo2yU1orfgqr41mM70MBAgMBAAE=",
      },
      { bits: 512 },
    ],
  ])("%s", (_title, question, answer) => {
    expect(ask({ id: "x", ...question })).toMatchObject({ id: "x", ...answer });
  });

  test.each([
    ["not JSON", "{", null],
    ["not an object", "[]", null],
    ["null", "null", null],
    ["no record", `{"id":"a"}`, "a"],
    ["a record that is no text", `{"id":"a","record":1}`, "a"],
    ["an rrset that is none", `{"id":"a","rrset":[1]}`, "a"],
    ["too long", `{"record":"${"x".repeat(1_000_000)}"}`, null],
  ])("a line that asks nothing is told so: %s", (_title, line, id) => {
    expect(answerRecordLine(line, 7)).toEqual({ id, error: expect.stringMatching(/^line 7: /) });
  });

  test("any line is answered with JSON on one line", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.record({ record: fc.string({ unit: "binary" }) }).map((q) => JSON.stringify(q)),
        ),
        (line) => {
          expect(JSON.stringify(answerRecordLine(line, 1))).not.toContain("\n");
        },
      ),
    );
  });
});

describe("in the thread pool, the answer is the same", () => {
  const rsa = (modulus: bigint) =>
    formatKeyRecord(keyRecordFor(rsaPublicKeyFromNumbers(toOctets(modulus), Uint8Array.of(1, 0, 1))));
  const [p, q, prime] = [512, 520, 1024].map((bits) => generatePrimeSync(bits, { bigint: true })) as [
    bigint,
    bigint,
    bigint,
  ];

  test.each<[string, object, string[]]>([
    ["a product", { record: rsa(p * q) }, ["RSA-1024"]],
    ["a prime modulus", { record: rsa(prime) }, ["RSA-1024", "RSA-N"]],
    ["a small factor", { record: rsa(p * q * 3n) }, ["RSA-1024", "RSA-FACTOR"]],
    ["an even modulus", { record: rsa(p * q * 2n) }, ["RSA-1024", "RSA-N"]],
    ["a prime modulus among several records", { rrset: [rsa(prime), rsa(p * q)] }, ["DNS-MULTI", "RSA-1024", "RSA-N"]],
    ["no key", { record: "v=DKIM1; p=" }, ["P-EMPTY"]],
    ["no question", {}, []],
  ])("%s", async (_title, question, codes) => {
    const line = JSON.stringify(question);
    const keys: unknown[] = [];
    const answer = await answerRecordLineInPool(line, 1, { onKey: (id) => keys.push(id) });
    expect(answer).toEqual(answerRecordLine(line, 1));
    const found = "findings" in answer ? answer.findings.map(({ code }) => code) : [];
    expect(found).toEqual(expect.arrayContaining(codes));
    // Each key is told once, however often it is looked at.
    expect(keys.length).toBe("rrset" in question ? 2 : found.some((code) => code.startsWith("RSA")) ? 1 : 0);
    const without = { arithmetic: false };
    expect(await answerRecordLineInPool(line, 1, without)).toEqual(answerRecordLine(line, 1, without));
  });
});
