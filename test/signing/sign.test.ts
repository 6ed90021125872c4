import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { buildProbeMessage, probeSignOptions } from "../../src/signing/probe-message.ts";
import { SigningError, signMessage } from "../../src/signing/sign.ts";
import { verifyMessage } from "../../src/signing/verify.ts";
import { makeEd25519Key, makeRsaKey, recordOf, zone } from "../helpers/signing-keys.ts";

const keys = { rsa: makeRsaKey(), ed25519: makeEd25519Key() };
const now = new Date("2026-11-21T12:00:00.123Z");
const who = { domain: "example.com", selector: "sel" };
const resolver = zone({
  "sel._domainkey.example.com": [recordOf(keys.rsa), recordOf(keys.ed25519)],
  "s._domainkey.xn--bcher-kva.example": [recordOf(keys.ed25519)],
});
const canonicalizations = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"] as const;

const octets = (text: string) => Buffer.from(text, "latin1");
async function results(message: Uint8Array) {
  const { signatures } = await verifyMessage(message, resolver, { now });
  return signatures.map(({ result }) => result);
}

const line = fc.string({ unit: fc.constantFrom("a", "b", " ", "\t", ":", ";", "\xe4"), maxLength: 12 });
const message = fc
  .record({
    headers: fc.array(fc.tuple(fc.constantFrom("To", "Subject", "X-A", "from", "CC"), line, fc.option(line)), {
      maxLength: 6,
    }),
    body: fc.array(line, { maxLength: 5 }),
    lineEnd: fc.constantFrom("\r\n", "\n"),
    end: fc.constantFrom("", "\n", "\r\n\r\n"),
  })
  .map(({ headers, body, lineEnd, end }) => {
    const fields = headers.map(
      ([name, value, more]) => `${name}:${value}${more === null ? "" : `${lineEnd} ${more}`}${lineEnd}`,
    );
    return octets(`From: a@example.com${lineEnd}${fields.join("")}${lineEnd}${body.join(lineEnd)}${end}`);
  });

