import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DkimctlError } from "../../src/errors.ts";
import { compareKeyNames, parseKeyName } from "../../src/keys/key-name.ts";
import { type PrivateKey, parsePrivateKey } from "../../src/keys/private-key.ts";
import { samePublicKey } from "../../src/keys/public-key.ts";
import { readAmavis } from "../../src/signers/amavis-import.ts";
import { readExim } from "../../src/signers/exim-import.ts";
import { parseFilePattern } from "../../src/signers/file-pattern.ts";
import { EXPORT_FORMS } from "../../src/signers/index.ts";
import { readOpendkim } from "../../src/signers/opendkim-import.ts";
import { readRspamd } from "../../src/signers/rspamd-import.ts";
import { readRspamdJson } from "../../src/signers/rspamd-json.ts";
import type { SignerFile, SignerKey } from "../../src/signers/signer-form.ts";
import { SignerFormError } from "../../src/signers/signer-form.ts";
import { type SignerReading, SignerSyntaxError } from "../../src/signers/signer-reading.ts";
import { ed25519Sample, rsaSample } from "../keys/sample-keys.ts";

/** `selector@domain path` of each key. */
function brief({ entries }: SignerReading): string[] {
  return entries.map(({ name, source }) => {
    const key = source.kind === "file" ? source.path : new TextDecoder().decode(source.bytes);
    return `${name.selector}@${name.domain} ${key}`;
  });
}

function reasons({ notUnderstood }: SignerReading): string[] {
  return notUnderstood.map(({ where, reason }) => `${where}: ${reason}`);
}

/** Files by path. */
function files(texts: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = texts[path];
    if (text === undefined) throw new Error(`nobody should read ${path}`);
    return text;
  };
}

describe("amavisd.conf", () => {
  const understood: [title: string, text: string, expected: string][] = [
    ["single quotes", `dkim_key('example.com', 'mail', '/k.pem');`, "mail@example.com /k.pem"],
    ["no parentheses", `dkim_key 'example.com', 'mail', '/k.pem';`, "mail@example.com /k.pem"],
    ["double quotes", `dkim_key("example.com", "mail", "/a\\$b\\\\.pem");`, "mail@example.com /a$b\\.pem"],
    [
      "escapes in single quotes",
      `dkim_key('example.com','mail','/a\\'b\\\\c$d.pem');`,
      "mail@example.com /a'b\\c$d.pem",
    ],
    ["fat commas, a trailing comma", `dkim_key('example.com'=>'mail'=>'/k.pem',);`, "mail@example.com /k.pem"],
    [
      "several lines and comments",
      `dkim_key( # one\n 'example.com',\n'mail', # two )\n'/k.pem'\n) ;`,
      "mail@example.com /k.pem",
    ],
    [
      "a long comment",
      `dkim_key( #${"-".repeat(20_000)}\n'example.com', 'mail', '/k.pem');`,
      "mail@example.com /k.pem",
    ],
    ["U-labels", `dkim_key('bücher.example','mail','/k.pem');`, "mail@xn--bcher-kva.example /k.pem"],
    ["upper case", `  dkim_key('Example.COM','Mail','/k.pem'); # note`, "mail@example.com /k.pem"],
  ];
  test.each(understood)("%s", (_, text, expected) => {
    const reading = readAmavis(`use strict;\n${text}\n1;\n`, "conf");
    expect(brief(reading)).toEqual([expected]);
    expect(reasons(reading)).toEqual([]);
  });

  const skipped: [title: string, text: string][] = [
    ["a variable", `dkim_key($domain, 'mail', '/k.pem');`],
    ["interpolation", `dkim_key("example.com", "mail", "/k/$domain.pem");`],
    ["an array in a string", `dkim_key("example.com", "mail", "/k/@x.pem");`],
    ["an escape for a character", `dkim_key("b\\xfccher.example", "mail", "/k.pem");`],
    ["concatenation", `dkim_key('example.com', 'mail', '/k' . '.pem');`],
    ["a statement modifier", `dkim_key('example.com', 'mail', '/k.pem') if $x;`],
    ["a loop on one line", `for (@d) { dkim_key($_, 'mail', '/k.pem'); }`],
    ["a regular expression", `dkim_key(qr/x/, 'mail', '/k.pem');`],
    ["a wildcard", `dkim_key('*.example.com', 'mail', '/k.pem');`],
    ["a relative path", `dkim_key('example.com', 'mail', 'k.pem');`],
    ["an odd list", `dkim_key('example.com', 'mail', '/k.pem', 't');`],
    ["an include", `include_config_files('/etc/x');`],
  ];
  test.each(skipped)("names as not understood: %s", (_, text) => {
    const reading = readAmavis(`use strict;\n${text}\n1;\n`, "conf");
    expect(brief(reading)).toEqual([]);
    expect(reasons(reading)).toEqual([expect.stringMatching(/^conf:2: /)]);
  });

  test.each([
    ["a comment", `# dkim_key('example.com', 'mail', '/k.pem');`],
    ["documentation", `=pod\n\ndkim_key('example.com', 'mail', '/k.pem');\n\n=cut`],
    ["what follows __END__", `__END__\ndkim_key('example.com', 'mail', '/k.pem');`],
    ["other names", `$dkim_key_x = 1; my_dkim_key('a', 'b', 'c');`],
  ])("does not see %s", (_, text) => {
    const reading = readAmavis(text, "conf");
    expect([brief(reading), reasons(reading)]).toEqual([[], []]);
  });

  test("reads the tags of the record", () => {
    const text = `dkim_key('example.com','mail','/k.pem', t=>'s:y', h=>'sha256', n=>'it\\'s', g=>'*', k=>'rsa', s=>'');`;
    const [entry] = readAmavis(text, "conf").entries;
    expect(entry?.tags).toEqual({ hashAlgorithms: ["sha256"], flags: ["s", "y"], note: "it's" });
  });

  test.each([`dkim_key('example.com`, `dkim_key('a','b','/c'`, `dkim_key("x\n1;\n`])("an open end: %j", (text) => {
    expect(() => readAmavis(`\n${text}`, "conf")).toThrow(/^conf:2: /);
  });
});

