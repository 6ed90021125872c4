import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requirePeer } from "../helpers/peers.ts";
import { temporaryFolder } from "../helpers/run-cli.ts";
import { renderChecks, sampleKeys } from "../helpers/tested-keys.ts";

const XSD = join(import.meta.dirname, "../vectors/junit/junit.xsd");

/** What arrives here is escaped for a terminal; the forms must not rely on it. */
const TEXTS = ["harmless", `<b>&"'|%0A#\\ ]]> {}, é`, "line\nbreak \u0007\u001b[31m \u2028", "- : # \" ' \\x"];

const xmllint = requirePeer("xmllint");
describe.skipIf(xmllint.skip)(`junit and xmllint ${xmllint.reason}`, () => {
  it.each(TEXTS)("%j is valid, and reads back as it was", async (text) => {
    const file = join(temporaryFolder(), "report.xml");
    writeFileSync(file, await renderChecks("junit", sampleKeys(text)));
    execFileSync("xmllint", ["--noout", "--schema", XSD, file], { stdio: "pipe" });
    const read = (path: string) => execFileSync("xmllint", ["--xpath", path, file], { encoding: "utf8" });
    expect(read("count(//testcase)").trim()).toBe("8");
    expect(read("count(//error) + count(//failure)").trim()).toBe("6");
    // XML folds line ends in attributes to spaces, and has no place at all for controls.
    if (!/\p{Cc}/u.test(text)) expect(read("string(//failure/@message)").replace(/\n$/, "")).toBe(text);
  });
});

const promtool = requirePeer("promtool");
describe.skipIf(promtool.skip)(`prometheus and promtool ${promtool.reason}`, () => {
  it.each(TEXTS)("%j passes the linter", async (text) => {
    const input = await renderChecks("prometheus", sampleKeys(text));
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});

const prove = requirePeer("prove");
describe.skipIf(prove.skip)(`tap and Perl's prove ${prove.reason}`, () => {
  it.each(TEXTS)("%j: the same keys fail there", async (text) => {
    const file = join(temporaryFolder(), "report.tap");
    writeFileSync(file, await renderChecks("tap", sampleKeys(text)));
    const { status, stdout } = spawnSync("prove", ["--source", "File", "--ext=.tap", "-v", file], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C.UTF-8" },
    });
    expect(stdout).toMatch(/Failed tests:\s+3-8/);
    expect(stdout).not.toMatch(/Parse errors|Non-zero/);
    expect(status).not.toBe(0);
  });

  it("all of them pass", async () => {
    const file = join(temporaryFolder(), "report.tap");
    writeFileSync(file, await renderChecks("tap", sampleKeys().slice(0, 2)));
    const { status, stdout } = spawnSync("prove", ["--source", "File", "--ext=.tap", file], { encoding: "utf8" });
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/Result: PASS/) });
  });

  it("the diagnostics are YAML to its parser", async () => {
    const tap = await renderChecks("tap", sampleKeys(TEXTS[1]));
    const script = `use TAP::Parser; local $/; my $p = TAP::Parser->new({ tap => <STDIN> });
      while (my $r = $p->next) { print $r->data->{message}, "\\n" if $r->is_yaml && $r->data->{verdict} eq "temporary" }`;
    const message = execFileSync("perl", ["-e", script], { input: tap, encoding: "utf8" });
    expect(message).toBe(`${TEXTS[1]}\n`);
  });
});

it("the schema is not the only one that holds: counts agree with the cases", async () => {
  const text = await renderChecks("junit", sampleKeys());
  const [suites, cases] = [text.match(/tests="(\d+)"/g) ?? [], text.match(/<testcase /g) ?? []];
  expect(suites.map((count) => Number(/\d+/.exec(count)?.[0])).reduce((a, b) => a + b, 0)).toBe(cases.length);
  expect(readFileSync(XSD, "utf8")).toContain("testsuites");
});
