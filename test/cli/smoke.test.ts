import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { builtCli, ended } from "../helpers/built-cli.ts";
import { requirePeer } from "../helpers/peers.ts";

/** What only a process shows: pipes, signals, terminals, exit statuses. */
let cli: ReturnType<typeof builtCli>;
let folder: string;
let env: Record<string, string>;
beforeAll(() => {
  cli = builtCli();
});
afterAll(() => cli.remove());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dkimctl-smoke-"));
  env = { DKIMCTL_STORE: join(folder, "store"), DKIMCTL_CONFIG: "/dev/null" };
  return () => rmSync(folder, { recursive: true, force: true });
});

const ed25519 = (...domains: string[]) => [
  "keygen",
  "-q",
  ...domains.flatMap((domain) => ["-d", domain]),
  "-t",
  "ed25519",
  "-s",
  "m",
];
/** Everything in the store, hidden files too, but for the folder of locks and tags. */
const inStore = () =>
  (existsSync(join(folder, "store")) ? readdirSync(join(folder, "store")) : []).filter((name) => name !== ".dkimctl");

test("the main job: make, show, and the exit statuses of a shell", async () => {
  const made = await cli.run(ed25519("example.com"), env);
  expect(made).toMatchObject({ status: 0, signal: null, stderr: "" });
  const shown = await cli.run(["showkeys"], env);
  expect(shown).toMatchObject({ status: 0, stdout: made.stdout, stderr: "" });
  expect((await cli.run(["showkeys", "none.example"], env)).status).toBe(3);
  expect((await cli.run(["verify-key", "--record", "v=DKIM1"], env)).status).toBe(1);
  expect((await cli.run(["nonsense"], env)).status).toBe(2);
  expect((await cli.run([], env)).status).toBe(2);
});

const setpriv = requirePeer("setpriv");
test.skipIf(setpriv.skip)(
  `a store below a folder that one cannot look into, by its name there ${setpriv.reason}`,
  async () => {
    await cli.run(["--store", join(folder, "above/here/store"), ...ed25519("example.com")], env);
    // Of root, what lets it look into every folder is taken away.
    const asOthers =
      process.getuid?.() === 0 ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : ["env"];
    const script = 'cd "$1"; shift; chmod 0 ..; "$@"; status=$?; chmod 700 ..; exit $status';
    const run = (...argv: string[]) =>
      spawnSync(
        "sh",
        ["-c", script, "sh", join(folder, "above/here"), ...asOthers, process.execPath, cli.bin, ...argv],
        {
          env: { ...env, PATH: process.env.PATH },
          encoding: "utf8",
        },
      );
    expect(run("--store", "../here/store", "showkeys")).toMatchObject({ status: 3 });
    for (const command of ["showkeys", "verify-key --all", "keygen -q -d example.com -t ed25519 -s m --force"]) {
      expect(run("--store", "store", ...command.split(" "))).toMatchObject({ status: 0, stderr: "" });
    }
  },
);

test("verify-key --stdin answers each line before it needs the next", async () => {
  const child = cli.start(["verify-key", "--stdin", "--format", "ndjson"], env);
  let answered = "";
  child.stdout?.on("data", (text) => {
    answered += text;
  });
  for (let asked = 1; asked <= 3; asked++) {
    child.stdin?.write(`{"record":"v=DKIM1; p="}\n`);
    await vi.waitFor(() => expect(answered.split("\n")).toHaveLength(asked + 1), 10_000);
  }
  child.stdin?.end();
  expect(await ended(child)).toMatchObject({ status: 0 });
});

test("--version is that of package.json", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(await cli.run(["--version"], env)).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
});

test.each([
  [16, undefined, "16"],
  [2, undefined, "4"],
  [16, "6", "6"],
])("keys are made on all of %i cores, unless UV_THREADPOOL_SIZE is %s", (cores, given, threads) => {
  const machine = join(folder, "machine.cjs");
  writeFileSync(
    machine,
    `require("node:os").availableParallelism = () => ${cores};
     process.on("exit", () => process.stderr.write(String(process.env.UV_THREADPOOL_SIZE)));`,
  );
  const { PATH } = process.env;
  for (const verbose of [[], ["-v"]]) {
    const key = join(folder, `${cores}-${given}${verbose}.pem`);
    const argv = ["--require", machine, cli.bin, "genrsa", key, "1024", ...verbose];
    const { stderr } = spawnSync(process.execPath, argv, {
      env: { PATH, ...(given !== undefined && { UV_THREADPOOL_SIZE: given }) },
      encoding: "utf8",
    });
    expect(stderr.split("\n").at(-1)).toBe(threads);
  }
});

test("without a terminal a missing answer is a usage error, not a hang", async () => {
  for (const argv of [["keygen"], ["init", "--config", join(folder, "c.toml")]]) {
    expect(await cli.run(argv, env)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("no domain is given"),
    });
  }
});

test("output that is larger than a pipe arrives whole", async () => {
  const domains = Array.from({ length: 600 }, (_, i) => `d${i}.example\n`).join("");
  const { status, stdout } = await cli.run(
    ["keygen", "-q", "--domains-from", "-", "-t", "ed25519", "-s", "m", "--json"],
    env,
    domains,
  );
  expect(status).toBe(0);
  expect(stdout.length).toBeGreaterThan(4 * 65536);
  expect(JSON.parse(stdout).keys).toHaveLength(600);
});

