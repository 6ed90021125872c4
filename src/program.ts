import { Command, Option } from "commander";
import { COMPLETE_COMMAND } from "./commands/completion/complete-command.ts";
import { filePath } from "./commands/options.ts";
import type { CliContext } from "./context.ts";
import { UsageError } from "./errors.ts";
import { quoteName } from "./keys/domain-name.ts";
import { nearestName } from "./nearest-name.ts";
import { packageVersion } from "./package-version.ts";

/** What a command module exports: it declares itself on the program it is given. */
export interface CommandModule {
  register(program: Command, cli: CliContext): void;
}

interface CommandEntry {
  readonly name: string;
  readonly alias?: string;
  /** Its line in the overview. */
  readonly summary: string;
  /** It changes nothing and waits for nothing of its own: a signal may end it at once, as it ends any program. */
  readonly onlyPrints?: boolean;
  /** Called only when its name is on the command line. */
  readonly load: () => Promise<CommandModule>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: "init",
    summary: "set up: write the configuration, make the first keys, print their records",
    load: () => import("./commands/init.ts"),
  },
  { name: "genrsa", summary: "make one RSA private key in a file", load: () => import("./commands/genrsa.ts") },
  {
    name: "keygen",
    summary: "make keys in the store and print their records",
    load: () => import("./commands/keygen.ts"),
  },
  {
    name: "showkeys",
    alias: "showkey",
    summary: "print the DNS records of the keys in the store",
    onlyPrints: true,
    load: () => import("./commands/showkeys.ts"),
  },
  {
    name: "testkeys",
    alias: "testkey",
    summary: "prove every key of the store against the DNS",
    load: () => import("./commands/testkeys.ts"),
  },
  {
    name: "verify-key",
    summary: "say what is wrong with a private key or a key record",
    load: () => import("./commands/verify-key.ts"),
  },
  {
    name: "rotate",
    summary: "replace keys unattended, and never lose mail by it",
    load: () => import("./commands/rotate.ts"),
  },
  {
    name: "status",
    summary: "tell the state of every key: who signs, what is next, and when",
    load: () => import("./commands/status.ts"),
  },
  {
    name: "publish",
    summary: "publish the records of stored keys through the configured publisher",
    load: () => import("./commands/publish.ts"),
  },
  {
    name: "withdraw",
    summary: "remove records through the configured publisher, or mark them as revoked",
    load: () => import("./commands/withdraw.ts"),
  },
  {
    name: "export",
    summary: "print or write what a signer reads: amavis, rspamd, opendkim, exim",
    load: () => import("./commands/export.ts"),
  },
  {
    name: "import",
    summary: "bring the keys of a signer's configuration, or loose key files, into the store",
    load: () => import("./commands/import.ts"),
  },
  {
    name: "check-signer",
    summary: "check that a signer can read and use its keys, and that they are published",
    load: () => import("./commands/check-signer.ts"),
  },
  {
    name: "copy",
    summary: "copy keys and journals from one store to another",
    load: () => import("./commands/copy.ts"),
  },
  {
    name: "completion",
    summary: "print a completion script for bash, zsh or fish",
    load: () => import("./commands/completion.ts"),
  },
];

export const COMMAND_NAMES: readonly string[] = COMMANDS.map(({ name }) => name);

/** @param command by its name */
export function onlyPrints(command: string): boolean {
  return COMMANDS.find(({ name }) => name === command)?.onlyPrints ?? false;
}

/** The options of the program that take a word: what follows one is no command. */
const OPTIONS_WITH_VALUE = ["--store", "--config", "--color"];

/** The command that a command line names, whatever else is wrong with it. */
export function findCommand(argv: readonly string[]): string | undefined {
  const word = argv.find((text, i) => !text.startsWith("-") && !OPTIONS_WITH_VALUE.includes(argv[i - 1] ?? ""));
  return COMMANDS.find(({ name, alias }) => name === word || (alias !== undefined && alias === word))?.name;
}

