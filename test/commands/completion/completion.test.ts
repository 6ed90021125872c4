import { expect, test } from "vitest";
import { completionScript } from "../../../src/commands/completion/completion-script.ts";
import { runCli } from "../../helpers/run-cli.ts";

const complete = async (words: string[], store?: string) =>
  (await runCli(["__complete", "--", ...words], store === undefined ? {} : { store })).stdout
    .split("\n")
    .map((line) => line.split("\t")[0])
    .filter((word) => word !== "");

test.each(["bash", "zsh", "fish"] as const)("the script for %s is data", async (shell) => {
  expect(await runCli(["completion", shell])).toMatchObject({
    exitCode: 0,
    stdout: completionScript(shell),
    stderr: "",
  });
});

test("commands, options, choices, and the domains and selectors in the store", async () => {
  const { store } = await runCli([
    "keygen",
    "-d",
    "example.com",
    "-d",
    "bücher.example",
    "-t",
    "both",
    "-b",
    "1024",
    "-s",
    "m",
    "-q",
  ]);
  expect(await complete(["sho"])).toEqual(["showkeys"]);
  expect(await complete(["hel"])).toEqual(["help"]);
  expect(await complete(["keygen", "--dom"])).toEqual(["--domain", "--domains-from"]);
  expect(await complete(["keygen", "-t", ""])).toEqual(["rsa", "ed25519", "both"]);
  expect(await complete(["showkeys", ""], store)).toEqual(["example.com", "xn--bcher-kva.example"]);
  expect(await complete(["verify-key", "example.com", ""], store)).toEqual(["m-ed25519", "m-rsa"]);
  expect(await complete(["showkeys", "--store", store, "ex"])).toEqual(["example.com"]);
  expect(await complete(["__comp"])).toEqual([]);
});

test("with no store, or a broken configuration, it offers nothing and says nothing", async () => {
  const { exitCode, stdout, stderr } = await runCli(["__complete", "--", "showkeys", "--config", "/nonexistent", ""]);
  expect([exitCode, stdout, stderr]).toEqual([0, "", ""]);
});
