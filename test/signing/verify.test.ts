import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TxtAnswer } from "../../src/dns/resolver.ts";
import { SignedFieldPicker } from "../../src/signing/header-hash.ts";
import { parseMessage } from "../../src/signing/message.ts";
import { signMessage } from "../../src/signing/sign.ts";
import { summarizeResults, verifyMessage } from "../../src/signing/verify.ts";
import { encodeRsaPublicKey } from "../helpers/pkcs1-public-key.ts";
import { makeEd25519Key, makeRsaKey, recordOf, zone } from "../helpers/signing-keys.ts";

const rsa = makeRsaKey();
const ed25519 = makeEd25519Key();
const now = new Date("2026-11-21T12:00:00Z");
const name = "sel._domainkey.example.com";
const plain = Buffer.from("From: a@example.com\r\nTo: b@example.org\r\nSubject: hello\r\n\r\nHi.\r\n");
const vector = (file: string) => readFileSync(new URL(`../vectors/${file}`, import.meta.url));

type SignChanges = Partial<Parameters<typeof signMessage>[1]>;
const sign = async (changes: SignChanges = {}, raw: Uint8Array = plain) =>
  Buffer.from(
    (await signMessage(raw, { privateKey: rsa, domain: "example.com", selector: "sel", ...changes })).message,
  );

/** The first signature's result against one record set. */
async function verdict(message: Uint8Array, records: readonly string[] | TxtAnswer, options = {}) {
  const { signatures } = await verifyMessage(message, zone({ [name]: records }), { now, ...options });
  const [first] = signatures;
  return `${first?.result}${first?.reason === undefined ? "" : `: ${first.reason}`}`;
}

