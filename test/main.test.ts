import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageVersion } from "../src/package-version.ts";
import { runCli, temporaryFolder } from "./helpers/run-cli.ts";

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

describe("what cannot be meant is one line and the next step, and exits 2", () => {
  test.each<[argv: string[], error: string, hint: string]>([
    [["keyge"], 'unknown command "keyge"', "did you mean keygen?"],
    [["nothing-like-it"], 'unknown command "nothing-like-it"', 'see "dkimctl --help"'],
    [["help", "showkey s"], 'unknown command "showkey s"', "did you mean showkeys?"],
    [["help", "zzzzzzz"], 'unknown command "zzzzzzz"', 'see "dkimctl --help"'],
    [["keygen", "--domian", "x"], 'unknown option "--domian"', "did you mean --domain?"],
    [["--stroe", "x", "showkeys"], 'unknown option "--stroe"', "did you mean --store?"],
    [["showkey", "-z"], 'unknown option "-z"', 'see "dkimctl showkeys --help"'],
    [["--store", "keygen", "showkeys", "-z"], 'unknown option "-z"', 'see "dkimctl showkeys --help"'],
    [["keygen", "-t", "rsaa"], '"rsaa" is no value for --type', "did you mean rsa?"],
    [["keygen", "-t", "dsa-2048"], '"dsa-2048" is no value for --type', "it takes rsa, ed25519, both"],
    [["showkeys", "--format", "plian"], '"plian" is no value for --format', "did you mean plain?"],
    [["--color", "alwys", "showkeys"], '"alwys" is no value for --color', "did you mean always?"],
    [["completion", "bsh"], '"bsh" is no value for SHELL', "did you mean bash?"],
    [["keygen", "-d"], "--domain lacks its value", 'see "dkimctl keygen --help"'],
    [["genrsa"], "FILE is missing", 'see "dkimctl genrsa --help"'],
    [["genrsa", "f", "2048", "x"], "genrsa takes 2 arguments, and 3 are given", 'see "dkimctl genrsa --help"'],
    [["keygen", "x"], "keygen takes no arguments, and 1 is given", 'see "dkimctl keygen --help"'],
    [["genrsa", "f", "2k"], '"2k" is no value for NBITS: it is not a number of bits', 'see "dkimctl genrsa --help"'],
    [
      ["showkeys", "--ttl", "1h"],
      '"1h" is no value for --ttl: it is not a whole number of seconds from 0 to 2147483647',
      'see "dkimctl showkeys --help"',
    ],
    [["showkeys", "-q", "-v"], "--quiet and --verbose contradict each other", "leave one of them out"],
    [["-q", "-v", "showkeys"], "--quiet and --verbose contradict each other", "leave one of them out"],
    [["-qv", "showkeys"], "--quiet and --verbose contradict each other", "leave one of them out"],
  ])("%j", async (argv, error, hint) => {
    const { exitCode, stdout, stderr } = await runCli(argv);
    expect(lines(stderr)).toEqual([`dkimctl: error: ${error}`, `dkimctl: hint: ${hint}`]);
    expect(stdout).toBe("");
    expect(exitCode).toBe(2);
  });

  test.each(["--store", "--config", "--passphrase-file"])("an empty path after %s", async (option) => {
    const { exitCode, stderr } = await runCli(["showkeys", option, ""]);
    expect(stderr).toBe(`dkimctl: error: the path after ${option} is empty\n`);
    expect(exitCode).toBe(2);
  });

  test("characters that would move the cursor are shown, not sent", async () => {
    const { stderr } = await runCli(["\u001b[31mkeygen\n\u202e"]);
    expect(stderr).toMatch(/^dkimctl: error: unknown command "\\u001b\[31mkeygen\\n\\u202e"\n/);
  });
});

test("the version is the same whatever else is on the line, whether the parser is asked or not", async () => {
  const version = await runCli(["--version"]);
  expect(version).toMatchObject({ exitCode: 0, stdout: `${packageVersion()}\n`, stderr: "" });
  for (const argv of [["-V"], ["-q", "--version"], ["showkeys", "--version"].toReversed()])
    expect(await runCli(argv)).toMatchObject({ exitCode: 0, stdout: version.stdout, stderr: "" });
});

