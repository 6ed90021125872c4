import { Argument, Command, Option } from "commander";
import { describe, expect, test } from "vitest";
import { readCommandLine } from "../../../src/commands/completion/command-line.ts";
import { completeWords } from "../../../src/commands/completion/complete-words.ts";
import { describeProgram } from "../../../src/commands/completion/program-model.ts";
import { parseKeyName } from "../../../src/keys/key-name.ts";

const program = new Command("dkimctl").option("--store <dir>", "folder of the keys").version("1.0.0");
program
  .command("showkeys")
  .alias("show")
  .description("print the records\nof keys")
  .argument("[domain...]", "filters")
  .addOption(new Option("-f, --format <format>", "how").choices(["bind", "json", "plain"]))
  .option("--relative-to <zone>", "zone of the form")
  .option("-q, --quiet", "say less")
  .option("--progress [when]", "bar")
  .addOption(new Option("--secret").hideHelp());
program
  .command("verify-key")
  .description("doctor")
  .argument("[file-or-domain]")
  .argument("[selector]")
  .option("-d, --domain <domains...>", "domains")
  .option("-s, --selector <selector>", "selector");
program.command("completion").addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]));
program.command("store").description("keys").command("list").description("names");
program.command("__complete", { hidden: true });
const model = describeProgram(program);

const names = [
  parseKeyName("example.com", "mail"),
  parseKeyName("example.com", "q1.2026"),
  parseKeyName("example.org", "mail"),
  parseKeyName("bücher.example", "ed"),
];
const words = (...typed: string[]) => completeWords(typed, model, names).map((line) => line.split("\t")[0]);

describe("completeWords", () => {
  test.each<[typed: string[], offered: string[]]>([
    [[""], ["showkeys", "verify-key", "completion", "store", "help"]],
    [[], ["showkeys", "verify-key", "completion", "store", "help"]],
    [["s"], ["showkeys", "store"]],
    [["nothing"], []],
    [["-"], ["--store", "-V", "--version", "-h", "--help"]],
    [["--st"], ["--store"]],
    [["--store", ""], []],
    [
      ["--store", "showkeys", "s"],
      ["showkeys", "store"],
    ],
    [
      ["--store=/k", "s"],
      ["showkeys", "store"],
    ],
    [
      ["store", ""],
      ["list", "help"],
    ],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [["completion", "z"], ["zsh"]],
    [["completion", "zsh", ""], []],
    [
      ["showkeys", ""],
      ["example.com", "example.org", "xn--bcher-kva.example"],
    ],
    [["show", "EXAMPLE.O"], ["example.org"]],
    [["showkeys", "example.com", "x"], ["xn--bcher-kva.example"]],
    [
      ["showkeys", ".e"],
      [".example.com", ".example.org"],
    ],
    [["showkeys", "bü"], ["bücher.example"]],
    [["showkeys", ".Bu\u0308"], [".bücher.example"]],
    [["showkeys", "--f"], ["--format"]],
    [["showkeys", "--s"], ["--store"]],
    [["showkeys", "--secret"], []],
    [
      ["showkeys", "--format", ""],
      ["bind", "json", "plain"],
    ],
    [["showkeys", "-f", "j"], ["json"]],
    [["showkeys", "--format=j"], ["--format=json"]],
    [
      ["showkeys", "--format="],
      ["--format=bind", "--format=json", "--format=plain"],
    ],
    [["showkeys", "--relative-to=example.o"], ["--relative-to=example.org"]],
    [["showkeys", "--quiet", "example.o"], ["example.org"]],
    [["showkeys", "--quiet="], []],
    [["showkeys", "--progress", "example.o"], ["example.org"]],
    [["showkeys", "--unknown", "example.o"], ["example.org"]],
    [["showkeys", "--", "--f"], []],
    [["showkeys", "--", "example.o"], ["example.org"]],
    [
      ["verify-key", "example.com", ""],
      ["mail", "q1.2026"],
    ],
    [["verify-key", "example.com.", "Q"], ["q1.2026"]],
    [["verify-key", "./file.pem", ""], []],
    [["verify-key", "example.com", "mail", ""], []],
    [["verify-key", "-d", "BÜCHER.example", "-s", ""], ["ed"]],
    [
      ["verify-key", "-dexample.com", "--selector="],
      ["--selector=mail", "--selector=q1.2026"],
    ],
    [
      ["verify-key", "--selector", ""],
      ["mail", "q1.2026", "ed"],
    ],
  ])("%j offers %j", (typed, offered) => {
    expect(words(...typed)).toEqual(offered);
  });

  test("tells what a word means, in one line", () => {
    expect(completeWords(["sh"], model, names)).toEqual(["showkeys\tprint the records"]);
    expect(completeWords(["showkeys", "x"], model, names)).toEqual(["xn--bcher-kva.example\tbücher.example"]);
  });

  test("does not look at the store unless a name is wanted", () => {
    const untouchable: Iterable<never> = {
      [Symbol.iterator]: () => {
        throw new Error("the store was read");
      },
    };
    expect(() => completeWords(["showkeys", "--"], model, untouchable)).not.toThrow();
    expect(() => completeWords(["showkeys", ""], model, untouchable)).toThrow("the store was read");
  });
});

describe("readCommandLine", () => {
  test("tells the option values before the cursor, by every flag", () => {
    const line = readCommandLine(["--store", "/a", "showkeys", "--store=/b", "-fjson", "x", ""], model);
    expect(Object.fromEntries(line.optionValues)).toEqual({ "--store": "/b", "-f": "json", "--format": "json" });
    expect(line.domains).toEqual(["x"]);
  });
});