describe("opendkim", () => {
  test("KeyTable, found through opendkim.conf and its includes", () => {
    const read = files({
      "/etc/opendkim/keys.conf": "keytable refile:/etc/opendkim/KeyTable",
      "/etc/opendkim/KeyTable": "# comment\n\nid1 example.com:mail:/k/a.pem\nid2\texample.org:m2:/k/b.pem # note\n",
    });
    const reading = readOpendkim("Mode s\nInclude /etc/opendkim/keys.conf\n", "opendkim.conf", read);
    expect(brief(reading)).toEqual(["mail@example.com /k/a.pem", "m2@example.org /k/b.pem"]);
    expect(reading.entries[1]?.where).toBe("/etc/opendkim/KeyTable:4");
  });

  test("a SigningTable that wants a key which is not there", () => {
    const read = files({
      "/kt": "a example.com:mail:/k/a.pem\n",
      "/st": "*@example.com a\n*@b.example b\n*@c.example %\n",
    });
    const reading = readOpendkim("KeyTable /kt\nSigningTable refile:/st\n", "opendkim.conf", read);
    expect(brief(reading)).toEqual(["mail@example.com /k/a.pem"]);
    expect(reasons(reading)).toEqual([`/st:2: the KeyTable has no key of the name "b"`]);
  });

  test("Domain, Selector and KeyFile", () => {
    const text = "Domain example.com, example.org\nSelector mail\nKeyFile /k/a.pem\n";
    // A list has no spaces in it: the second word of the line is the value.
    expect(brief(readOpendkim(text.replace(", ", ","), "c", files({})))).toEqual([
      "mail@example.com /k/a.pem",
      "mail@example.org /k/a.pem",
    ]);
  });

  test.each([
    ["id %:mail:/k/a.pem", "stands for each sender's domain"],
    ["id example.com:mail:/k/%.pem", "stands for each sender's domain"],
    ["id example.com", "no line NAME DOMAIN:SELECTOR:KEY"],
    ["id example.com:mail:./a.pem", "relative"],
    ["id exa mple:mail:/k", "is not a domain name"],
  ])("names as not understood: %s", (line, reason) => {
    const reading = readOpendkim(`good example.com:good:/k\n${line}\n`, "KeyTable", files({}));
    expect(brief(reading)).toEqual(["good@example.com /k"]);
    expect(reasons(reading)).toEqual([expect.stringContaining(reason)]);
  });

  test("a configuration without keys, as Debian has it", () => {
    const text =
      "Syslog yes\nCanonicalization relaxed/simple\nMode sv\nSocket inet:8891@localhost\nPidFile /run/x.pid\n";
    expect(readOpendkim(text, "opendkim.conf", files({}))).toMatchObject({ entries: [], notUnderstood: [] });
  });

  test("a loop of includes ends", () => {
    const reading = readOpendkim("Include /a\n", "/a", files({ "/a": "Include /a\n" }));
    expect(reasons(reading)).toEqual(["/a:1: too many files include each other"]);
  });
});

