import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SignerFiles } from "../../src/commands/signer-files.ts";
import { SignerNamesReader } from "../../src/commands/signer-names.ts";
import { signerTarget } from "../../src/commands/signer-target.ts";
import type { Settings } from "../../src/config.ts";
import { UsageError } from "../../src/errors.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { temporaryFolder } from "../helpers/run-cli.ts";

type SignerSettings = Settings["signer"];

const RSPAMD: SignerSettings = { type: "rspamd", output: "/etc/rspamd/local.d/x.conf", reload: ["true"] };

describe("the settings of a signer", () => {
  test("where its files stand", () => {
    const paths = (signer: SignerSettings) => {
      const target = signerTarget({ signer });
      return [target?.mainPath, target?.pathOf({ name: "n" })];
    };
    expect(signerTarget({ signer: {} })).toBeUndefined();
    expect(signerTarget({ signer: { activate: ["x"] } })).toBeUndefined();
    expect(paths(RSPAMD)).toEqual(["/etc/rspamd/local.d/x.conf", "/etc/rspamd/local.d/x.conf"]);
    expect(paths({ ...RSPAMD, form: "maps", output: "/m" })).toEqual(["/m/dkim_signing.conf", "/m/n"]);
    expect(paths({ type: "opendkim", output: "/o", reload: ["true"] })).toEqual(["/o/dkimctl.conf", "/o/n"]);
    // Exim looks into its files at each message.
    expect(paths({ type: "exim", output: "/e" })).toEqual(["/e/transport", "/e/n"]);
  });

  test.each<[title: string, signer: SignerSettings, text: string]>([
    ["two ways", { ...RSPAMD, activate: ["x"] }, "signer.activate and signer.output exclude each other"],
    ["no type", { output: "/x" }, "signer.output needs signer.type"],
    ["a reload of nothing", { type: "rspamd", reload: ["true"] }, "signer.reload means nothing without signer.output"],
    ["no reload", { type: "rspamd", output: "/x" }, "signer.reload is missing"],
    ["a form of another signer", { ...RSPAMD, form: "conf" }, "rspamd has no form conf"],
    ["an option of another signer", { ...RSPAMD, ttl: 1000 }, "signer.ttl means nothing to this form of rspamd"],
    ["a lifetime of nothing", { ...RSPAMD, type: "amavis", ttl: 0 }, "expires at once"],
    ["a test of another signer", { ...RSPAMD, type: "amavis", "test-url": "http://x" }, "for rspamd only"],
    ["no domain", { ...RSPAMD, type: "amavis", "catch-all": "a b" }, "a b"],
  ])("refuses %s", (_, signer, text) => {
    expect(() => signerTarget({ signer })).toThrow(UsageError);
    expect(() => signerTarget({ signer })).toThrow(text);
  });
});

describe("the files of a signer", () => {
  function setUp() {
    const folder = temporaryFolder();
    const target = signerTarget({ signer: { ...RSPAMD, form: "maps", output: folder } });
    if (target === undefined) throw new Error("no target");
    return { folder, files: new SignerFiles(target), record: join(folder, ".dkim_signing.conf.dkimctl-before") };
  }

  test("what was there comes back, and what was not goes", () => {
    const { folder, files, record } = setUp();
    writeFileSync(join(folder, "a"), "old");
    files.replace([
      { name: "a", text: "new" },
      { name: "b", text: "new" },
    ]);
    expect([readFileSync(join(folder, "a"), "utf8"), existsSync(join(folder, "b"))]).toEqual(["new", true]);
    expect(files.putBack()).toBe(true);
    expect([readFileSync(join(folder, "a"), "utf8"), existsSync(join(folder, "b"))]).toEqual(["old", false]);
    // Marked until the signer is known to have been reloaded.
    expect([existsSync(record), files.putBack()]).toEqual([true, true]);
    files.confirm();
    expect([existsSync(record), files.putBack()]).toEqual([false, false]);
  });

  test.each([
    ["no JSON", "{"],
    ["another schema", `{"schema":"x","files":[]}`],
    ["a file elsewhere", `{"schema":"dkimctl/signer-before/1","files":[{"path":"/etc/passwd","text":"x"}]}`],
    ["no text", `{"schema":"dkimctl/signer-before/1","files":[{"path":"FOLDER/a","text":1}]}`],
  ])("a record that is damaged is not obeyed: %s", (_, text) => {
    const { folder, files, record } = setUp();
    writeFileSync(record, text.replace("FOLDER", folder));
    expect(() => files.putBack()).toThrow(/is damaged: what the signer was configured with is not known/);
  });
});

