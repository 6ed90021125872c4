import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeResolver } from "../helpers/fake-resolver.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

async function setUp() {
  const store = temporaryFolder();
  const { stdout } = await runCli(["keygen", "-d", "example.com", "-t", "ed25519", "-s", "m", "-o", "value"], {
    store,
  });
  return { store, file: join(store, "example.com.m.pem"), record: stdout.trimEnd() };
}

describe("a private key", () => {
  test("that is sound passes, and its record is printed", async () => {
    const { store, file, record } = await setUp();
    const { exitCode, stdout } = await runCli(["verify-key", file], { store });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(/p=(\S+)/.exec(record)?.[1]);
    expect(stdout).not.toContain("PRIVATE KEY");
    expect(stdout).not.toContain(readFileSync(file, "utf8").split("\n")[1]);
  });

  test("and its record belong together, or do not", async () => {
    const { store, file, record } = await setUp();
    const other = (await setUp()).record;
    expect((await runCli(["verify-key", file, "--record", record], { store })).exitCode).toBe(0);
    expect((await runCli(["verify-key", file, "--record", other], { store })).exitCode).toBe(1);
  });

  test("that is none fails; a file that is not there is no check at all", async () => {
    const file = join(temporaryFolder(), "f");
    writeFileSync(file, "junk");
    expect((await runCli(["verify-key", file])).exitCode).toBe(1);
    const { exitCode, stderr } = await runCli(["verify-key", `${file}2`]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`there is no file ${file}2`);
  });
});

describe("DOMAIN SELECTOR", () => {
  const name = "m._domainkey.example.com";
  test.each<[what: string, here: (record: string) => Parameters<typeof fakeResolver>[0][string], exitCode: number]>([
    ["published as it should be", (record) => [record], 0],
    ["nothing there", () => ({ status: "no-name" }), 1],
    ["several records", (record) => [record, record.replace("p=", "n=x; p=")], 1],
    ["another key", () => ["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="], 1],
    ["no answer", () => ({ status: "servfail" }), 4],
  ])("%s", async (_, here, exitCode) => {
    const { store, record } = await setUp();
    const resolver = fakeResolver({ [name]: here(record) });
    const result = await runCli(["verify-key", "example.com", "m"], { store, resolver });
    expect(result.exitCode, result.stdout + result.stderr).toBe(exitCode);
    expect(resolver.asked).toContain(`TXT ${name}`);
  });
});

describe("--record and --stdin", () => {
  test("a good record, a revoked one, and one that is none", async () => {
    const { record } = await setUp();
    expect((await runCli(["verify-key", "--record", record])).exitCode).toBe(0);
    expect((await runCli(["verify-key", "--stdin"], { stdin: `${record}\n` })).exitCode).toBe(0);
    expect((await runCli(["verify-key", "--record", "v=DKIM1; p="])).stdout).toMatch(/revoked/);
    expect((await runCli(["verify-key", "--record", "v=DKIM1; k=rsa"])).exitCode).toBe(1);
  });

  test("ndjson answers each line with one line, in order", async () => {
    const { record } = await setUp();
    const stdin = [
      JSON.stringify({ id: 1, name: "m._domainkey.example.com", record }),
      JSON.stringify({ id: "two", rrset: ["v=DKIM1; p="] }),
      "",
    ].join("\n");
    const { stdout } = await runCli(["verify-key", "--stdin", "--format", "ndjson"], { stdin });
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers.map(({ id, state }) => [id, state])).toEqual([
      [1, "usable"],
      ["two", "revoked"],
    ]);
    expect(Object.keys(answers[0])).toEqual(expect.arrayContaining(["id", "state", "severity", "findings"]));
  });

  test.each([
    [["verify-key"], /nothing to verify/],
    [["verify-key", "--format", "ndjson"], /stream of records/],
    [["verify-key", "--record", "x", "--stdin"], /not with both/],
    [["verify-key", "example.com", "m", "--record", "x"], /looked up in DNS/],
    [["verify-key", "exa mple.com", "m"], /is not a domain name/],
  ])("%j is a usage error", async (argv, message) => {
    const { exitCode, stderr } = await runCli(argv);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});

test("text of a record cannot move the cursor", async () => {
  const { stdout, stderr } = await runCli([
    "verify-key",
    "--record",
    "v=DKIM1; n=\u001b[2J\u009b; k=\u001b]0;x\u0007; p=AAAA",
    "-v",
  ]);
  expect(`${stdout}${stderr}`.replaceAll("\n", "").match(/\p{Cc}/gu)).toBeNull();
});
