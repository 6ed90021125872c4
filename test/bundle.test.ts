import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { buildProgramFolder, whatIsLoaded } from "./helpers/bundle.ts";
import { compiledSource } from "./helpers/compiled-source.ts";

const ROOT = resolve(import.meta.dirname, "..");
const program = buildProgramFolder();
const { modules } = program;
const BUNDLE = join(program.root, "dist/cli");
const { version, dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "dkimctl-bundle-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
  program.remove();
});
const store = join(folder, "store");

/** The chunks that hold a package, by the package's name. */
function packagesIn(chunks: readonly string[]): string[] {
  const files = chunks.flatMap((chunk) => modules[chunk] ?? []);
  return [...new Set(files.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []))].sort();
}

describe("what a command loads", () => {
  mkdirSync(store, { mode: 0o700 });
  const sample = readFileSync(join(ROOT, "test/vectors/keys/rsa1024.pem"));
  writeFileSync(join(store, "example.com.mail.pem"), sample, { mode: 0o600 });
  const env = { DKIMCTL_STORE: store, DKIMCTL_CONFIG: "" };

  /** Modules of Node that each take a sixth of a millisecond or more. */
  const COSTLY = [
    ...["crypto", "net", "tls", "http", "http2", "https", "dgram", "dns", "child_process", "stream", "readline"],
    ...["tty", "v8", "perf_hooks", "internal/abort_controller", "os"],
  ];
  const costly = (builtins: readonly string[]) => COSTLY.filter((name) => builtins.includes(`NativeModule ${name}`));

  test.each([
    ["--version", [], ["commander"]],
    ["-V", [], ["commander"]],
    ["--help", [], ["commander"]],
    ["showkeys --help", [], ["commander"]],
    ["showkeys", [], ["commander"]],
    ["showkeys example.com", [], ["commander"]],
    ["showkeys --format json", ["crypto", "stream", "internal/abort_controller", "os"], ["commander"]],
  ])("%s: of Node %j, of packages %j", (line, builtins, packages) => {
    const loaded = whatIsLoaded(program, line.split(" "), env);
    expect(loaded.exitCode).toBe(0);
    expect(packagesIn(loaded.chunks)).toEqual(packages);
    expect(costly(loaded.builtins)).toEqual(builtins);
  });

  test.each([
    ["--version", ["cli.cjs"]],
    ["--help", ["cli.cjs"]],
    ["showkeys", ["cli.cjs", "listing.cjs"]],
    [
      "testkeys --server 127.0.0.1#9 --retries 0",
      [
        ...["cli.cjs", "listing.cjs", "reading.cjs"],
        ...["testing-declaring.cjs", "testing-judging.cjs", "testing-making.cjs", "testing-options.cjs", "testing.cjs"],
      ],
    ],
  ])("%s: of the source, what belongs to it and to what is less: %j", (line, chunks) => {
    expect([...whatIsLoaded(program, line.split(" "), env).chunks].sort()).toEqual(chunks);
  });

  test.each(["init", "genrsa", "keygen", "import", "status", "testkeys", "verify-key"])(
    "%s --help: nothing that makes or tests keys",
    (command) => {
      const { chunks, builtins } = whatIsLoaded(program, [command, "--help"], env);
      expect(chunks.filter((chunk) => ["making.cjs", "testing.cjs", "judging.cjs"].includes(chunk))).toEqual([]);
      expect(costly(builtins)).toEqual([]);
    },
  );

  test.each([
    ["--version", []],
    ["--help", []],
    ["showkeys --help", []],
    ["showkeys", []],
    ["testkeys --server 127.0.0.1#9 --retries 0", ["SIGINT", "SIGTERM", "SIGHUP"]],
  ])("%s listens to the signals %j", (line, signals) => {
    expect(whatIsLoaded(program, line.split(" "), env).signals).toEqual(signals);
  });

  test("testkeys: of Node, what asks the DNS and what signs", () => {
    const { builtins } = whatIsLoaded(program, ["testkeys", "--server", "127.0.0.1#9", "--retries", "0"], env);
    // node:dgram loads what it needs for node:cluster; the resolver's signals are AbortSignals.
    expect(costly(builtins)).toEqual([
      "crypto",
      "net",
      "dgram",
      "child_process",
      "stream",
      "internal/abort_controller",
      "os",
    ]);
  });

  test.each([
    [
      "testkeys --server 127.0.0.1#9 --timeout 1 --retries 0",
      ["inquirer", "node-forge", "chalk", "toml-eslint-parser", "cli-table3", "dns2", "tldts-icann", "@redis/client"],
    ],
    [
      "keygen -d example.org -t ed25519",
      ["inquirer", "node-forge", "chalk", "toml-eslint-parser", "cli-table3", "dns2"],
    ],
    ["verify-key --record v=DKIM1;p=", ["inquirer", "node-forge", "chalk", "toml-eslint-parser", "cli-table3", "dns2"]],
    ["genrsa --help", ["inquirer", "node-forge", "chalk", "toml-eslint-parser", "cli-table3", "dns2", "tldts-icann"]],
  ])("%s: nothing of %j", (line, absent) => {
    const loaded = whatIsLoaded(program, line.split(" "), env);
    expect(loaded.exitCode).not.toBe(70);
    expect(packagesIn(loaded.chunks).filter((name) => absent.includes(name))).toEqual([]);
    expect(loaded.builtins.filter((name) => /NativeModule (http2?|https|tls)$/.test(name))).toEqual([]);
  });
});

