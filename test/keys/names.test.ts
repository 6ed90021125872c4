import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { displayDomainName, labelFault, NameSyntaxError, parseDomainName } from "../../src/keys/domain-name.ts";
import { domainWarnings } from "../../src/keys/domain-warnings.ts";
import {
  compareKeyNames,
  keyFileName,
  keyRecordName,
  parseKeyFileName,
  parseKeyName,
} from "../../src/keys/key-name.ts";
import { parseSelector, selectorWarnings } from "../../src/keys/selector.ts";

const L63 = "a".repeat(63);

describe("a domain", () => {
  test.each([
    ["example.com", "example.com", "as it is"],
    ["EXAMPLE.Com", "example.com", "RFC 1035 §2.3.3: case is folded"],
    ["example.com.", "example.com", "a trailing dot is dropped"],
    ["bücher.example", "xn--bcher-kva.example", "U-labels become A-labels"],
    ["BÜCHER.example", "xn--bcher-kva.example", "UTS 46 folds case"],
    ["bu\u0308cher.example", "xn--bcher-kva.example", "NFC"],
    ["faß.example", "xn--fa-hia.example", "non-transitional: not fass"],
    ["例え.テスト", "xn--r8jz45g.xn--zckzah", "other scripts"],
    ["bücher。example", "xn--bcher-kva.example", "UTS 46 full stops"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example", "A-labels stay"],
    ["3com.com", "3com.com", "RFC 1123 §2.1: a digit first"],
    ["localhost", "localhost", "one label"],
    [`${L63}.example`, `${L63}.example`, "RFC 1035 §2.3.4: 63 octets a label"],
  ])("%j is %j (%s)", (text, domain) => {
    expect(parseDomainName(text)).toBe(domain);
  });

  test.each([
    ["", "empty"],
    [".", "the root"],
    [".example.com", "an empty label"],
    ["example..com", "an empty label"],
    ["-a.example", "a hyphen first"],
    ["a-.example", "a hyphen last"],
    [`${L63}a.example`, "64 octets"],
    [`${L63}.${L63}.${L63}.${L63}`, "255 characters"],
    ["192.0.2.1", "an IPv4 address"],
    ["0x7f.1", "an IPv4 address in disguise"],
    ["[2001:db8::1]", "an IPv6 address"],
    ["https://example.com/", "a URL"],
    ["user@example.com", "a mail address"],
    ["exa mple.com", "a space"],
    ["bü cher.example", "a space beside a U-label"],
    ["bücher.example/etc", "a path beside a U-label"],
    ["../etc.example", "a path"],
    ["exam\u0000ple.com", "NUL"],
    ["exam\nple.com", "a line feed"],
    ["*.example.com", "a wildcard"],
    ["a_b.example", "an underscore"],
    ["s1._domainkey.example.com", "a record's name"],
    ["xn--ü.example", "both forms in one label"],
    ["a%2eb.example", "a percent sign"],
    ["a／b.example", "a fullwidth solidus, which UTS 46 maps to a slash"],
  ])("%j is none: %s", (text) => {
    expect(() => parseDomainName(text)).toThrow(NameSyntaxError);
  });

  test("is shown with U-labels where they come back as the same name", () => {
    expect(displayDomainName(parseDomainName("xn--bcher-kva.example"))).toBe("bücher.example");
    expect(displayDomainName(parseDomainName("xn--a.example"))).toBe("xn--a.example");
    expect(displayDomainName(parseDomainName("example.com"))).toBe("example.com");
  });

  test.each([
    ["localhost", "single label"],
    ["co.uk", "public suffix"],
    ["com", "single label"],
    ["xn--a.example", "not a valid internationalized label"],
  ])("%s is warned of: %s", (text, warning) => {
    expect(domainWarnings(parseDomainName(text)).join()).toContain(warning);
  });

  test.each(["example.co.uk", "example.com", "xn--bcher-kva.example"])("%s is ordinary", (text) => {
    expect(domainWarnings(parseDomainName(text))).toEqual([]);
  });

  test("whatever the text is, it is refused or safe in a path, a query and an argument list", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
        try {
          expect(parseDomainName(text)).toMatch(/^[a-z0-9][a-z0-9.-]*[a-z0-9]$|^[a-z0-9]$/);
          expect(parseDomainName(text)).not.toContain("..");
        } catch (error) {
          expect(error).toBeInstanceOf(NameSyntaxError);
          // What is quoted in a message must not reach a terminal as it is.
          expect((error as Error).message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a selector", () => {
  test.each([
    ["mail", "mail"],
    ["Mail", "mail"],
    ["a.b", "a.b"],
    ["under_score", "under_score"],
    ["20260101", "20260101"],
  ])("%j is %j", (text, selector) => {
    expect(parseSelector(text)).toBe(selector);
  });

  test.each([
    "",
    ".",
    "a.",
    ".a",
    "a..b",
    "-a",
    "a-",
    "a b",
    "a/b",
    "../x",
    "*",
    "a;b",
    "tést",
    "_adsp",
    "_report",
    "a._domainkey",
    "a\u0000",
  ])("%j is none (RFC 6376 §3.1)", (text) => {
    expect(() => parseSelector(text)).toThrow(NameSyntaxError);
  });

  test("with an underscore is warned of", () => {
    expect(selectorWarnings(parseSelector("a_b"))).toHaveLength(1);
    expect(selectorWarnings(parseSelector("ab"))).toEqual([]);
  });
});

describe("a key's name", () => {
  test("is where the record stands (RFC 6376 §3.6.2.1)", () => {
    expect(keyRecordName(parseKeyName("example.com", "foo.bar"))).toBe("foo.bar._domainkey.example.com");
  });

  test("is refused when the record's name is longer than 253 characters", () => {
    const domain = `${L63}.${L63}.${L63}.${"a".repeat(40)}`;
    expect(() => parseKeyName(domain, "mail.2026.2026")).toThrow(/253/);
  });

  test.each([
    ["example.com", "mail", "example.com.mail.pem"],
    ["example.com", "a.b", "example.com.a%2Eb.pem"],
    ["xn--bcher-kva.example", "x", "xn--bcher-kva.example.x.pem"],
  ])("of %s and %s is stored as %s", (domain, selector, fileName) => {
    expect(keyFileName(parseKeyName(domain, selector))).toBe(fileName);
    expect(parseKeyFileName(fileName)).toEqual({ domain, selector });
  });

  test.each([
    ["mail.pem", "no domain"],
    [".pem", "nothing"],
    ["Example.com.mail.pem", "not as it would be written"],
    ["example.com.a%2eb.pem", "not as it would be written"],
    ["example.com..pem", "no selector"],
    ["bücher.example.mail.pem", "U-labels"],
    ["example.com.mail.pem.bak", "no key file"],
  ])("is not in %s: %s", (fileName) => {
    expect(() => parseKeyFileName(fileName)).toThrow(NameSyntaxError);
  });

  test("of every legal kind round-trips through its file name", () => {
    const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?$/);
    const labels = (max: number) => fc.array(label, { minLength: 1, maxLength: max }).map((parts) => parts.join("."));
    fc.assert(
      fc.property(labels(4), labels(3), (domain, selector) => {
        fc.pre(!/^[0-9]+$/.test(domain.split(".").at(-1) ?? ""));
        const name = parseKeyName(domain, selector);
        expect(parseKeyFileName(keyFileName(name))).toEqual(name);
      }),
    );
  });

  test("in a file's name is what its parts are as a name, or nothing", () => {
    const characters = fc.constantFrom(..."ab1-", "-", "9", "_", "A", "%2E", "xn--a");
    const word = fc.oneof(
      fc.array(characters, { maxLength: 5 }).map((parts) => parts.join("")),
      fc.integer({ min: 59, max: 66 }).map((length) => "a".repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
        const fileName = `${words.join(".")}.pem`;
        const domain = words.slice(0, -1).join(".");
        const expected = () => {
          const name = parseKeyName(domain, (words.at(-1) ?? "").replaceAll("%2E", "."));
          return keyFileName(name) === fileName ? name : undefined;
        };
        const orNothing = (parse: () => unknown) => {
          try {
            return parse();
          } catch (error) {
            if (error instanceof NameSyntaxError) return undefined;
            throw error;
          }
        };
        expect(orNothing(() => parseKeyFileName(fileName))).toEqual(orNothing(expected));
      }),
      { numRuns: 5000 },
    );
  });

  test("sorts by domain, then selector", () => {
    const names = [parseKeyName("b.example", "a"), parseKeyName("a.example", "b"), parseKeyName("a.example", "a")];
    expect(names.sort(compareKeyNames).map(keyRecordName)).toEqual([
      "a._domainkey.a.example",
      "b._domainkey.a.example",
      "a._domainkey.b.example",
    ]);
  });
});

test("labelFault names the character", () => {
  expect(labelFault("a\u001bb")).toContain("\\u001b");
  expect(labelFault("ab")).toBeUndefined();
});
