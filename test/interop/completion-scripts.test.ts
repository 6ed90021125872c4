import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CompletionShell, completionScript } from "../../src/commands/completion/completion-script.ts";
import { requirePeer } from "../helpers/peers.ts";

/** Shells with a `dkimctl` on PATH that notes its arguments and prints what the test wants printed. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dkimctl-completion-"));
  const stub = `#!/bin/sh\nprintf '<%s>\\n' "$@" > '${folder}/asked'\ncat '${folder}/answer'\necho noise >&2\n`;
  writeFileSync(join(folder, "dkimctl"), stub);
  chmodSync(join(folder, "dkimctl"), 0o755);
  writeFileSync(join(folder, "local-file.pem"), "");
  for (const shell of ["bash", "zsh", "fish"] as const) writeFileSync(script(shell), completionScript(shell));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (shell: CompletionShell) => join(folder, `completion.${shell}`);

function run(shell: string, args: readonly string[]): string[] {
  const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, LC_ALL: "C.UTF-8", TERM: "dumb" };
  return execFileSync(shell, args, { cwd: folder, encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] })
    .split("\n")
    .slice(0, -1);
}

function answer(...lines: string[]): void {
  writeFileSync(join(folder, "answer"), lines.map((line) => `${line}\n`).join(""));
}

/** The words that the script handed over, after `__complete --`. */
function asked(): string[] {
  const [command, dashes, ...words] = readFileSync(join(folder, "asked"), "utf8").trimEnd().split("\n");
  expect([command, dashes]).toEqual(["<__complete>", "<-->"]);
  return words.map((word) => word.slice(1, -1));
}

const bash = requirePeer("bash");
describe.skipIf(bash.skip)(`bash ${bash.reason}`, () => {
  /** @param words as bash breaks them, the last at the cursor */
  function complete(...words: string[]): string[] {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const commands = `set -u; source '${script("bash")}'; COMP_WORDS=(dkimctl ${quoted}); COMP_CWORD=${words.length}
      _dkimctl; ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"; complete -p dkimctl`;
    const lines = run("bash", ["--norc", "-c", commands]);
    expect(lines.pop()).toBe("complete -o default -F _dkimctl dkimctl");
    return lines;
  }

  test("offers the words without their descriptions", () => {
    answer("showkeys\tprint the records", "store");
    expect(complete("s")).toEqual(["showkeys", "store"]);
    expect(asked()).toEqual(["s"]);
  });

  test("hands over an empty word, and words with spaces", () => {
    answer();
    expect(complete("showkeys", "a b", "")).toEqual([]);
    expect(asked()).toEqual(["showkeys", "a b", ""]);
  });

  test.each<[broken: string[], whole: string[]]>([
    [
      ["showkeys", "--format", "=", "js"],
      ["showkeys", "--format=js"],
    ],
    [
      ["showkeys", "--format", "="],
      ["showkeys", "--format="],
    ],
    [
      ["showkeys", "--store", "=", "/k", "--format", "=", "j"],
      ["showkeys", "--store=/k", "--format=j"],
    ],
  ])("joins what bash breaks at =, and replaces what follows it: %j", (broken, whole) => {
    answer("--format=json");
    expect(complete(...broken)).toEqual(["json"]);
    expect(asked()).toEqual(whole);
  });

  test("replaces the whole word where bash does not break it", () => {
    answer("--format=json");
    expect(complete("showkeys", "--format=js")).toEqual(["--format=json"]);
  });
});

const zsh = requirePeer("zsh");
describe.skipIf(zsh.skip)(`zsh ${zsh.reason}`, () => {
  /** Runs the function with the variables and helpers that zsh gives to a completer. */
  function complete(...words: string[]): string[] {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const commands = `compdef() { print -r -- "compdef $*" }
      _describe() { print -rl -- \${(P)4} }
      _files() { print -r -- FILES }
      source '${script("zsh")}'; words=(dkimctl ${quoted}); CURRENT=${words.length + 1}; _dkimctl`;
    const [registered, ...lines] = run("zsh", ["-f", "-c", commands]);
    expect(registered).toBe("compdef _dkimctl dkimctl");
    return lines;
  }

  test("is sound", () => {
    expect(run("zsh", ["-f", "-n", script("zsh")])).toEqual([]);
  });

  test("offers words and descriptions", () => {
    answer("showkeys\tprint: records", "a:b\tcolon", "store");
    expect(complete("s")).toEqual(["showkeys:print: records", "a\\:b:colon", "store"]);
    expect(asked()).toEqual(["s"]);
  });

  test("offers files when there is nothing else", () => {
    answer();
    expect(complete("genrsa", "a b", "")).toEqual(["FILES"]);
    expect(asked()).toEqual(["genrsa", "a b", ""]);
  });

  test("works as a file in fpath", () => {
    writeFileSync(join(folder, "_dkimctl"), completionScript("zsh"));
    answer("showkeys\tprint");
    const commands = `_describe() { print -rl -- \${(P)4} }; fpath=('${folder}'); autoload -U _dkimctl
      words=(dkimctl s); CURRENT=2; _dkimctl`;
    expect(run("zsh", ["-f", "-c", commands])).toEqual(["showkeys:print"]);
  });
});

const fish = requirePeer("fish");
describe.skipIf(fish.skip)(`fish ${fish.reason}`, () => {
  const complete = (line: string) =>
    run("fish", ["--no-config", "-c", `source '${script("fish")}'; complete -C '${line}'`]);

  test("is sound", () => {
    expect(run("fish", ["--no-config", "-n", script("fish")])).toEqual([]);
  });

  test("offers words and descriptions", () => {
    answer("showkeys\tprint the records", "store");
    expect(complete("dkimctl s")).toEqual(["showkeys\tprint the records", "store"]);
    expect(asked()).toEqual(["s"]);
  });

  test("hands over the empty word and offers files when there is nothing else", () => {
    answer();
    expect(complete("dkimctl genrsa loc")).toEqual(["local-file.pem"]);
    complete("dkimctl showkeys ");
    expect(asked()).toEqual(["showkeys", ""]);
  });

  test("completes a value behind =", () => {
    answer("--format=json");
    expect(complete("dkimctl showkeys --format=j")).toEqual(["--format=json"]);
    expect(asked()).toEqual(["showkeys", "--format=j"]);
  });
});