test("each chunk of the source may be the first to be loaded: what it needs of others is there when it is needed", () => {
  const script = `
    const { loadBundle } = require(${JSON.stringify(program.bin)});
    for (const name of process.argv.slice(1)) loadBundle(${JSON.stringify(BUNDLE)})(name);`;
  const own = Object.keys(modules).filter((chunk) => packagesIn([chunk]).length === 0);
  const { status, stderr } = spawnSync(process.execPath, ["-e", script, "--", ...own], { encoding: "utf8" });
  expect({ chunks: own.length > 30, status, stderr }).toEqual({ chunks: true, status: 0, stderr: "" });
});

test("every chunk is ASCII: the loader takes one octet for one character", () => {
  const chunks = readdirSync(BUNDLE).filter((file) => file.endsWith(".cjs"));
  const wrong = chunks.filter((file) => /[^\0-\x7f]/.test(readFileSync(join(BUNDLE, file), "utf8")));
  expect({ chunks: chunks.length > 20, wrong }).toEqual({ chunks: true, wrong: [] });
});

describe("the code cache", () => {
  function copyOfProgram(name: string): { root: string; bin: string; cli: string; caches: string[] } {
    const root = join(folder, name);
    cpSync(program.root, root, { recursive: true });
    const cli = join(root, "dist/cli");
    return { root, bin: join(root, "bin/dkimctl.js"), cli, caches: cachesIn(cli) };
  }
  const cachesIn = (cli: string) => {
    const files = readdirSync(cli, { recursive: true, encoding: "utf8" });
    return files.filter((file) => file.endsWith(".cache")).map((file) => join(cli, file));
  };
  const run = (bin: string, ...argv: string[]) => spawnSync(process.execPath, [bin, ...argv], { encoding: "utf8" });
  const env = { DKIMCTL_STORE: store, DKIMCTL_CONFIG: "" };
  const testkeys = ["testkeys", "--server", "127.0.0.1#9", "--timeout", "1"];

  test("of all that testkeys needs, down to the curve and the primes, is there for this V8", () => {
    const { chunks, cached } = whatIsLoaded(program, testkeys, env);
    expect(cached).toEqual(chunks);
    expect(cached).toContain("testing.cjs");
  });

  test.each([[["--help"]], [["showkeys", "example.com"]], [["--store", store, "showkeys", "example.com"]], [testkeys]])(
    "of a usual line holds all that it needs, and less than the one for every line: %j",
    (argv) => {
      const { root, bin, cli, caches } = copyOfProgram(`usual ${argv.join(" ").replaceAll("/", "_")}`);
      const own = caches.filter((path) => dirname(path) !== cli);
      for (const cache of caches) if (!own.includes(cache)) rmSync(cache);
      const { chunks, cached } = whatIsLoaded({ ...program, root, bin }, argv, env);
      expect({ cached, isNone: cached.length === 0 }).toEqual({ cached: chunks, isNone: false });
      const sizes = own.map((path) => [statSync(path).size, statSync(join(BUNDLE, basename(path))).size]);
      expect(sizes.filter(([small = 0, large = 0]) => small > large)).toEqual([]);
      expect(sizes.some(([small = 0, large = 0]) => small < large)).toBe(true);
    },
  );

  test("of another source is not used, however alike", () => {
    const { bin, cli } = copyOfProgram("changed");
    const path = join(cli, "cli.cjs");
    const changed = version.replace(/[0-9]/g, "7");
    writeFileSync(
      path,
      readFileSync(path, "latin1").replace(JSON.stringify(version), JSON.stringify(changed)),
      "latin1",
    );
    expect(run(bin, "--version")).toMatchObject({ status: 0, stdout: `${changed}\n`, stderr: "" });
  });

  test("of another V8, cut off, or empty is not used", () => {
    const { bin, cli, caches } = copyOfProgram("damaged");
    const help = run(bin, "--help").stdout;
    for (const change of [
      (octets: Buffer, at: number) => octets.fill(0x5a, at, at + 16),
      (octets: Buffer, at: number) => octets.subarray(0, at + 40),
      (octets: Buffer, at: number) => octets.subarray(0, at),
      () => Buffer.alloc(0),
    ]) {
      for (const cache of caches) {
        const chunk = join(cli, /\/([^/]+\.cjs)\.[^/]+$/.exec(cache)?.[1] ?? "");
        const original = readFileSync(join(BUNDLE, cache.slice(cli.length + 1)));
        writeFileSync(cache, change(Buffer.from(original), readFileSync(chunk).length));
      }
      expect(run(bin, "--version")).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
      expect(run(bin, "--help")).toMatchObject({ status: 0, stdout: help, stderr: "" });
    }
  });

  test("is never written by a run", () => {
    const { bin, cli, caches } = copyOfProgram("absent");
    for (const cache of caches) rmSync(cache);
    for (const line of ["--version", "--help"]) expect(run(bin, line)).toMatchObject({ status: 0, stderr: "" });
    expect(cachesIn(cli)).toEqual([]);
  });
});