describe("sign, then verify", () => {
  test("passes for every key type and canonicalization, and through a relay that writes CRLF", async () => {
    await fc.assert(
      fc.asyncProperty(
        message,
        fc.constantFrom("rsa", "ed25519"),
        fc.constantFrom(...canonicalizations),
        async (raw, type, canonicalization) => {
          const signed = await signMessage(raw, { ...who, privateKey: keys[type], canonicalization });
          expect(await results(signed.message)).toEqual(["pass"]);
          expect(await results(Buffer.concat([octets(signed.header), raw]))).toEqual(["pass"]);
          expect(octets(Buffer.from(signed.message).toString("latin1")).includes("\n\n")).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("any one octet of what is signed, changed, fails: simple/simple", async () => {
    const raw = octets("From: a@example.com\r\nTo: b\r\nSubject: c d\r\n\r\nline 1\r\n line 2\r\n");
    const { header, message } = await signMessage(raw, {
      ...who,
      privateKey: keys.ed25519,
      canonicalization: "simple/simple",
      oversign: ["to", "subject"],
    });
    const passed: number[] = [];
    for (let i = 0; i < message.length; i++) {
      const changed = Buffer.from(message);
      changed[i] = (changed[i] ?? 0) ^ 1;
      if ((await results(changed)).includes("pass")) passed.push(i);
    }
    // The last base64 digit before "==" carries four bits that decode to nothing.
    const spare = header.lastIndexOf("==") - 1;
    expect(passed.filter((i) => i !== spare)).toEqual([]);
  });

  test("white space may change under relaxed, and not under simple", async () => {
    const raw = octets("From: a@example.com\r\nSubject: c  d\r\n\r\na  b\r\n");
    const changed = (message: Uint8Array) =>
      octets(
        Buffer.from(message)
          .toString("latin1")
          .replace("Subject: c  d", "SUBJECT:c\r\n d ")
          .replace("a  b\r\n", "a b \r\n\r\n"),
      );
    const verdicts = canonicalizations.map(async (canonicalization) => {
      const signed = await signMessage(raw, { ...who, privateKey: keys.rsa, canonicalization });
      return results(changed(signed.message));
    });
    expect(await Promise.all(verdicts)).toEqual([["fail"], ["fail"], ["fail"], ["pass"]]);
  });

  test("an added From fails, because From is oversigned (RFC 6376 §8.15)", async () => {
    const { message } = await signMessage(octets("From: a@example.com\r\n\r\nx\r\n"), { ...who, privateKey: keys.rsa });
    for (const added of ["From: evil@example.net\r\n", "from : evil@example.net\r\n"]) {
      expect(await results(Buffer.concat([octets(added), message]))).toEqual(["fail"]);
    }
  });
});

describe("the field", () => {
  const raw = octets("Received: x\r\nTo: a\r\nFrom: b@example.com\r\nTo: c\r\nReturn-Path: <d>\r\n\r\nx\r\n");
  const headerOf = async (changes: object) =>
    (await signMessage(raw, { ...who, privateKey: keys.ed25519, ...changes })).header.replace(/\r\n\t/g, " ");

  test("the tags, b= last, h= by RFC 6376 §5.4", async () => {
    expect(await headerOf({})).toMatch(
      /^DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed\/relaxed; d=example\.com; s=sel; h=from:from:to:to; bh=[\w+/]{43}=; b=[\w+/ ]{87}==\r\n$/,
    );
  });
  test("times, identity, length", async () => {
    const header = await headerOf({
      signedAt: now,
      expiresAt: new Date(now.getTime() + 5000),
      identity: "jö;e@Sub.example.com",
      bodyLength: 2,
    });
    expect(header).toContain("i=j=C3=B6=3Be@sub.example.com; t=1795262400; x=1795262405; l=2;");
  });
  test("oversigning names a field once more than it occurs", async () => {
    expect(await headerOf({ headers: ["To"], oversign: ["TO", "Reply-To"] })).toContain(
      "h=from:from:to:to:to:reply-to;",
    );
  });
  test("U-labels become A-labels", async () => {
    const { header, message } = await signMessage(raw, {
      privateKey: keys.ed25519,
      domain: "Bücher.example",
      selector: "S",
    });
    expect(header).toContain("d=xn--bcher-kva.example; s=s;");
    expect(await results(message)).toEqual(["pass"]);
  });
  test("lines stay under 78 octets", async () => {
    const many = octets(`${"To: a\r\nReferences: b\r\nContent-Transfer-Encoding: c\r\n".repeat(9)}From: d\r\n\r\n`);
    const { header } = await signMessage(many, { ...who, privateKey: keys.rsa });
    expect(Math.max(...header.split("\r\n").map((text) => text.length))).toBeLessThan(78);
  });
});

describe("refused", () => {
  const raw = octets("From: a@example.com\r\n\r\nx\r\n");
  test.each<[string, Uint8Array, object, RegExp]>([
    ["no From", octets("To: a\r\n\r\n"), {}, /no From field/],
    ["a line that is no field", octets("From x\nFrom: a\n\n"), {}, /no header field: "From x"/],
    ["Received in the list (RFC 6376 §5.4.1)", raw, { headers: ["Received"] }, /must not be signed/],
    ["Return-Path oversigned", raw, { oversign: ["Return-Path"] }, /must not be signed/],
    ["a name that is none", raw, { headers: ["a:b"] }, /no header field name/],
    ["x= before t=", raw, { signedAt: now, expiresAt: now }, /expire before/],
    ["a time that is none", raw, { signedAt: new Date(Number.NaN) }, /no time/],
    ["an identity elsewhere", raw, { identity: "a@example.org" }, /neither/],
    ["an identity without @", raw, { identity: "a" }, /"@"/],
    ["a longer body than there is", raw, { bodyLength: 4 }, /has 3/],
    ["an unknown canonicalization", raw, { canonicalization: "nofws/simple" }, /canonicalization/],
    ["a weak key (RFC 8301 §3.2)", raw, { privateKey: makeRsaKey(768) }, /768 bits/],
  ])("%s", async (_title, message, changes, reason) => {
    const signing = signMessage(message, { ...who, privateKey: keys.rsa, ...changes });
    await expect(signing).rejects.toThrow(SigningError);
    await expect(signing).rejects.toThrow(reason);
  });
});

describe("the probe", () => {
  const name = parseKeyName("example.com", "sel");
  const probe = Buffer.from(buildProbeMessage(name, now)).toString("latin1");
  test("is 7-bit with CRLF, and nothing blank at its end (RULES §8)", () => {
    expect(probe).toMatch(/^(?:[\x20-\x7e]+\r\n)+\r\n(?:[\x21-\x7e][\x20-\x7e]*\r\n)+$/);
    expect(probe).toContain("\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n");
    expect(probe).toContain("\r\nMessage-ID: <20261121T120000Z.dkim-probe@example.com>\r\n");
  });
  test.each(["rsa", "ed25519"] as const)("signed with %s it passes, each field oversigned", async (type) => {
    const { header, message } = await signMessage(buildProbeMessage(name, now), {
      ...probeSignOptions(name, now),
      privateKey: keys[type],
    });
    expect(header.replace(/\r\n\t/g, "")).toContain(
      "h=from:from:to:to:subject:subject:date:date:message-id:message-id;",
    );
    expect(await results(message)).toEqual(["pass"]);
  });
});