describe("rspamd", () => {
  const understood: [title: string, text: string, expected: string[]][] = [
    [
      "domain blocks, in local.d",
      `domain { "example.com" { selectors [ { path = "/k/a"; selector = "a"; }, { path: "/k/b", selector: "b" } ] } }`,
      ["a@example.com /k/a", "b@example.com /k/b"],
    ],
    [
      "a whole configuration, named sections, bare words",
      `options { x = 1; }\ndkim_signing {\n  domain example.com { path = /k/$domain.$selector.key; selector = s1; }\n}\n`,
      ["s1@example.com /k/example.com.s1.key"],
    ],
    [
      "the module's path and selector",
      `path = "/k/\${domain}/$selector"; selector = "x"; domain { "a.example" { selectors [ {} ] } }`,
      ["x@a.example /k/a.example/x"],
    ],
    [
      "rspamd's defaults",
      `domain { "a.example" { selectors [ { } ] } }`,
      ["dkim@a.example /var/lib/rspamd/dkim/a.example.dkim.key"],
    ],
    [
      "lines without semicolons",
      `use_esld = false\ndomain {\n  a.example {\n path = "/k"\n selector = "s"\n }\n}`,
      ["s@a.example /k"],
    ],
    [
      "comments and escapes",
      `/* a { */ # b {\ndomain { "a.example" { path = "/k\\"\\u0041"; selector = "s"; } }`,
      [`s@a.example /k"A`],
    ],
    ["a fixed domain", `path = /k; selector = s; use_domain = "a.example";`, ["s@a.example /k"]],
    ["maps", `selector_map = "/m/s"; path_map = "/m/p";`, ["s2@a.example /k/a.example.s2", "s9@b.example /k/b"]],
    [
      "tables",
      `key_table = "/m/kt"; signing_table = "/m/st"; selector = "d";`,
      ["s@a.example /k/a", "d@b.example /k/b"],
    ],
    ["a key in a table", `key_table = "$LOCAL_CONFDIR/kt2";`, ["s@a.example MII+"]],
    ["variables in a table", `key_table = "/m/kt3";`, ["s@a.example /k/a.example.s"]],
    [
      "rspamd's own variables, which a map has not",
      `selector_map = "/m/s3"; path_map = "/m/p3"; domain { "c.example" { path = "$DBDIRx/\${CONFDIR}"; selector = "s"; } }`,
      ["s@c.example /var/lib/rspamdx//etc/rspamd", "s@a.example /k/DBDIR/DBDIR"],
    ],
  ];
  const read = files({
    "/m/s": "# comment\na.example s2\nb.example s9\n",
    "/m/p": "a.example /k/$domain.$selector\nb.example /k/b\n",
    "/m/kt": "x a.example:s:/k/a\ny b.example:/k/b\n",
    "/m/st": "*@a.example x\n*@b.example %\n",
    "/m/st2": "*@a.example x\n*@c.example z\n",
    "/etc/rspamd/kt2": "x a.example:s:MII+\n",
    "/m/kt3": "x a.example:s:/k/$domain.$selector\n",
    "/m/s3": "a.example s\n",
    "/m/p3": `a.example /k/$DBDIR/\${DBDIR}\n`,
  });
  test.each(understood)("%s", (_, text, expected) => {
    const reading = readRspamd(text, "conf", read);
    expect(brief(reading)).toEqual(expected);
    expect(reasons(reading)).toEqual([]);
  });

  // As lua_util.template of rspamd 3.4 fills them in: a name is as long as it can be, an unknown one stands for itself.
  test.each([
    ["/k/$domain.$selectors.key", "/k/a.example.selectors.key"],
    ["/k/$domain_$selector.key", "/k/domain_k1.key"],
    [`/k/\${selector}s/\${selectors}`, "/k/k1s/selectors"],
    ["/k/$selector$domain-$Selector", "/k/k1a.example-Selector"],
    [`/k/$$selector/\${sel-x}\${}$`, `/k/$k1/\${sel-x}\${}$`],
    [`/k/\${selector`, `/k/\${selector`],
  ])("the path %s is %s", (path, expected) => {
    const reading = readRspamd(`domain { "a.example" { path = "${path}"; selector = "k1"; } }`, "conf", read);
    expect(brief(reading)).toEqual([`k1@a.example ${expected}`]);
  });

  test.each([
    [`use_redis = true; domain { "a.example" { selectors [ { selector = "x"; } ] } }`, "conf:1: use_redis"],
    [`path = "/k/$domain.$selector.key";`, "conf:1: path is for every domain"],
    [`key_table = "/m/kt"; signing_table = "/m/st2";`, `/m/st2:2: key_table has no key of the name "z"`],
    [`\nselector_map = "https://example.com/map";`, "conf:2: selector_map is no plain file"],
    [`.include "x"`, "conf:1: other files are included"],
    [`domain { "*" { selector = "x"; path = "/k"; } }`, "conf:1:"],
    [`domain { "a.example" { selector = "x"; path = "k"; } }`, "conf:1:"],
  ])("names as not understood: %s", (text, reason) => {
    expect(reasons(readRspamd(text, "conf", read))).toEqual([expect.stringContaining(reason)]);
  });

  test.each([
    ["domain {\n\n", "conf:1: "],
    ["x = 1;\ndomain { a.example { selectors [ { ", "conf:2: "],
    [`\n\nx = "abc`, "conf:3: "],
    ["x = 1;\n}\n", "conf:2: "],
    ["\n= 3;", "conf:2: "],
    ["x = ;", "conf:1: "],
    ["/* never", "conf:1: "],
    ["x = <<EOD\nabc\n", "conf:1: "],
    ["a {".repeat(100), "too deep"],
  ])("an error with file and line: %j", (text, start) => {
    expect(() => readRspamd(text, "conf", read)).toThrow(SignerSyntaxError);
    expect(() => readRspamd(text, "conf", read)).toThrow(start);
  });

  test("a Redis hash", () => {
    const reading = readRspamdJson(`{"mail.example.com": "KEY1", "m2.sub.example.com": "KEY2", "x": "K"}`, "h.json");
    expect(brief(reading)).toEqual(["mail@example.com KEY1", "m2@sub.example.com KEY2"]);
    expect(reasons(reading)).toEqual(["h.json: x: the field is not SELECTOR.DOMAIN"]);
  });

  test.each([
    ["KV 2", { data: { data: { selectors: [{ selector: "a", key: "K", domain: "x.example" }] } } }],
    ["KV 1", { data: { selectors: [{ selector: "a", key: "K", domain: "x.example" }] } }],
    ["the document", { selectors: [{ selector: "a", key: "K" }] }],
  ])("Vault: %s", (_, document) => {
    expect(brief(readRspamdJson(JSON.stringify(document), "v", "x.example"))).toEqual(["a@x.example K"]);
  });

  test("no key text in an error", () => {
    expect(() => readRspamdJson(`{"a.b": "SECRET`, "f")).toThrow(/^(?!.*SECRET)f:1: /);
  });
});