/** The exit statuses, in the words of STYLE: one table for --help and the man pages. */
export const EXIT_STATUSES: readonly (readonly [code: number, meaning: string])[] = [
  [0, "ok"],
  [1, "a check failed"],
  [2, "usage: the command line or the configuration cannot be what you meant"],
  [3, "an operation failed"],
  [4, "try again: temporary DNS or lock trouble, nothing failed for good"],
  [70, "a bug in dkimctl"],
];

/**
 * The commander root. A command line that names a command gets no other; else those that occur in `argv` are loaded, and
 * the others are lines of the overview. Without `argv`, all are loaded (the man page test and completion want that).
 */
export async function buildProgram(cli: CliContext, argv?: readonly string[]): Promise<Command> {
  const program = new Command("dkimctl")
    .description("DKIM key management: make keys, print their DNS records, prove them against live DNS")
    .version(packageVersion(), "-V, --version", "print the version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.stdout.write(text),
      writeErr: (text) => cli.stderr.write(text),
      outputError() {}, // main prints errors, in one form for all
      // Without these, commander loads the streams of the process to ask them.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => helpWidth(cli.stdout.columns),
      getErrHelpWidth: () => helpWidth(cli.stderr.columns),
    })
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .addOption(
      new Option(
        "--store <place>",
        "folder of the keys, or the URL of a server (default: DKIMCTL_STORE, the configuration, /var/lib/dkim)",
      ).argParser(filePath("--store")),
    )
    .addOption(
      new Option("--config <file>", "configuration (default: DKIMCTL_CONFIG, /etc/dkimctl.toml)").argParser(
        filePath("--config"),
      ),
    )
    .addOption(new Option("--color <when>", "use colour").choices(["auto", "always", "never"]).default("auto"))
    .addOption(new Option("-q, --quiet", "no notices and no progress, only warnings and errors"))
    .addOption(new Option("-v, --verbose", "more detail on stderr"))
    .addHelpText("after", overviewNotes);
  program.hook("preAction", (_, command) => {
    const { quiet, verbose } = command.optsWithGlobals<{ quiet?: boolean; verbose?: boolean }>();
    if (quiet && verbose) {
      throw new UsageError("--quiet and --verbose contradict each other", { hint: "leave one of them out" });
    }
  });
  const loadsAll = argv === undefined || argv.includes(COMPLETE_COMMAND);
  const named = loadsAll ? undefined : findCommand(argv);
  for (const { name, alias, summary, load } of COMMANDS) {
    if (named !== undefined && name !== named) continue;
    if (loadsAll || argv.includes(name) || (alias !== undefined && argv.includes(alias)))
      (await load()).register(program, cli);
    else program.command(name).description(summary);
  }
  if (named === undefined) registerHelp(program);
  return program;
}

/** Commander's own help command answers an unknown name with the overview, as if it had been understood. */
function registerHelp(program: Command): void {
  program
    .command("help")
    .description("explain a command")
    .argument("[command]", "the command; without one, the overview")
    .action((name: string | undefined) => {
      const commands = program.commands.map((command) => ({ command, names: [command.name(), ...command.aliases()] }));
      const found = name === undefined ? program : commands.find(({ names }) => names.includes(name))?.command;
      if (found !== undefined) return found.outputHelp();
      const likely = nearestName(name ?? "", COMMAND_NAMES);
      const hint = likely === undefined ? 'see "dkimctl --help"' : `did you mean ${likely}?`;
      throw new UsageError(`unknown command ${quoteName(name ?? "")}`, { hint });
    });
}

function helpWidth(columns = 80): number {
  return Math.max(40, Math.min(columns, 120));
}

function overviewNotes(): string {
  const statuses = EXIT_STATUSES.map(([code, meaning]) => `  ${String(code).padEnd(4)}${meaning}`).join("\n");
  return `
Exit status:
${statuses}

Examples:
  dkimctl keygen -d example.com -t both   make two keys and print their records
  dkimctl showkeys > dkim.zone            the records of all keys, as zone text
  dkimctl testkeys                        prove every key against live DNS
  dkimctl verify-key example.com mail     what is wrong with this published key?

See dkimctl(1).`;
}