test("| head ends quietly", () => {
  const stdin = Array.from({ length: 400 }, (_, i) => `d${i}.example\n`).join("");
  spawnSync(process.execPath, [cli.bin, "keygen", "-q", "--domains-from", "-", "-t", "ed25519"], { env, input: stdin });
  const script = `"$0" "$1" showkeys | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", script, process.execPath, cli.bin], {
    env: { ...env, PATH: process.env.PATH },
    encoding: "utf8",
  });
  expect(stdout).toMatch(/^; key#1 256 bits[^\n]*\n0\n$/);
  expect(stderr).toBe("");
});

test.skipIf(!existsSync("/dev/full"))(
  "a full disk behind stdout is one line and exits 3, also when all was written already",
  async () => {
    await cli.run(ed25519("example.com"), env);
    for (const words of ["showkeys", "--version", "keygen -d full.example -t ed25519 -q"]) {
      const { stderr, status } = spawnSync("sh", ["-c", `"$0" "$1" ${words} > /dev/full`, process.execPath, cli.bin], {
        env: { ...env, PATH: process.env.PATH },
        encoding: "utf8",
      });
      expect([words, status, stderr]).toEqual([
        words,
        3,
        "dkimctl: error: cannot write standard output: no space left on device\n",
      ]);
    }
  },
);

describe("a signal", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s ends it by that signal, without a half-made file or a word",
    async (signal) => {
      const file = join(folder, "big.pem");
      const child = cli.start(["genrsa", file, "16384"], env);
      const end = ended(child);
      // The warning about the size is said right before the work, which takes minutes.
      await new Promise((resolve) => child.stderr?.once("data", resolve));
      child.kill(signal);
      expect(await end).toEqual({
        status: null,
        signal,
        stdout: "",
        stderr: expect.stringMatching(/^dkimctl: warning: 16384 bits[^\n]*\n$/),
      });
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test("in a run of many keeps what was made, whole", async () => {
    const child = cli.start(["keygen", "--domains-from", "-", "-b", "4096", "-s", "m", "-o", "value", "-v"], env);
    const end = ended(child);
    child.stdin?.end(Array.from({ length: 50 }, (_, i) => `d${i}.example\n`).join(""));
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    child.kill("SIGTERM");
    const { signal, stdout } = await end;
    expect(signal).toBe("SIGTERM");
    const files = inStore();
    expect(files.length).toBeGreaterThan(0);
    expect(files.length).toBeLessThan(50);
    expect(files.filter((name) => !name.endsWith(".m.pem"))).toEqual([]);
    const shown = await cli.run(["showkeys", "--format", "value"], env);
    expect(shown.status).toBe(0);
    expect(shown.stdout.split("\n").length - 1).toBe(files.length);
    for (const record of stdout.trimEnd().split("\n")) expect(shown.stdout).toContain(record);
  });
});

const script = requirePeer("script");
describe.skipIf(script.skip)(`on a terminal ${script.reason}`, () => {
  /** Types `keys` at the first question that `command` asks. */
  function atPrompt(command: string, keys: string): { status: number; screen: string } {
    return atTerminal(`sleep 2; printf '${keys}'; sleep 2`, command);
  }

  /** @param meanwhile what a shell does beside it; its output is typed */
  function atTerminal(meanwhile: string, command: string): { status: number; screen: string } {
    const shell = `(${meanwhile}) | script -qec "${command}; echo status=\\$?; stty -a" /dev/null`;
    const screen = execFileSync("bash", ["--norc", "-c", shell], {
      env: { ...env, PATH: process.env.PATH, TERM: "xterm" },
      encoding: "utf8",
    });
    return { status: Number(/status=(\d+)/.exec(screen)?.[1]), screen };
  }

  test("Ctrl-C at a question ends it quietly, as the signal would", () => {
    const { status, screen } = atPrompt(`${process.execPath} ${cli.bin} keygen -t ed25519`, "\\003");
    expect(screen).toContain("Signing domain:");
    expect(status).toBe(130);
    expect(screen).not.toMatch(/bug|Error|force closed| at /);
    expect(inStore()).toEqual([]);
  });

  test.each([
    ["TERM", 143],
    ["HUP", 129],
  ])("SIG%s at a question ends it by that signal, and leaves a terminal that one can type in", (signal, status) => {
    const pid = join(folder, "pid");
    const command = `sh -c 'echo \\$\\$ > ${pid}; exec ${process.execPath} ${cli.bin} keygen -t ed25519'`;
    const ended = atTerminal(`sleep 2; kill -${signal} $(cat ${pid}); sleep 2`, command);
    expect(ended.screen).toContain("Signing domain:");
    expect(ended.screen).toMatch(/ icanon .* echo /s);
    expect(ended.status).toBe(status);
    expect(inStore()).toEqual([]);
  });

  test("an answer is taken", () => {
    const { status, screen } = atPrompt(`${process.execPath} ${cli.bin} keygen -t ed25519 -s m`, "example.com\\r");
    expect(status).toBe(0);
    expect(screen).toContain("m._domainkey.example.com.");
    expect(inStore()).toEqual(["example.com.m.pem"]);
  });
});