describe("file patterns", () => {
  test.each([
    ["{domain}/{selector}.private", "example.com/mail.private", { domain: "example.com", selector: "mail" }],
    ["{domain}.{selector}.key", "mail.example.com.s1.key", { domain: "mail.example.com", selector: "s1" }],
    ["{selector}.{domain}.key", "s1.example.com.key", { domain: "example.com", selector: "s1" }],
    ["{selector}._domainkey.{domain}", "s1._domainkey.example.com", { domain: "example.com", selector: "s1" }],
    ["{domain}/{selector}.private", "example.com/x/mail.private", undefined],
    ["{domain}.{selector}.key", "example.com.s1xkey", undefined],
  ])("%s of %s", (pattern, path, expected) => {
    const found = parseFilePattern(pattern).match(path);
    expect(found).toEqual(expected);
  });

  test.each(["{domain}", "{domain}/{domain}", "{selector}.pem", "{domain}/{selector}/{x}", ""])(
    "refuses %j",
    (text) => {
      expect(() => parseFilePattern(text)).toThrow(/once each/);
    },
  );
});

describe("which amavisd key signs", () => {
  const choose = (text: string) => {
    const reading = readAmavis(`use strict;\n@dkim_signature_options_bysender_maps = ${text}\n1;\n`, "conf");
    const choices = reading.choices.map(
      ({ sender, domain, selector, where }) => `${sender} ${domain} ${selector} ${where}`,
    );
    return [...choices, ...reasons(reading)];
  };

  test.each<[title: string, text: string, expected: string[]]>([
    ["one map", `({ 'a.example' => { d => 'A.example', s => 'x' }, });`, ["a.example a.example x conf:2"]],
    [
      "lines and comments",
      `( {\n  # }\n  "a.example" => { s => 'x', ttl => 10*1 },\n});`,
      ["conf:2: @dkim_signature_options_bysender_maps is filled with what only Perl can tell"],
    ],
    [
      "several senders",
      `({\n'a.example' => { a => 'rsa-sha256', c => 'relaxed/simple', ttl => 2592000 },\n'.' => {d=>'a.example',s=>'y'} });`,
      ["a.example undefined undefined conf:3", ". a.example y conf:4"],
    ],
    ["the first map that has the sender", `({'a' => {s=>'x'}}, {'a' => {s=>'y'}});`, ["a undefined x conf:2"]],
    ["undef", `({'a.example' => undef});`, [`conf:2: the options of the sender "a.example" are no literals`]],
    ["a variable", `($map);`, ["conf:2: @dkim_signature_options_bysender_maps is filled with what only Perl can tell"]],
    [
      "no end",
      `({ 'a' => { s => 'x' }`,
      ["conf:2: @dkim_signature_options_bysender_maps is filled with what only Perl can tell"],
    ],
    [
      "very deep",
      "(".repeat(10_000),
      ["conf:2: @dkim_signature_options_bysender_maps is filled with what only Perl can tell"],
    ],
  ])("%s", (_, text, expected) => {
    expect(choose(text)).toEqual(expected);
  });
});

