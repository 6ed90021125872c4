import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import type { Prompter } from "../../src/terminal/prompt.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

/** A folder with nothing in it, and the command line that sets up there. */
function place() {
  const folder = temporaryFolder();
  const [config, store] = [join(folder, "dkimctl.toml"), join(folder, "keys")];
  return { folder, config, store, argv: ["init", "--config", config, "--store", store] };
}

/** Answers questions by a word in them; what is not answered takes its default. */
function person(answers: Record<string, string>): Prompter & { asked: string[]; refused: string[] } {
  const asked: string[] = [];
  const refused: string[] = [];
  const answer = (question: string) => {
    asked.push(question);
    return Object.entries(answers).find(([word]) => question.includes(word))?.[1];
  };
  return {
    asked,
    refused,
    async text(question, { default: preset = "", validate } = {}) {
      const text = answer(question) ?? preset;
      const verdict = validate?.(text) ?? true;
      if (verdict === true) return text;
      refused.push(verdict);
      return preset;
    },
    secret: async (question) => answer(question) ?? "",
    confirm: async () => true,
    choose: async <Value extends string>(question: string, choices: readonly { name: string; value: Value }[]) => {
      const wanted = answer(question);
      const choice = choices.find(({ value }) => value === wanted) ?? choices[0];
      if (choice === undefined) throw new Error("nothing to choose from");
      return choice.value;
    },
  };
}

