import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import type { CliContext } from "../src/context.ts";
import { buildProgram, findCommand } from "../src/program.ts";
import { runCli } from "./helpers/run-cli.ts";

const program = await buildProgram({} as CliContext); // nothing of it is touched before a command runs
const visible = (command: Command) => command.createHelp().visibleCommands(command);
const commands = visible(program);

describe("every command and option says what it is", () => {
  test.each(commands.map((command) => [command.name(), command] as const))("%s", (_, command) => {
    const texts = [
      ["the command", command.description()],
      ...command.options.map((option) => [option.flags, option.description]),
      ...command.registeredArguments.map((argument) => [argument.name(), argument.description]),
    ];
    expect(texts.filter(([, text]) => text === "")).toEqual([]);
    // As sentences without a capital and a full stop, like every other line of dkimctl.
    expect(texts.filter(([, text = ""]) => /^[A-Z][a-z]/.test(text) || text.endsWith("."))).toEqual([]);
  });

  test("one letter means one thing in every command", () => {
    const meanings = new Map<string, Set<string>>();
    for (const { options } of [program, ...commands]) {
      for (const { short, long } of options) {
        if (short === undefined) continue;
        meanings.set(short, (meanings.get(short) ?? new Set()).add(long ?? ""));
      }
    }
    expect([...meanings].filter(([, longs]) => longs.size > 1)).toEqual([]);
  });
});

describe("help", () => {
  const names = commands.map((command) => command.name());

  test.each([80, 200])("of every command fits a terminal of %d columns", async (columns) => {
    for (const argv of [["--help"], ...names.map((name) => [name, "--help"])]) {
      const { stdout } = await runCli(argv, { isTTY: true, columns });
      const tooWide = stdout.split("\n").filter((line) => line.length > columns);
      expect(tooWide, argv.join(" ")).toEqual([]);
    }
  });

  test.each(names.filter((name) => name !== "help"))("of %s has examples that are commands of ours", async (name) => {
    const { stdout } = await runCli([name, "--help"]);
    const examples = stdout.split("\nExamples:\n")[1] ?? "";
    const lines = examples.split("\n").filter((line) => line.startsWith("  "));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toContain(`dkimctl ${name}`);
  });

  test("of every command can be asked for by its name and alias alone", async () => {
    for (const name of [...names, "showkey", "testkey"]) {
      const { exitCode, stdout } = await runCli(["help", name]);
      expect(stdout, name).toMatch(/^Usage: dkimctl /);
      expect(exitCode).toBe(0);
    }
  });

  test("names every command once", async () => {
    const { stdout } = await runCli(["--help"]);
    for (const name of names) expect(stdout.match(new RegExp(`^  ${name}\\b`, "gm")), name).toHaveLength(1);
  });
});

describe("findCommand", () => {
  test.each<[argv: string[], name: string | undefined]>([
    [["keygen", "-d", "showkeys"], "keygen"],
    [["--store", "keygen", "showkeys"], "showkeys"],
    [["--store=keygen", "-q", "testkey"], "testkeys"],
    [["nonsense", "keygen"], undefined],
    [[], undefined],
  ])("%j: %s", (argv, name) => expect(findCommand(argv)).toBe(name));
});
