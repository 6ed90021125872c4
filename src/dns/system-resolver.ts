import { UsageError } from "../errors.ts";
import { parseServerAddress, type ServerAddress } from "./server-address.ts";

/**
 * What /etc/resolv.conf says, in the words of `ResolverOptions`, as far as it concerns names that are whole: `search`, `domain` and `ndots` are not applied,
 * for a key record's name must never be looked up in another domain.
 * @see resolv.conf(5)
 */
export interface SystemResolver {
  readonly servers: readonly ServerAddress[];
  /** One attempt at one server. */
  readonly timeoutMs: number;
  /** How often the list of servers is gone through again. */
  readonly retries: number;
  readonly rotate: boolean;
  readonly trustAd: boolean;
}

/** @param text the contents of resolv.conf; empty when there is none. What the C library ignores is ignored. */
export function parseResolvConf(text: string): SystemResolver {
  const addresses: string[] = [];
  let options: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) continue;
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === "nameserver" && values[0] !== undefined) addresses.push(values[0]);
    if (keyword === "options") options = [...options, ...values];
  }
  const number = (name: string, fallback: number, most: number) => {
    const value = Number(
      /^[0-9]+$/.exec(options.findLast((o) => o.startsWith(`${name}:`))?.slice(name.length + 1) ?? "") ?? NaN,
    );
    return Number.isNaN(value) ? fallback : Math.min(Math.max(value, 1), most);
  };
  // TCP for every query.
  const tcpOnly = options.includes("use-vc");
  // Without a usable line the C library asks this host.
  const listed = addresses.flatMap((address) => systemServer(address, tcpOnly));
  return {
    servers: listed.length > 0 ? listed : systemServer("127.0.0.1", tcpOnly),
    timeoutMs: number("timeout", 5, 30) * 1000,
    retries: number("attempts", 2, 5) - 1,
    rotate: options.includes("rotate"),
    trustAd: options.includes("trust-ad"),
  };
}

function systemServer(address: string, tcpOnly: boolean): ServerAddress[] {
  // A port or a scheme is the command line's language, not resolv.conf's.
  if (!/^[0-9a-fA-F.:]+(%\S+)?$/.test(address)) return [];
  try {
    const server = parseServerAddress(address.includes(":") ? `[${address}]` : address);
    return [tcpOnly && server.transport === "udp" ? { ...server, transport: "tcp" } : server];
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}
