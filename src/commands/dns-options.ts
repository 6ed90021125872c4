import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import type { ResolverOptions, ServerPool } from "../dns/dns2-resolver.ts";
import type { Resolver } from "../dns/resolver.ts";
import { parseServerAddress, type ServerAddress } from "../dns/server-address.ts";
import { parseResolvConf } from "../dns/system-resolver.ts";
import { UsageError } from "../errors.ts";
import { readTextFile } from "./input-files.ts";
import { collect, wholeNumber } from "./options.ts";
import type { Settings } from "./settings.ts";

export interface DnsOptions {
  readonly server?: readonly ServerAddress[];
  readonly ca?: string;
  readonly trustAd?: boolean;
  readonly timeout?: number;
  readonly retries?: number;
  readonly rate?: number;
}

const RESOLV_CONF = "/etc/resolv.conf";

/** Adds `--server`, `--ca`, `--trust-ad`, `--timeout`, `--retries`, `--rate`. */
export function addDnsOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--server <server>",
        "ask this name server: IP, IP#PORT, tcp:IP, tls:NAME or https://...; may be repeated (default: the system's)",
      ).argParser(collect(parseServerAddress)),
    )
    .option("--ca <file>", "trust these certificates (PEM) for tls: and https: instead of the system's")
    .option(
      "--trust-ad",
      "believe what a server says about DNSSEC over any channel, not only loopback, tls: and https:",
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
    )
    .addOption(
      new Option("--rate <queries>", "ask each server at most so often a second (default: as it keeps up)").argParser(
        wholeNumber("queries a second", { min: 1, max: 100_000 }),
      ),
    );
}

/** The resolver of this run: options over configuration over the system's. The caller closes it. */
export function openResolver(cli: CliContext, options: DnsOptions, settings: Settings): Promise<Resolver> {
  return cli.createResolver(resolverOptions(cli, options, settings));
}

/** What asks single servers, the authoritative ones, with the same patience. The caller closes it. */
export function openServerPool(cli: CliContext, options: DnsOptions, settings: Settings): Promise<ServerPool> {
  const { servers: _, rotate: __, ...rest } = resolverOptions(cli, options, settings);
  return cli.createServerPool(rest);
}

function resolverOptions(cli: CliContext, options: DnsOptions, { dns }: Settings): ResolverOptions {
  const configured = options.server ?? dns.servers?.map(parseServerAddress);
  const system = configured === undefined ? parseResolvConf(readResolvConf(cli)) : undefined;
  const timeoutSeconds = options.timeout ?? dns.timeout;
  const timeoutMs = timeoutSeconds === undefined ? system?.timeoutMs : timeoutSeconds * 1000;
  const retries = options.retries ?? dns.retries ?? system?.retries;
  return {
    servers: configured ?? system?.servers ?? [],
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(retries !== undefined && { retries }),
    rotate: system?.rotate ?? false,
    trustAd: options.trustAd ?? system?.trustAd ?? false,
    ca: options.ca === undefined ? undefined : readCertificates(options.ca, cli),
    queriesPerSecond: options.rate,
  };
}

/** Without the file the C library asks this host, and so do we. */
function readResolvConf(cli: CliContext): string {
  try {
    return readTextFile(RESOLV_CONF, cli);
  } catch {
    return "";
  }
}

/** Node takes a file without certificates for an empty list and then trusts nobody, without saying why. */
function readCertificates(path: string, cli: CliContext): string {
  const text = readTextFile(path, cli);
  if (!text.includes("-----BEGIN CERTIFICATE-----")) {
    throw new UsageError(`${JSON.stringify(path)} holds no certificate`, { hint: "--ca wants certificates as PEM" });
  }
  return text;
}
