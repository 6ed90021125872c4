import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import type { Resolver } from "../dns/resolver.ts";
import { parseServerAddress, type ServerAddress } from "../dns/server-address.ts";
import { parseResolvConf } from "../dns/system-resolver.ts";
import { readTextFile } from "./input-files.ts";
import { collect, wholeNumber } from "./options.ts";
import type { Settings } from "./settings.ts";

export interface DnsOptions {
  readonly server?: readonly ServerAddress[];
  readonly timeout?: number;
  readonly retries?: number;
}

const RESOLV_CONF = "/etc/resolv.conf";

/** Adds `--server`, `--timeout`, `--retries`. */
export function addDnsOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--server <server>",
        "ask this name server: IP or IP#PORT; may be repeated (default: the system's)",
      ).argParser(collect(parseServerAddress)),
    )
    .addOption(
      new Option("--timeout <seconds>", "wait this long for each answer (default: 3)").argParser(
        wholeNumber("seconds", { min: 1, max: 60 }),
      ),
    )
    .addOption(
      new Option("--retries <count>", "ask again this often (default: 1)").argParser(
        wholeNumber("tries", { min: 0, max: 10 }),
      ),
    );
}

/** The resolver of this run: options over configuration over the system's. The caller closes it. */
export function openResolver(cli: CliContext, options: DnsOptions, { dns }: Settings): Promise<Resolver> {
  const configured = options.server ?? dns.servers?.map(parseServerAddress);
  const system = configured === undefined ? parseResolvConf(readResolvConf(cli)) : undefined;
  const timeoutSeconds = options.timeout ?? dns.timeout;
  const timeoutMs = timeoutSeconds === undefined ? system?.timeoutMs : timeoutSeconds * 1000;
  const retries = options.retries ?? dns.retries ?? system?.retries;
  return cli.createResolver({
    servers: configured ?? system?.servers ?? [],
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(retries !== undefined && { retries }),
    ...(system !== undefined && { rotate: system.rotate, trustAd: system.trustAd }),
  });
}

/** Without the file the C library asks this host, and so do we. */
function readResolvConf(cli: CliContext): string {
  try {
    return readTextFile(RESOLV_CONF, cli);
  } catch {
    return "";
  }
}