describe("init with flags", () => {
  test("writes a configuration that loads, makes the keys, prints their records and the next step", async () => {
    const { config, store, argv } = place();
    const { exitCode, stdout, stderr } = await runCli(
      [...argv, "-d", "example.com", "-d", "bücher.example", "-t", "ed25519"],
      { env: { DKIMCTL_STORE: "" } },
    );
    expect(exitCode).toBe(0);
    expect(stdout.match(/ TXT \(/g)).toHaveLength(2);
    expect(stderr).toContain(`dkimctl: wrote ${config}\n`);
    expect(stderr).toMatch(new RegExp(`prove them with: dkimctl testkeys --config ${config}\n$`));
    expect(loadConfig({ path: config, env: {} }).settings).toMatchObject({
      store: { path: store, mode: 0o600 },
      keygen: { algorithms: ["ed25519"], selector: "{algorithm}-{yyyymmdd}" },
    });
    expect(existsSync(join(store, "xn--bcher-kva.example.ed25519-20261121.pem"))).toBe(true);
    // The next commands need nothing but the configuration.
    const shown = await runCli(["showkeys", "--config", config], { env: { DKIMCTL_STORE: "" } });
    expect(shown.stdout).toBe(stdout);
  });

  test("a relative store is written as an absolute path", async () => {
    const { folder, config } = place();
    const before = process.cwd();
    process.chdir(folder);
    try {
      const { exitCode } = await runCli([
        "init",
        "--config",
        "dkimctl.toml",
        "--store",
        "keys",
        "-d",
        "a.example",
        "-t",
        "ed25519",
      ]);
      expect(exitCode).toBe(0);
      expect(loadConfig({ path: config, env: {} }).settings.store.path).toBe(join(process.cwd(), "keys"));
    } finally {
      process.chdir(before);
    }
  });

  test("--group makes keys 0640 of that group, and folders that it can enter", async () => {
    const { config, store, argv } = place();
    const group = String(process.getgid?.() ?? 0);
    const { exitCode } = await runCli([
      ...argv,
      "-d",
      "a.example",
      "-t",
      "ed25519",
      "--group",
      group,
      "--selector-template",
      "m{n}",
    ]);
    expect(exitCode).toBe(0);
    expect(loadConfig({ path: config, env: {} }).settings.store).toMatchObject({ mode: 0o640, group });
    const key = statSync(join(store, "a.example.m1.pem"));
    expect([key.mode & 0o777, String(key.gid)]).toEqual([0o640, group]);
    expect(statSync(store).mode & 0o777).toBe(0o750);
    expect((await runCli(["showkeys", "--config", config, "--store", store])).stderr).toBe("");
  });

  test.each<[argv: string[], exitCode: number, message: RegExp]>([
    [[], 2, /no domain is given, and there is no terminal to ask on/],
    [["-y"], 2, /no domain is given/],
    [["-d", "a.example", "--group", "no-such-group"], 2, /there is no group "no-such-group"/],
    [["-d", "a.example", "--mode", "0644"], 2, /every user of this machine/],
    [["-d", "a.example", "--selector-template", "m{yyy}"], 2, /"\{yyy\}" in the selector .* is not known/],
    [["-d", "a..b"], 2, /is not a domain name/],
  ])("%j: exit %d, and nothing is made", async (more, exitCode, message) => {
    const { argv, config, store } = place();
    const result = await runCli([...argv, ...more]);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toMatch(message);
    expect([existsSync(config), existsSync(store), result.stdout]).toEqual([false, false, ""]);
  });

  test("a configuration that is there stays as it is", async () => {
    const { argv, config, store } = place();
    writeFileSync(config, "# mine\n");
    const { exitCode, stderr } = await runCli([...argv, "-d", "a.example"]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`there is already a configuration: ${config}`);
    expect(readFileSync(config, "utf8")).toBe("# mine\n");
    expect(existsSync(store)).toBe(false);
  });

  test("so does a link to nowhere", async () => {
    const { argv, config, folder } = place();
    symlinkSync("nowhere", config);
    const { exitCode, stderr } = await runCli([...argv, "-d", "a.example"]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("there is already a configuration");
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
  });

  test("keys that are in the store already stay, and new ones are made beside them", async () => {
    const { argv, store } = place();
    mkdirSync(store, { mode: 0o700 });
    await runCli(["keygen", "--store", store, "-d", "a.example", "-t", "ed25519"]);
    const { stdout } = await runCli([...argv, "-d", "a.example", "-t", "ed25519", "-o", "plain"]);
    expect(stdout).toMatch(/^ed25519-20261121-2\._domainkey\.a\.example\t/);
  });
});

describe("init asks for what is missing", () => {
  test("all of it", async () => {
    const { config, store } = place();
    const group = String(process.getgid?.() ?? 0);
    const prompter = person({
      domains: "example.com, bücher.example",
      Kind: "ed25519",
      Names: "m{n}",
      Folder: store,
      Group: group,
    });
    const { exitCode, stdout, stderr } = await runCli(["init", "--config", config, "-o", "plain"], {
      prompter,
      env: { DKIMCTL_STORE: "" },
    });
    expect(prompter.refused).toEqual([]);
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").map((line) => line.split("\t")[0])).toEqual([
      "m1._domainkey.example.com",
      "m1._domainkey.xn--bcher-kva.example",
      "",
    ]);
    expect(prompter.asked).toHaveLength(6);
    expect(loadConfig({ path: config, env: {} }).settings.store).toMatchObject({ path: store, group, mode: 0o640 });
    expect(stderr).not.toContain("--store");
  });

  test("and no more: each question has a flag, and -y asks none", async () => {
    const { argv } = place();
    const prompter = person({});
    const flags = [
      "-d",
      "a.example",
      "-t",
      "ed25519",
      "--selector-template",
      "m{n}",
      "--group",
      String(process.getgid?.() ?? 0),
      "--owner",
      String(process.getuid?.() ?? 0),
    ];
    expect((await runCli([...argv, ...flags], { prompter })).exitCode).toBe(0);
    expect((await runCli([...place().argv, "-y", "-d", "a.example"], { prompter })).exitCode).toBe(0);
    expect(prompter.asked).toEqual([]);
  });

  test.each([
    ["domains", "a..b", /is not a domain name/],
    ["domains", " ", /name at least one domain/],
    ["Names", "{nonsense}", /is not known/],
    ["Folder", "relative/path", /write the whole path/],
    ["User", "no-such-user", /there is no user/],
    ["Group", "no-such-group", /there is no group/],
  ])("again when the answer about %s is %j", async (word, text, reason) => {
    const { config } = place();
    const prompter = person({ [word]: text });
    await runCli(["init", "--config", config, ...(word === "domains" ? [] : ["-d", "a.example"]), "-t", "ed25519"], {
      prompter,
    });
    expect(prompter.refused).toEqual([expect.stringMatching(reason)]);
  });

  test("the answer about the folder holds although DKIMCTL_STORE says another one, and the next step names it", async () => {
    const { config, store } = place();
    const prompter = person({ Folder: store });
    const { stderr, files } = await runCli(["init", "--config", config, "-d", "a.example", "-t", "ed25519"], {
      prompter,
    });
    expect(files).toEqual([]);
    expect(existsSync(join(store, "a.example.ed25519-20261121.pem"))).toBe(true);
    expect(stderr).toContain(`dkimctl testkeys --store ${store} --config ${config}\n`);
  });
});