describe("help", () => {
  test("dkimctl alone says on stderr what it can do, and exits 2: a script whose command is empty must stop", async () => {
    const { exitCode, stdout, stderr } = await runCli([]);
    expect(stderr).toMatch(/^Usage: dkimctl/);
    expect(stderr).not.toContain("dkimctl: error");
    expect(stdout).toBe("");
    expect(exitCode).toBe(2);
  });

  test.each([[["--help"]], [["-h"]], [["help"]]])("%j is data: stdout, exit 0", async (argv) => {
    const { exitCode, stdout, stderr } = await runCli(argv);
    expect(stdout).toMatch(/^Usage: dkimctl \[options\] \[command\]/);
    expect(stdout).toContain("Exit status:\n  0   ok\n");
    expect([exitCode, stderr]).toEqual([0, ""]);
  });

  test.each(["keygen", "showkeys", "showkey", "verify-key", "completion"])(
    "help %s and %s --help are the same",
    async (name) => {
      const { exitCode, stdout } = await runCli(["help", name]);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: dkimctl ${name}`));
      expect((await runCli([name, "--help"])).stdout).toBe(stdout);
    },
  );

  test("a broken configuration does not stand in its way", async () => {
    const config = join(temporaryFolder(), "c.toml");
    writeFileSync(config, "[nonsense");
    expect((await runCli(["--config", config, "keygen", "--help"])).exitCode).toBe(0);
  });

  test("--version is the package's", async () => {
    const { exitCode, stdout } = await runCli(["--version"]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(exitCode).toBe(0);
    expect((await runCli(["-V"])).stdout).toBe(stdout);
  });
});

describe("options of the program stand before the command or after it", () => {
  test.each([
    ["before", (store: string) => ["--store", store, "-q", "--color", "never", "showkeys"]],
    ["after", (store: string) => ["showkeys", "--store", store, "-q", "--color", "never"]],
    ["after the domains", (store: string) => ["showkeys", ".", `--store=${store}`, "--quiet"]],
  ])("%s", async (_, argv) => {
    const other = temporaryFolder();
    await runCli(["keygen", "-d", "example.com", "-t", "ed25519"], { store: other });
    const { exitCode, stdout, stderr } = await runCli(argv(other));
    expect(stdout).toContain("d=example.com");
    expect([exitCode, stderr]).toEqual([0, ""]);
  });
});

describe("a bug", () => {
  const broken = {
    keyStore: () => {
      throw new TypeError("x is undefined\nsecond line");
    },
  };

  test("is one line, says what to do, and exits 70", async () => {
    const { exitCode, stderr, stdout } = await runCli(["showkeys"], broken);
    expect(lines(stderr)).toEqual([
      "dkimctl: bug: TypeError: x is undefined",
      "dkimctl: hint: please report this line with the command you ran; run it again with -v for the details that help",
    ]);
    expect(stdout).toBe("");
    expect(exitCode).toBe(70);
  });

  test.each([["-v"], ["--verbose"]])("shows its stack with %s", async (option) => {
    const { exitCode, stderr } = await runCli(["showkeys", option], broken);
    expect(stderr).toMatch(/\n {4}at /);
    expect(exitCode).toBe(70);
  });

  test("-v behind -- is no option", async () => {
    const { stderr } = await runCli(["showkeys", "--", "-v.example"], broken);
    expect(stderr).not.toContain("    at ");
  });
});

describe("a failure", () => {
  test("tells its causes with -v", async () => {
    const argv = ["showkeys", "--store", "/nonexistent/store"];
    const { exitCode, stderr } = await runCli(argv);
    expect(lines(stderr)).toHaveLength(2);
    expect((await runCli([...argv, "-v"])).stderr).toMatch(/dkimctl: cause: ENOENT/);
    expect(exitCode).toBe(3);
  });
});