describe("samples of the RFCs", () => {
  const appendixC =
    "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";
  const football = zone({
    "brisbane._domainkey.football.example.com": ["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
    "test._domainkey.football.example.com": [
      "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ],
  });

  test("RFC 6376 §A.2, simple/simple, CRLF and LF", async () => {
    const resolver = zone({ "brisbane._domainkey.example.com": [appendixC] });
    const crlf = vector("rfc6376-a2.eml");
    const lf = Buffer.from(crlf.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
    for (const raw of [crlf, lf]) {
      expect(await verifyMessage(raw, resolver, { now })).toEqual({
        signatures: [
          {
            result: "pass",
            reason: undefined,
            domain: "example.com",
            selector: "brisbane",
            algorithm: "rsa-sha256",
            identity: "joe@football.example.com",
            signedHeaders: ["received", "from", "to", "subject", "date", "message-id"],
            bodyLength: undefined,
            signatureStart: "AuUoFEfD",
            testing: false,
          },
        ],
      });
    }
  });

  test("RFC 8463 §A.3, Ed25519 and RSA, relaxed/relaxed", async () => {
    const { signatures } = await verifyMessage(vector("rfc8463-a3.eml"), football, { now });
    expect(signatures.map(({ result, algorithm }) => [result, algorithm])).toEqual([
      ["pass", "ed25519-sha256"],
      ["pass", "rsa-sha256"],
    ]);
  });

  test("an octet changed in either part is a failure with its name", async () => {
    const reasonFor = async (from: string, to: string) => {
      const text = vector("rfc8463-a3.eml").toString("latin1").replace(from, to);
      const { signatures } = await verifyMessage(Buffer.from(text, "latin1"), football, { now });
      return signatures.map(({ result, reason }) => `${result}: ${reason}`);
    };
    expect(await reasonFor("Are you hungry", "Are you angry")).toEqual(Array(2).fill("fail: body hash did not verify"));
    expect(await reasonFor("Is dinner", "is dinner")).toEqual(Array(2).fill("fail: signature did not verify"));
  });
});

describe("the key record (RFC 6376 §6.1.2, RFC 8301)", () => {
  const other = makeRsaKey();
  test.each<[string, readonly string[] | TxtAnswer, string | RegExp]>([
    ["found", [recordOf(rsa)], "pass"],
    ["v= left out", [recordOf(rsa).replace("v=DKIM1; ", "")], "pass"],
    ["testing", [recordOf(rsa, "t=y; ")], "pass"],
    [
      "the bare RSAPublicKey (erratum 3017)",
      [`v=DKIM1; p=${Buffer.from(encodeRsaPublicKey(rsa.publicKey)).toString("base64")}`],
      "pass",
    ],
    ["h= with sha256", [recordOf(rsa, "h=sha1 : sha256; ")], "pass"],
    ["s= with email", [recordOf(rsa, "s=tlsrpt:email; ")], "pass"],
    ["s=*", [recordOf(rsa, "s=*; ")], "pass"],
    ["t=s with equal domains", [recordOf(rsa, "t=s; ")], "pass"],
    ["UTF-8 as characters in n= is refused like octets", [recordOf(rsa, "n=\u20ac; ")], /^permerror: key syntax error/],
    ["no such name", { status: "no-name" }, /^permerror: no key .* the name does not exist$/],
    ["no TXT", { status: "no-data" }, /^permerror: no key .* no TXT record$/],
    ["no record in the answer", [], /^permerror: no key/],
    [
      "try later",
      { status: "temporary-failure", reason: "SERVFAIL\u001b" },
      'temperror: key unavailable: "SERVFAIL\\u001b"',
    ],
    ["v= wrong", ["v=spf1 -all"], /^permerror: key syntax error/],
    ["v= not first", [recordOf(rsa).replace("v=DKIM1; k=rsa", "k=rsa; v=DKIM1")], /^permerror: key syntax error/],
    ["a tag twice", [recordOf(rsa, "t=y; t=y; ")], /^permerror: key syntax error/],
    ["h= without sha256", [recordOf(rsa, "h=sha1; ")], /^permerror: inappropriate hash algorithm/],
    ["revoked", ["v=DKIM1; p="], /^permerror: key revoked/],
    ["revoked, with white space", ["v=DKIM1; p= ;"], /^permerror: key revoked/],
    ["no p=", ["v=DKIM1; k=rsa"], /^permerror: key syntax error/],
    ["another key type", [recordOf(ed25519)], /^permerror: inappropriate key algorithm/],
    ["an unknown key type", [recordOf(rsa).replace("k=rsa", "k=RSA")], /^permerror: inappropriate key algorithm/],
    ["s= for something else", [recordOf(rsa, "s=tlsrpt; ")], /^permerror: the key's s=/],
    [
      "p= with octets after the key",
      [
        recordOf(rsa).replace(
          /p=.*/,
          (p) => `p=${Buffer.concat([Buffer.from(p.slice(2), "base64"), Buffer.alloc(1)]).toString("base64")}`,
        ),
      ],
      /^permerror: key syntax error: 1 octets follow/,
    ],
    [
      "p= of another kind",
      ["v=DKIM1; p=MCowBQYDK2VwAyEAsPs07Vu29FpHT/80UXUcYHFOIifD4o2HlP2+XUh9g6E="],
      /^permerror: inappropriate key algorithm/,
    ],
    ["p= that is no key", ["v=DKIM1; p=AAAA"], /^permerror: key syntax error/],
    ["another key", [recordOf(other)], "fail: signature did not verify"],
    ["several, ours among them", ["v=spf1 -all", recordOf(other), recordOf(rsa)], "pass"],
    [
      "several, the nearest miss told",
      ["v=spf1 -all", "v=DKIM1; p=", recordOf(other)],
      "fail: signature did not verify",
    ],
    ["several, none usable", ["v=spf1 -all", "v=DKIM1; p="], /^permerror: key revoked/],
    ["two halves of one key", [recordOf(rsa).slice(0, 100), recordOf(rsa).slice(100)], /^permerror: key syntax error/],
  ])("%s", async (_title, records, expected) => {
    const result = await verdict(await sign(), records);
    if (typeof expected === "string") expect(result).toBe(expected);
    else expect(result).toMatch(expected);
  });

  test.each([
    ["1, with which anybody signs", Uint8Array.of(1)],
    ["even", Uint8Array.of(1, 0, 0)],
    ["the modulus", rsa.publicKey.modulus],
  ])("an RSA exponent that is %s", async (_what, exponent) => {
    const der = encodeRsaPublicKey({ ...rsa.publicKey, exponent });
    const record = `v=DKIM1; p=${Buffer.from(der).toString("base64")}`;
    expect(await verdict(await sign(), [record])).toMatch(/^permerror: the RSA key's exponent/);
  });

  test("t=s forbids i= below d=", async () => {
    const message = await sign({ identity: "a@sub.example.com" });
    expect(await verdict(message, [recordOf(rsa)])).toBe("pass");
    expect(await verdict(message, [recordOf(rsa, "t=s; ")])).toMatch(/^permerror: the key's t=s/);
  });

  test("an RSA key under 1024 bits never passes", async () => {
    // A signature by any key shows it: the strength is judged before the arithmetic.
    const weak = makeRsaKey(1016);
    expect(await verdict(await sign(), [recordOf(weak)])).toMatch(/^permerror: the RSA key has 1016 bits/);
  });

  test("rsa-sha1 never passes, and a key that cannot be had is still a temporary failure", async () => {
    const message = Buffer.from((await sign()).toString().replace("rsa-sha256", "rsa-sha1"));
    expect(await verdict(message, [recordOf(rsa)])).toMatch(/^permerror: .*rsa-sha1 must not be used/);
    expect(await verdict(message, { status: "temporary-failure", reason: "timeout" })).toMatch(/^temperror/);
  });

  test("Ed25519: a point of small order, with which a made-up signature verifies, is refused", async () => {
    const text = (await sign({ privateKey: ed25519 })).toString("latin1");
    const forged = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]).toString("base64");
    const message = Buffer.from(text.replace(/\tb=[^:]*?\r\nFrom/, `\tb=${forged}\r\nFrom`), "latin1");
    const neutral = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]).toString("base64");
    expect(await verdict(message, [`v=DKIM1; k=ed25519; p=${neutral}`])).toMatch(/^permerror: .*small order/);
  });

  test("a lookup that rejects is a temporary failure", async () => {
    const broken = { lookup: () => Promise.reject(new Error("socket closed")) };
    const { signatures } = await verifyMessage(await sign(), broken, { now });
    expect(signatures[0]).toMatchObject({ result: "temperror", reason: 'key unavailable: "socket closed"' });
  });
});

describe("time", () => {
  const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  test.each<[string, SignChanges, RegExp]>([
    ["x= later", { expiresAt: at(1) }, /^pass$/],
    ["x= now", { expiresAt: now }, /^pass$/],
    ["x= past", { expiresAt: at(-1) }, /^permerror: signature expired/],
    ["t= a little ahead", { signedAt: at(600) }, /^pass$/],
    ["t= far ahead", { signedAt: at(7200) }, /^policy: signed in the future/],
  ])("%s (RFC 6376 §3.5)", async (_title, changes, expected) => {
    expect(await verdict(await sign(changes), [recordOf(rsa)])).toMatch(expected);
  });
});

test("an invalid date does not keep an expired signature alive", async () => {
  const message = await sign({ expiresAt: now });
  expect(await verdict(message, [recordOf(rsa)], { now: new Date(Number.NaN) })).toMatch(
    /^permerror: signature expired/,
  );
});

describe("l= (RFC 6376 §3.5)", () => {
  test("what follows is not signed, and the result tells how much is", async () => {
    const message = Buffer.concat([await sign({ bodyLength: 5 }), Buffer.from("appended\r\n")]);
    const { signatures } = await verifyMessage(message, zone({ [name]: [recordOf(rsa)] }), { now });
    expect(signatures[0]).toMatchObject({ result: "pass", bodyLength: 5 });
  });
  test("more than there is", async () => {
    const message = Buffer.from((await sign({ bodyLength: 5 })).toString().replace("Hi.\r\n", "H"));
    expect(await verdict(message, [recordOf(rsa)])).toBe("fail: l=5 exceeds the body's 3 octets");
  });
});

describe("several signatures", () => {
  test("each is judged by itself, in the message's order, and a name is asked once", async () => {
    const once = await sign();
    const twice = await sign({ privateKey: ed25519, selector: "ed" }, once);
    const message = await sign({ canonicalization: "simple/simple" }, twice);
    const resolver = zone({ [name]: [recordOf(rsa)] });
    const { signatures } = await verifyMessage(message, resolver, { now });
    expect(signatures.map(({ selector, result }) => [selector, result])).toEqual([
      ["sel", "pass"],
      ["ed", "permerror"],
      ["sel", "pass"],
    ]);
    expect(resolver.asked.toSorted()).toEqual(["ed._domainkey.example.com", name]);
  });

  test("a signature may sign other signatures, never itself (§3.5, h=)", async () => {
    const first = await sign();
    const second = await sign({ headers: ["from", "dkim-signature"], selector: "two" }, first);
    const resolver = zone({ [name]: [recordOf(rsa)], "two._domainkey.example.com": [recordOf(rsa)] });
    const results = async (raw: Uint8Array) =>
      (await verifyMessage(raw, resolver, { now })).signatures.map(({ result }) => result);
    expect(await results(second)).toEqual(["pass", "pass"]);
    const changed = Buffer.from(second.toString("latin1").replace("; s=sel;", "; s=sel; zz=1;"), "latin1");
    expect(await results(changed)).toEqual(["fail", "fail"]);
  });

  test("an oversigned DKIM-Signature means the others", async () => {
    const message = await sign({ oversign: ["dkim-signature"] }, await sign());
    const { signatures } = await verifyMessage(message, zone({ [name]: [recordOf(rsa)] }), { now });
    expect(signatures.map(({ result }) => result)).toEqual(["pass", "pass"]);
  });

  test("beyond the limit they are not examined", async () => {
    const message = await sign({}, await sign());
    const resolver = zone({ [name]: [recordOf(rsa)] });
    const { signatures } = await verifyMessage(message, resolver, { now, maxSignatures: 1 });
    expect(signatures.map(({ result }) => result)).toEqual(["pass", "policy"]);
  });
});

describe("summarizeResults (RFC 8601 §2.7.1)", () => {
  test.each([
    [[], "none"],
    [["permerror", "fail", "pass"], "pass"],
    [["permerror", "fail", "temperror"], "temperror"],
    [["permerror", "fail"], "fail"],
    [["permerror"], "permerror"],
    [["fail", "policy"], "policy"],
  ] as const)("%j is %s", (results, expected) => {
    expect(summarizeResults(results.map((result) => ({ result })))).toBe(expected);
  });
});

describe("hostile input", () => {
  test("a long h= picks each field once, however often it names it", () => {
    const { fields } = parseMessage(Buffer.from("To: a\r\nTo: b\r\nFrom: c\r\n\r\n"));
    const names = Array<string>(20_000).fill("to");
    const picked = new SignedFieldPicker(fields).pick(names);
    expect(picked.map(({ text }) => text)).toEqual(["To: b", "To: a"]);
  });

  test("of a large set of records only the first ten are tried", async () => {
    const junk = (count: number) => Array<string>(count).fill("v=DKIM1; p=AAAA");
    expect(await verdict(await sign(), [...junk(9), recordOf(rsa)])).toBe("pass");
    expect(await verdict(await sign(), [...junk(10), recordOf(rsa)])).toMatch(/^permerror/);
  });

  test("names are asked for no more signatures than are examined, and never for a wrong one", async () => {
    const field = (n: number, more = "") =>
      `DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s${n}; h=from; bh=AA==; b=AA==${more}\r\n`;
    const fields = [field(0, "; x=1"), field(1, "; l=x"), ...Array.from({ length: 40 }, (_none, n) => field(n + 2))];
    const resolver = zone({});
    const { signatures } = await verifyMessage(Buffer.from(`${fields.join("")}From: a\r\n\r\n`), resolver, { now });
    expect(signatures).toHaveLength(42);
    expect(resolver.asked).toHaveLength(14);
  });

  test("a tag list of a megabyte is read once through", async () => {
    const tags = Array.from({ length: 100_000 }, (_none, n) => `t${n}=\xc3\xbc`).join(";");
    const message = Buffer.from(`DKIM-Signature: v=1;${tags}\r\nFrom: a\r\n\r\n`, "latin1");
    expect(await verdict(message, [recordOf(rsa)])).toMatch(/^permerror: signature syntax error/);
  });

  test("any octets: an answer, never an exception", async () => {
    const pieces = fc.constantFrom(
      "DKIM-Signature:",
      " v=1;",
      "a=rsa-sha256;",
      "b=AA;bh=AA;",
      "d=example.com;s=sel;",
      "h=from;",
      "\r\n",
      "\n ",
      "From: a",
      "\0",
      "\xff",
      ":",
      "c=relaxed",
    );
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(pieces, { maxLength: 30 }).map((all) => Buffer.from(all.join(""), "latin1")),
    );
    await fc.assert(
      fc.asyncProperty(message, async (raw) => {
        const { signatures } = await verifyMessage(raw, zone({ [name]: [recordOf(rsa)] }), { now });
        expect(signatures.filter(({ result }) => result === "pass")).toEqual([]);
      }),
    );
  });

  test("any record: an answer, never an exception", async () => {
    const message = await sign();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 3 }), async (records) => {
        expect(await verdict(message, records)).toMatch(/^permerror/);
      }),
      { numRuns: 50 },
    );
  });
});
