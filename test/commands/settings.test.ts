import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

describe("--store over DKIMCTL_STORE over the configuration; --config over DKIMCTL_CONFIG", () => {
  test("each in its turn", async () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    for (const name of ["option", "env", "config", "other"]) {
      mkdirSync(at(name), { mode: 0o700 });
      await runCli(["keygen", "-q", "--store", at(name), "-d", `${name}.example`, "-t", "ed25519"]);
      writeFileSync(at(`${name}.toml`), `[store]\npath = "${at(name)}"\n`);
    }
    const shown = async (argv: string[], env: Record<string, string>) =>
      /d=(\w+)\.example/.exec((await runCli(["showkeys", ...argv], { env })).stdout)?.[1];
    const env = { DKIMCTL_STORE: at("env"), DKIMCTL_CONFIG: at("config.toml") };
    expect(await shown(["--store", at("option")], env)).toBe("option");
    expect(await shown([], env)).toBe("env");
    expect(await shown([], { ...env, DKIMCTL_STORE: "" })).toBe("config");
    expect(await shown(["--config", at("other.toml")], { ...env, DKIMCTL_STORE: "" })).toBe("other");
  });

  test.each([
    ['[store]\npaht = "/x"\n', /c\.toml:2: there is no setting "paht" in \[store\]\n.*did you mean path\?/],
    ['\n[stor]\npath = "/x"\n', /c\.toml:2: there is no section "stor"\n.*did you mean store\?/],
    ["[store]\npath = 3\n", /c\.toml:2: store\.path must be an absolute path in quotes/],
    ['[keygen]\nbits = "2048"\n', /c\.toml:2: keygen\.bits must be a whole number/],
    ["[keygen\n", /c\.toml:1: /],
  ])("%j is a usage error with file, line and what was meant", async (text, message) => {
    const config = join(temporaryFolder(), "c.toml");
    writeFileSync(config, text);
    const { exitCode, stderr } = await runCli(["showkeys", "--config", config]);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });

  test("a configuration that was named and is not there is an error", async () => {
    expect((await runCli(["showkeys", "--config", "/nonexistent.toml"])).exitCode).toBe(2);
    expect((await runCli(["showkeys"], { env: { DKIMCTL_CONFIG: "/nonexistent.toml" } })).exitCode).toBe(2);
  });

  test("keygen takes its algorithms, bits and selectors from there, and options come first", async () => {
    const config = join(temporaryFolder(), "c.toml");
    writeFileSync(
      config,
      '[keygen]\nalgorithms = ["rsa", "ed25519"]\nbits = 1024\nselector = "k{n}"\n[store]\nmode = "0640"\n',
    );
    const made = await runCli(["keygen", "--config", config, "-d", "a.example"]);
    expect(made.files).toEqual(["a.example.k1.pem", "a.example.k2.pem"]);
    expect(made.stdout).toContain("; key#1 1024 bits, s=k1");
    const other = await runCli(["keygen", "--config", config, "-d", "a.example", "-t", "rsa", "-b", "1280", "-s", "x"]);
    expect([other.files, /\d+ bits/.exec(other.stdout)?.[0]]).toEqual([["a.example.x.pem"], "1280 bits"]);
  });
});

describe("colour", () => {
  const coloured = async (argv: string[], env: Record<string, string>, isTTY: boolean) => {
    const { stdout } = await runCli(["verify-key", "--record", "v=DKIM1; k=rsa", ...argv], { env, isTTY });
    return stdout.includes("\u001b[");
  };
  test.each<[argv: string[], env: Record<string, string>, isTTY: boolean, expected: boolean]>([
    [[], {}, true, true],
    [[], {}, false, false],
    [[], { NO_COLOR: "1" }, true, false],
    [[], { NO_COLOR: "" }, true, true],
    [[], { FORCE_COLOR: "1" }, false, true],
    [[], { FORCE_COLOR: "0" }, true, false],
    [[], { NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
    [[], { TERM: "dumb" }, true, false],
    [["--color", "always"], { NO_COLOR: "1" }, false, true],
    [["--color", "never"], { FORCE_COLOR: "1" }, true, false],
    [["--color", "auto"], {}, true, true],
  ])("%j %j terminal: %s", async (argv, env, isTTY, expected) => {
    expect(await coloured(argv, env, isTTY)).toBe(expected);
  });
});
