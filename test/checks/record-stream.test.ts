import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerRecordLine } from "../../src/checks/record-stream.ts";

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
