import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerMismatch, decodeMessage, encodeQuery, MalformedMessageError } from "../../src/dns/dns2-codec.ts";
import { extendedError, nameOctets, record, reply, txt, typeCode } from "../helpers/fault-server.ts";

const question = { name: "s1._domainkey.example.com", type: "TXT" } as const;
const query = encodeQuery(question);

const SOA_DATA = Buffer.concat([
  nameOctets("ns.test"),
  nameOctets("hostmaster.test"),
  Buffer.from(`00000007${"00000e10".repeat(3)}0000001e`, "hex"),
]);

describe("encodeQuery", () => {
  it("RFC 1035 §4.1, RFC 6891 §6.1.2: header, question, OPT of 1232 octets", () => {
    const name = "0273310a5f646f6d61696e6b6579076578616d706c6503636f6d00";
    expect(query.toString("hex")).toBe(`000001200001000000000001${name}0010000100002904d0000000000000`);
  });

  it.each([
    [{ recursionDesired: false }, 0x0020],
    [{ checkingDisabled: true }, 0x0130],
  ])("%o", (options, flags) => {
    expect(encodeQuery(question, options).readUInt16BE(2)).toBe(flags);
  });

  it("has no label for the root", () => {
    expect(encodeQuery({ name: ".", type: "NS" }, { edns: false }).toString("hex", 12)).toBe("0000020001");
  });

  it("leaves EDNS out when told to", () => {
    expect(encodeQuery(question, { edns: false }).readUInt16BE(10)).toBe(0);
  });
});

