import { Argument, type Command } from "commander";
import type { CliContext } from "../context.ts";
import type { KeyName } from "../keys/key-name.ts";
import { readCommandLine } from "./completion/command-line.ts";
import { COMPLETE_COMMAND } from "./completion/complete-command.ts";
import { completeWords } from "./completion/complete-words.ts";
import { COMPLETION_SHELLS, type CompletionShell, completionScript } from "./completion/completion-script.ts";
import { describeProgram } from "./completion/program-model.ts";
import { loadSettings, openStore } from "./settings.ts";

export function register(program: Command, cli: CliContext): void {
  program
    .command("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(COMPLETION_SHELLS))
    .addHelpText(
      "after",
      `
Examples:
  source <(dkimctl completion bash)           in ~/.bashrc
  dkimctl completion zsh > /usr/local/share/zsh/site-functions/_dkimctl
  dkimctl completion fish > ~/.config/fish/completions/dkimctl.fish`,
    )
    .action((shell: CompletionShell) => cli.stdout.write(completionScript(shell)));
  program
    .command(COMPLETE_COMMAND, { hidden: true })
    .argument("[words...]")
    .action(async (words: string[]) => {
      for (const candidate of await complete(words, program, cli)) cli.stdout.write(`${candidate}\n`);
    });
}

/** Candidates, or none when anything is wrong: nobody who presses TAB wants an error on the screen. */
async function complete(words: string[], program: Command, cli: CliContext): Promise<string[]> {
  const model = describeProgram(program);
  const { expected, optionValues } = readCommandLine(words, model);
  const wantsNames =
    expected.kind === "value" && (expected.value.kind === "domain" || expected.value.kind === "selector");
  const names = wantsNames ? await storedNames(optionValues, cli) : [];
  return completeWords(words, model, names);
}

async function storedNames(optionValues: ReadonlyMap<string, string>, cli: CliContext): Promise<KeyName[]> {
  const store = optionValues.get("--store");
  const config = optionValues.get("--config");
  const names: KeyName[] = [];
  try {
    const settings = loadSettings(cli, {
      color: "never",
      ...(store !== undefined && { store }),
      ...(config !== undefined && { config }),
    });
    for await (const entry of (await openStore(cli, {}, settings)).list()) {
      if (entry.kind === "key") names.push(entry.name);
    }
  } catch {
    // No store, no permission, a broken configuration: there is nothing to offer.
  }
  return names;
}