describe("what a configuration names", () => {
  const a = parseDomainName("a.example");

  function names(texts: Readonly<Record<string, string>>, output?: string) {
    const readText = (path: string) => {
      const text = texts[path];
      if (text === undefined) throw new UsageError(`no ${path}`);
      return text;
    };
    const own = output === undefined ? undefined : { path: output, isThere: () => texts[output] !== undefined };
    const configurations = Object.keys(texts).filter((path) => path !== output);
    return new SignerNamesReader({ signer: "amavis", output: own, configurations, readText });
  }

  test("keys, and where; what rotate has written since counts instead of what stood there", () => {
    const reader = names(
      { "/own": "dkim_key('a.example','x','/k');", "/other": "\ndkim_key('a.example','y','/k');" },
      "/own",
    );
    const before = reader.of(a);
    if (before.kind !== "known") throw new Error(before.reason);
    expect(["x", "y", "z"].map((selector) => before.where(selector))).toEqual(["/own:1", "/other:2", undefined]);
    reader.hasWritten(a, ["z"]);
    const after = reader.of(a);
    if (after.kind !== "known") throw new Error(after.reason);
    expect(["x", "y", "z"].map((selector) => after.where(selector))).toEqual([undefined, "/other:2", "/own"]);
    expect(after.signing).toEqual(["z"]);
  });

  test("a line that only the signer understands may name any key whose selector stands in it", () => {
    const known = names({ "/c": "dkim_key($domain, 'mail', '/k');" }).of(a);
    if (known.kind !== "known") throw new Error(known.reason);
    expect([known.isWhole, known.where("mail"), known.where("other")]).toEqual([false, "/c:1", undefined]);
  });

  test("of several keys the one that amavisd chooses signs", () => {
    const text = `dkim_key('a.example','x','/k');\ndkim_key('a.example','y','/k');
@dkim_signature_options_bysender_maps = ({ 'a.example' => { d => 'a.example', s => 'y' } });`;
    expect(names({ "/c": text }).of(a)).toMatchObject({ kind: "known", signing: ["y"] });
  });

  test("what was read counts until it is to be read again, be it a failure", () => {
    const texts: Record<string, string> = { "/own": "dkim_key('a.example','x','/k');" };
    const reader = names(texts, "/own");
    expect(reader.of(a)).toMatchObject({ kind: "known", signing: ["x"] });
    reader.hasWritten(a, ["y"]);
    delete texts["/own"];
    expect(reader.of(a)).toMatchObject({ kind: "known", signing: ["y"] });
    texts["/own"] = "dkim_key('a.example','z','/k');";
    reader.readAgain();
    const read = reader.of(a);
    if (read.kind !== "known") throw new Error(read.reason);
    expect([read.signing, read.where("z")]).toEqual([["z"], "/own:1"]);
  });

  test("a configuration that is missing is not an empty one; the one that rotate writes may be", () => {
    const readText = (path: string): string => {
      throw new UsageError(`cannot read ${path}`);
    };
    const missing = new SignerNamesReader({ signer: "amavis", output: undefined, configurations: ["/c"], readText });
    expect(missing.of(a)).toEqual({ kind: "unknown", reason: "the signer's configuration: cannot read /c" });
    expect(names({}, "/own").of(a)).toMatchObject({ kind: "known", isWhole: true, signing: [] });
  });
});
