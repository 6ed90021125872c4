import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { UsageError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { parseDuration } from "../rotation/duration.ts";
import { UnderWay } from "../under-way.ts";
import { addDnsOptions } from "./dns-options.ts";
import { createNotices } from "./notices.ts";
import { addPassphraseOption, collect } from "./options.ts";
import { rotateAll } from "./rotate-run.ts";
import { openRotationRoom, type RotationRoomOptions } from "./rotation-room.ts";
import { addSettingOptions } from "./setting-options.ts";
import { prepareStore } from "./settings.ts";
import { addStatusOptions, type StatusOptions, status } from "./status.ts";

export interface RotateOptions extends RotationRoomOptions, StatusOptions {
  readonly dryRun?: boolean;
  readonly now?: boolean;
  readonly compromised?: readonly Selector[];
  readonly adopt?: boolean;
  readonly active?: readonly Selector[];
  readonly status?: boolean;
  /** Milliseconds; `true`: as long as the default. */
  readonly wait?: number | true;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("rotate")
    .description("bring every key one step further: make, prove, activate, revoke, remove; made for cron")
    .argument("[domain...]", "only these domains; one that is new gets its first key", collect(parseDomainName))
    .option("-n, --dry-run", "say what would be done, and do nothing")
    .option("--now", "replace the active keys now, whatever their age")
    .addOption(
      new Option("--compromised <selector>", "this key has leaked: replace and revoke it at once").argParser(
        collect(parseSelector),
      ),
    )
    .option("--adopt", "take over keys that other tools made, after proving them in the DNS")
    .addOption(
      new Option("--active <selector>", "this key signs: confirms a change of the signer, or tells --adopt").argParser(
        collect(parseSelector),
      ),
    )
    .option("--status", "tell the state of every key, as dkimctl status does")
    .addOption(
      new Option("--wait [time]", "go on as long as something moves within this time (default: 1h)").argParser(
        parseDuration,
      ),
    );
  addStatusOptions(command);
  addDnsOptions(command);
  addSettingOptions(addPassphraseOption(command), "rotation", "publish", "signer", "hooks")
    .addHelpText(
      "after",
      `
Exit status: 0 done, or nothing to do; 1 a person must act; 4 the DNS lags, or
another run is at work.

Examples:
  dkimctl rotate                                 for cron: one step everywhere
  dkimctl rotate example.com                     begin with a domain
  dkimctl rotate --dry-run                       what would be done, and when
  dkimctl rotate example.com --compromised mail  the key leaked`,
    )
    .action((domains: DomainName[] | undefined) =>
      rotate(domains ?? [], command.optsWithGlobals<RotateOptions>(), cli),
    );
}

async function rotate(domains: readonly DomainName[], options: RotateOptions, cli: CliContext): Promise<void> {
  requireSense(domains, options);
  if (options.status) return status(domains, options, cli);
  const notices = createNotices(cli, options);
  const room = await openRotationRoom(options, cli);
  try {
    if (!options.dryRun) await prepareStore(room.store, notices, { create: domains.length > 0 && !options.adopt });
    const turn = options.dryRun ? undefined : await room.journals.begin();
    const underWay = new UnderWay();
    cli.closers.push(() => underWay.ended());
    try {
      if (!options.dryRun) await room.recoverSigners();
      await rotateAll({ domains, options, cli, notices, room, turn, underWay });
    } finally {
      await underWay.ended();
      room.signerCautions.tell(notices);
      await turn?.release();
    }
  } finally {
    await room.close();
  }
}

/** What makes sense where keys are told of, and not where they are moved. */
const ONLY_OF_STATUS = ["state", "due", "sort", "timeline", "html"] as const;

function requireSense(domains: readonly DomainName[], options: RotateOptions): void {
  const { adopt, active, compromised, now, dryRun, wait } = options;
  const ofStatus = ONLY_OF_STATUS.find((name) => options[name] !== undefined);
  if (ofStatus !== undefined && !options.status) {
    throw new UsageError(`--${ofStatus} goes with --status only`, {
      hint: "tell the states: dkimctl status; move the keys: dkimctl rotate",
    });
  }
  const named = active !== undefined ? "--active" : compromised !== undefined ? "--compromised" : undefined;
  if (named !== undefined && domains.length !== 1) {
    throw new UsageError(`${named} names a key of one domain`, {
      hint: `add the domain: dkimctl rotate DOMAIN ${named} SELECTOR`,
    });
  }
  if (adopt && (now || compromised !== undefined)) throw new UsageError("--adopt only takes over; rotate afterwards");
  if (active !== undefined && (now || compromised !== undefined)) {
    throw new UsageError("--active tells what is; it does not go with --now or --compromised");
  }
  if (dryRun && (wait !== undefined || adopt || active !== undefined)) {
    throw new UsageError("--dry-run does not go with --wait, --adopt or --active");
  }
}