describe("exim", () => {
  const LOOKUP = "$" + "{lookup";
  const rows: [title: string, text: string, others: Record<string, string>, expected: string[]][] = [
    [
      "literal settings of a transport",
      "out:\n  driver = smtp\n  dkim_domain = example.com\n  dkim_selector = mail\n  dkim_private_key = /k.pem\n",
      {},
      ["mail@example.com /k.pem"],
    ],
    [
      "two transports, and several domains and selectors",
      "one:\n dkim_domain = a.example : b.example\n dkim_selector = x : y\n dkim_private_key = /k\ntwo:\n dkim_domain = c.example\n dkim_selector = z\n dkim_private_key = /l\n",
      {},
      ["x@a.example /k", "y@a.example /k", "x@b.example /k", "y@b.example /k", "z@c.example /l"],
    ],
    [
      "Debian's macros",
      "DKIM_DOMAIN = example.com\nDKIM_SELECTOR = mail\nDKIM_PRIVATE_KEY = /k.pem\n",
      {},
      ["mail@example.com /k.pem"],
    ],
    [
      "macros that the transport names",
      "KEY = /k.pem\nbegin transports\nout:\n.ifdef DKIM_DOMAIN\ndkim_domain = DKIM_DOMAIN\n.endif\ndkim_domain = example.com\ndkim_selector = mail\ndkim_private_key = KEY\n",
      {},
      ["mail@example.com /k.pem"],
    ],
    ["a file of keys itself", "# x\nmail._domainkey.example.com: /k.pem\n", {}, ["mail@example.com /k.pem"]],
    [
      "files by domain",
      `t:\n dkim_domain = ${LOOKUP}{$sender_address_domain}lsearch{/d}{$value}}\n dkim_selector = ${LOOKUP}{$dkim_domain}lsearch{/s}}\n dkim_private_key = ${LOOKUP}{$dkim_domain}lsearch{/k}}\n`,
      {
        "/k": 'a.example: /a.pem\n"b.example" /b.pem\nc.example:\n  /c.pem\n',
        "/s": "a.example: x : y\nb.example: z\n",
      },
      [
        "x@a.example /a.pem",
        "y@a.example /a.pem",
        "z@b.example /b.pem",
        `/k:3: the selector of "c.example" is not known without Exim`,
      ],
    ],
    [
      "files by record: those count that sign, and one that is missing is told",
      `t:\n dkim_domain = ${LOOKUP}{$sender_address_domain}lsearch,ret=key{/s}}\n dkim_selector = ${LOOKUP}{$dkim_domain}lsearch{/s}}\n dkim_private_key = ${LOOKUP}{$dkim_selector._domainkey.$dkim_domain}lsearch{/k}}\n`,
      {
        "/k": "old._domainkey.a.example: /old.pem\nnew._domainkey.a.example: /new.pem\nx._domainkey.b.example: /x.pem\n",
        "/s": "a.example: New\nb.example: x : y\n",
      },
      [
        "new@a.example /new.pem",
        "x@b.example /x.pem",
        `/s:2: /k has no line for "y._domainkey.b.example": such mail goes unsigned`,
      ],
    ],
    [
      "files by record, and selectors for any domain",
      `t:\n dkim_domain = $sender_address_domain\n dkim_selector = ${LOOKUP}{$dkim_domain}lsearch*{/s}}\n dkim_private_key = ${LOOKUP}{$dkim_selector._domainkey.$dkim_domain}lsearch{/k}}\n`,
      { "/k": "x._domainkey.a.example: /x.pem\n", "/s": "b.example: y\n*: x\n" },
      ["x@a.example /x.pem"],
    ],
    [
      "a path that is made of the domain",
      "t:\n dkim_domain = $sender_address_domain\n dkim_selector = x\n dkim_private_key = /keys/$dkim_domain.pem\n",
      {},
      ["conf:4: dkim_private_key is what only Exim can expand: name the files that it searches"],
    ],
    ["no signing", "t:\n dkim_domain = a.example\n dkim_selector = x\n dkim_private_key = 0\n", {}, []],
    ["an include", ".include /etc/other\n", {}, ["conf:1: other files are included: name them too"]],
    ["nothing", "begin acl\n", {}, []],
  ];
  test.each(rows)("%s", (_, text, others, expected) => {
    const reading = readExim(text, "conf", files(others));
    expect([...brief(reading), ...reasons(reading)]).toEqual(expected);
  });
});