describe("decodeMessage", () => {
  it("keeps every octet of TXT", () => {
    const all = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).join("");
    const { answers } = decodeMessage(reply(query, { answers: [txt(all, "", "\0")] }));
    expect(answers).toEqual([{ type: "TXT", name: question.name, ttlSeconds: 60, strings: [all, "", "\0"] }]);
  });

  it("reads A, AAAA, NS, CNAME and SOA, and leaves other types out", () => {
    const { answers } = decodeMessage(
      reply(query, {
        answers: [
          record(typeCode.A, Buffer.from([192, 0, 2, 1])),
          record(28, Buffer.from("20010db8000000000000000000000053", "hex")),
          record(typeCode.NS, nameOctets("ns.test")),
          record(typeCode.CNAME, nameOctets("x.test")),
          record(typeCode.SOA, SOA_DATA),
          record(46, Buffer.alloc(40)),
          record(65_280, Buffer.alloc(3)),
        ],
      }),
    );
    expect(answers).toMatchObject([
      { address: "192.0.2.1" },
      { address: "2001:db8::53" },
      { type: "NS", target: "ns.test" },
      { type: "CNAME", target: "x.test" },
      { type: "SOA", primary: "ns.test", serial: 7, minimumTtlSeconds: 30 },
    ]);
  });

  it("RFC 2181 §8: a TTL with the high bit is 0", () => {
    const answers = [record(typeCode.A, Buffer.alloc(4), { ttlSeconds: 0x80000000 })];
    expect(decodeMessage(reply(query, { answers })).answers[0]?.ttlSeconds).toBe(0);
  });

  it("RFC 6891 §6.1.3, RFC 8914: the OPT record's extended code and errors", () => {
    const badVersion = extendedError(99, "über\x1b");
    badVersion.writeUInt8(1, 5);
    const message = decodeMessage(reply(query, { additionals: [badVersion] }));
    expect(message).toMatchObject({
      responseCode: 16,
      hasEdns: true,
      extendedErrors: [{ code: 99, purpose: "code 99" }],
    });
    expect(message.extendedErrors[0]?.text).toBe("\xc3\xbcber\x1b");
  });

  it("passes over what servers add besides OPT, and reads the first OPT behind it", () => {
    const noAddress = record(typeCode.A, Buffer.alloc(3));
    const additionals = [noAddress, extendedError(22, "first"), extendedError(23, "second")];
    expect(decodeMessage(reply(query, { answers: [txt("key")], additionals }))).toMatchObject({
      answers: [{ strings: ["key"] }],
      hasEdns: true,
      extendedErrors: [{ code: 22 }],
    });
    const cutOff = reply(query, { additionals: [noAddress] }).subarray(0, -1);
    expect(() => decodeMessage(cutOff)).toThrow(MalformedMessageError);
    expect(() => decodeMessage(reply(query, { answers: [noAddress] }))).toThrow(MalformedMessageError);
  });

  it.each<[string, Buffer]>([
    ["nothing", Buffer.alloc(0)],
    ["eleven octets", Buffer.alloc(11)],
    ["more questions than there are (dns2 2.4: seconds of work)", Buffer.from("00008180ffff000000000000", "hex")],
    ["counts without records", Buffer.from("00008180ffffffffffffffff", "hex")],
    ["an A record of three octets", reply(query, { answers: [record(typeCode.A, Buffer.alloc(3))] })],
    [
      "a broken record in the authority section",
      reply(query, { authorities: [record(typeCode.NS, Buffer.from([5, 65]))] }),
    ],
    [
      "an EDNS option past the OPT record",
      reply(query, { additionals: [record(typeCode.OPT, Buffer.from([0, 15, 0, 9, 0]), { owner: Buffer.from([0]) })] }),
    ],
    ["a record length past the message", reply(query, { answers: [txt("abc")] }).subarray(0, -1)],
    [
      "a reserved label type",
      reply(query, { answers: [record(typeCode.TXT, Buffer.from([0]), { owner: Buffer.from([0x80, 0]) })] }),
    ],
  ])("RFC 1035 §4: refuses %s", (_, octets) => {
    expect(() => decodeMessage(octets)).toThrow(MalformedMessageError);
  });

  it("refuses chains of compression pointers before they cost much", () => {
    // The chain lies in the data of the first record, from octet 23 on; every further record's owner runs all through it.
    const chain = Buffer.alloc(16_000);
    for (let at = 2; at < chain.length; at += 2) chain.writeUInt16BE(0xc000 | (23 + at - 2), at);
    const runner = Buffer.alloc(12);
    runner.writeUInt16BE(0xc000 | (23 + chain.length - 2), 0);
    const first = record(65_280, chain, { owner: Buffer.from([0]) });
    const octets = Buffer.concat([Buffer.from("000081800000000000000000", "hex"), first, ...Array(4000).fill(runner)]);
    octets.writeUInt16BE(4001, 6);
    expect(() => decodeMessage(octets)).toThrow(MalformedMessageError);
  });

  it("throws nothing but MalformedMessageError at random and mutated messages", () => {
    const whole = reply(query, {
      answers: [
        record(typeCode.CNAME, nameOctets("x.test")),
        txt("v=DKIM1; p=abc", "def"),
        record(typeCode.A, Buffer.alloc(4)),
      ],
      authorities: [record(typeCode.SOA, SOA_DATA)],
      additionals: [extendedError(6, "text")],
    });
    const mutated = fc
      .tuple(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 12 }), fc.nat(whole.length))
      .map(([changes, length]) => {
        const octets = Buffer.from(whole);
        for (const [at, value] of changes) octets[at] = value;
        return octets.subarray(0, length < 12 ? whole.length : length);
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (octets) => {
        try {
          answerMismatch(decodeMessage(octets), question);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessageError);
        }
      }),
      { numRuns: Number(process.env.DKIMCTL_FUZZ_RUNS ?? 3000) },
    );
  });
});

describe("answerMismatch", () => {
  const mismatch = (octets: Buffer) => answerMismatch(decodeMessage(octets), question);
  const asked = (hex: string) => Buffer.concat([nameOctets(question.name), Buffer.from(hex, "hex")]);
  it.each<[string, Buffer, string | undefined]>([
    ["the same", reply(query), undefined],
    [
      "another case",
      reply(query, {
        question: Buffer.concat([nameOctets("S1._DomainKey.Example.COM"), Buffer.from("00100001", "hex")]),
      }),
      undefined,
    ],
    [
      "another name",
      reply(query, {
        question: Buffer.concat([nameOctets("s2._domainkey.example.com"), Buffer.from("00100001", "hex")]),
      }),
      "it answers another question",
    ],
    ["another type", reply(query, { question: asked("00010001") }), "it answers another question"],
    ["another class", reply(query, { question: asked("00100003") }), "it answers another question"],
    ["a query", query, "it is a query, not an answer"],
  ])("%s", (_, octets, expected) => {
    expect(mismatch(octets)).toBe(expected);
  });
});