describe("the package", () => {
  test("ships the licence of everything it bundles", () => {
    const text = readFileSync(join(program.root, "dist/THIRD-PARTY-LICENSES"), "utf8");
    const packages = packagesIn(Object.keys(modules));
    expect(packages).toEqual(expect.arrayContaining(["@redis/client", "commander", "dns2", "inquirer", "node-forge"]));
    for (const name of packages) {
      const home = join(ROOT, "node_modules", name);
      const { version: bundled } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
      expect(text).toContain(`\n${name} ${bundled} (`);
      const licence = readdirSync(home).find((file) => /^licen[cs]e/i.test(file));
      const path = licence === undefined ? join(ROOT, "build/licenses", `${name}.txt`) : join(home, licence);
      expect(text).toContain(readFileSync(path, "utf8").trim());
    }
  });

  test("the library needs nothing but what package.json lists", () => {
    const seen = new Set<string>();
    const foreign = new Set<string>();
    const visit = (path: string) => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const [, target = ""] of readFileSync(path, "utf8").matchAll(
        /(?:\bfrom |\bimport\(|^import )"([^"\s]+)"/gm,
      )) {
        if (target.startsWith(".")) visit(resolve(dirname(path), target));
        else if (!target.startsWith("node:")) foreign.add(target);
      }
    };
    const { path, remove } = compiledSource();
    visit(join(path, "index.js"));
    remove();
    expect(seen.size).toBeGreaterThan(20);
    expect([...foreign].sort()).toEqual(Object.keys(dependencies));
  });

  test("the bundle needs nothing but Node", () => {
    const chunks = Object.keys(modules).map((chunk) => readFileSync(join(BUNDLE, chunk), "utf8"));
    const required = chunks.flatMap((text) => [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, id = ""]) => id));
    expect(required.filter((id) => !isBuiltin(id) && modules[id.slice(2)] === undefined)).toEqual([]);
  });

  test("what is done with is cleared away when a command says that there is much of it", () => {
    const script = `
      const { processContext } = require(${JSON.stringify(join(BUNDLE, "cli.cjs"))});
      let text = Array.from({ length: 3e5 }, (_, i) => ({ i, text: String(i) }));
      text = undefined;
      const before = process.memoryUsage().heapUsed;
      processContext().preferMemory();
      console.log(before - process.memoryUsage().heapUsed);`;
    const { stdout } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect(Number(stdout)).toBeGreaterThan(10e6);
  });

  test("with -v, the stack of a bug names lines of src/", () => {
    const script = `
      process.setSourceMapsEnabled(true);
      const { main, processContext } = require(${JSON.stringify(join(BUNDLE, "cli.cjs"))});
      const readFile = () => { throw new TypeError("made up"); };
      main(["showkeys", "-v"], Object.defineProperty(processContext(), "readFile", { value: readFile }));`;
    const { stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect(stderr).toContain("dkimctl: bug: TypeError: made up");
    expect(stderr).toMatch(/src\/config\.ts:[0-9]+/);
  });
});