describe("dkimpy-milter", () => {
  test("both of its tables count", () => {
    const text = "KeyTable /rsa\nKeyTableEd25519 /ed\nSigningTable refile:/st\n";
    const others = { "/rsa": "n a.example:x:/x.pem\n", "/ed": "n a.example:y:/y.seed\n", "/st": "*@a.example n\n" };
    const reading = readOpendkim(text, "conf", files(others));
    expect([...brief(reading), ...reasons(reading)]).toEqual(["x@a.example /x.pem", "y@a.example /y.seed"]);
  });

  test("and both of its keys for all mail", () => {
    const text = "Domain a.example,b.example\nSelector x\nKeyFile /x.pem\nSelectorEd25519 y\nKeyFileEd25519 /y.seed\n";
    expect(brief(readOpendkim(text, "conf", files({})))).toHaveLength(4);
  });
});

describe("import of export is the identity", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
  const name = fc
    .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.constantFrom("com", "example", "test"), label)
    .map(([labels, top, selector]) => parseKeyName([...labels, top].join("."), selector));
  /** Paths as people have them, and paths as an attacker would like them. */
  const path = fc
    .array(
      fc.oneof(
        fc.stringMatching(/^[A-Za-z0-9._-]{1,8}$/),
        fc.constantFrom(
          "'",
          '"',
          "\\",
          "{",
          "}",
          "$domain",
          "$" + "{x}",
          ";",
          "#",
          " ",
          "%",
          ":",
          "\n",
          "@x",
          "`",
          ",",
          "/*",
          "é",
        ),
      ),
      { minLength: 1, maxLength: 6 },
    )
    .map((parts) => `/k/${parts.join("")}.pem`);
  const anyPath = fc.oneof({ weight: 8, arbitrary: fc.constant("/k/plain.pem") }, { weight: 1, arbitrary: path });
  const keyList = fc
    .uniqueArray(fc.tuple(name, anyPath), { maxLength: 8, selector: ([{ domain }]) => domain })
    .map((pairs) =>
      pairs
        .map(([name, path]): SignerKey => ({ name, path, algorithm: "rsa", encoding: "pem", tags: {} }))
        .sort((a, b) => compareKeyNames(a.name, b.name)),
    );

  const readers: [signer: string, form: string, read: (written: readonly SignerFile[]) => SignerReading][] = [
    ["amavis", "conf", ([file]) => readAmavis(file?.text ?? "", "f")],
    ["rspamd", "domain", ([file]) => readRspamd(file?.text ?? "", "f", files({}))],
    ["rspamd", "maps", (written) => readMain(written, readRspamd)],
    ["rspamd", "tables", (written) => readMain(written, readRspamd)],
    ["opendkim", "tables", (written) => readMain(written, readOpendkim)],
    ["dkimpy-milter", "tables", (written) => readMain(written, readOpendkim)],
    ["exim", "lsearch", (written) => readMain(written, readExim)],
  ];

  function readMain(written: readonly SignerFile[], read: typeof readRspamd): SignerReading {
    const texts = Object.fromEntries(written.map(({ name, text }) => [`/etc/x/${name}`, text]));
    return read(written.at(-1)?.text ?? "", "f", files(texts));
  }

  test.each(readers)("%s %s: the same keys, or a refusal", (signer, form, read) => {
    const named = EXPORT_FORMS[signer]?.[form];
    if (named === undefined || named.isSecret) throw new Error("no such form");
    let written = 0;
    fc.assert(
      fc.property(keyList, (keys) => {
        let output: readonly SignerFile[];
        try {
          output = named.form.files(keys, { folder: "/etc/x" });
        } catch (error) {
          if (error instanceof SignerFormError) return;
          throw error;
        }
        written += keys.length;
        const reading = read(output);
        expect(reasons(reading)).toEqual([]);
        expect(brief(reading).sort()).toEqual(
          keys.map(({ name, path }) => `${name.selector}@${name.domain} ${path}`).sort(),
        );
      }),
      { numRuns: 200 },
    );
    expect(written).toBeGreaterThan(50);
  });

  test.each([1, 2] as const)("Vault, KV %i: the same private keys", (kvVersion) => {
    const named = EXPORT_FORMS.rspamd?.vault;
    if (named === undefined || !named.isSecret) throw new Error("no such form");
    const secrets: PrivateKey[] = [rsaSample(), ed25519Sample()];
    const keys = secrets.map((privateKey) => ({
      ...{ path: "/k", algorithm: privateKey.type, encoding: "pem" as const, tags: {} },
      ...{ name: parseKeyName("example.com", privateKey.type), privateKey },
    }));
    const [file] = named.form.files(keys, { folder: "/", kvVersion });
    const { entries } = readRspamdJson(file?.text ?? "", "f");
    const read = entries.map(({ source }) => parsePrivateKey(source.kind === "text" ? source.bytes : new Uint8Array()));
    expect(
      read.map(({ privateKey }, i) => samePublicKey(privateKey.publicKey, (secrets[i] as PrivateKey).publicKey)),
    ).toEqual([true, true]);
  });

  test("random text is read or refused by name", () => {
    const text = fc
      .array(
        fc.constantFrom(
          "dkim_key(",
          "'",
          '"',
          "domain",
          " ",
          "\n",
          "{",
          "}",
          "[",
          "]",
          ";",
          "=",
          ":",
          "a.example",
          "/k",
          "#",
          "\\",
          "<<X",
          "%",
          "KeyTable ",
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join(""));
    const readAny = [readAmavis, readRspamd, readOpendkim, readRspamdJson] as const;
    fc.assert(
      fc.property(text, fc.constantFrom(...readAny), (given, read) => {
        try {
          (read as typeof readRspamd)(given, "f", () => "");
        } catch (error) {
          expect(error).toBeInstanceOf(DkimctlError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
