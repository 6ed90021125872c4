import { isIP } from "node:net";
import { UsageError } from "../errors.ts";
import { parseDomainName, quoteName } from "../keys/domain-name.ts";
import type { ServerLabel } from "./resolver.ts";

/**
 * A DNS server as the user names it: `ip`, `ip#port`, `[v6]:port`, `udp:…`, `tcp:…`, `tls:name[#port][@ip]`, `https://…`.
 * UDP falls back to TCP by itself; `tcp:` never uses UDP.
 */
export type ServerAddress =
  | { readonly transport: "udp" | "tcp"; readonly host: string; readonly port: number }
  /** `serverName` is what the certificate must be good for: a name, or the address itself. */
  | { readonly transport: "tls"; readonly host: string; readonly port: number; readonly serverName: string }
  | { readonly transport: "https"; readonly url: string; readonly host: string };

const EXAMPLES =
  "such as 192.0.2.1, 192.0.2.1#5353, [2001:db8::53]:53, tcp:192.0.2.1, tls:dns.example or https://dns.example/dns-query";

/** @throws {UsageError} */
export function parseServerAddress(text: string): ServerAddress {
  if (/^https?:/i.test(text)) return parseUrl(text);
  const [, scheme = "udp", rest = ""] = /^(?:(udp|tcp|tls):)?(.*)$/is.exec(text) ?? [];
  const transport = scheme.toLowerCase();
  if (transport === "tls") return parseTls(text, rest);
  const { host, port } = splitPort(text, rest, 53);
  if (!isAddress(host)) {
    throw fault(text, host === "" ? "it holds no address" : `${quoteName(host)} is not an IP address`);
  }
  return { transport: transport === "tcp" ? "tcp" : "udp", host, port };
}

/** The inverse of `parseServerAddress`, in its shortest form. */
export function formatServerAddress(server: ServerAddress): string {
  if (server.transport === "https") return server.url;
  const port = server.port === (server.transport === "tls" ? 853 : 53) ? "" : `#${server.port}`;
  if (server.transport === "tls") {
    return `tls:${server.serverName}${port}${server.host === server.serverName ? "" : `@${server.host}`}`;
  }
  return server.transport === "tcp" ? `tcp:${server.host}${port}` : `${server.host}${port}`;
}

/** @param transport the one that was used, when UDP gave way to TCP */
export function serverLabel(
  server: ServerAddress,
  transport: ServerLabel["transport"] = server.transport,
): ServerLabel {
  return { address: server.transport === "https" ? server.url : `${server.host}#${server.port}`, transport };
}

/** RFC 6840 §5.8: whether an AD bit from this server arrives over a channel that nobody else can write to. */
export function isTrustedChannel(server: ServerAddress): boolean {
  if (server.transport === "tls" || server.transport === "https") return true;
  return /^127\./.test(server.host) || server.host === "::1";
}

function parseTls(text: string, rest: string): ServerAddress {
  const [name = "", address, ...more] = rest.split("@");
  if (more.length > 0) throw fault(text, `it holds more than one "@"`);
  const { host: serverName, port } = splitPort(text, name, 853);
  if (address !== undefined && !isAddress(address)) throw fault(text, `${quoteName(address)} is not an IP address`);
  const checkedName = isAddress(serverName) ? serverName : parseHost(text, serverName);
  return { transport: "tls", host: address ?? checkedName, port, serverName: checkedName };
}

function parseUrl(text: string): ServerAddress {
  // RFC 8484 §4.1: the URI template's variable serves GET; POST goes to the same path without it.
  const plain = text.replace(/\{\?dns\}$/i, "");
  if (!URL.canParse(plain)) throw fault(text, "it is not a URL");
  const url = new URL(plain);
  if (url.protocol !== "https:") throw fault(text, "DNS over HTTPS needs https");
  if (url.username !== "" || url.password !== "") throw fault(text, "it holds a user name or password");
  if (url.hash !== "") throw fault(text, `it holds a "#"`);
  return { transport: "https", url: url.href, host: url.hostname };
}

/** `host`, `host#port`, `[v6]`, `[v6]:port`, `v4:port`; a bare IPv6 address takes its port after `#` only. */
function splitPort(text: string, rest: string, defaultPort: number): { host: string; port: number } {
  const match =
    /^\[(?<host>[^\]]*)\](?:[:#](?<port>.*))?$/s.exec(rest) ??
    /^(?<host>[^#]*)#(?<port>.*)$/s.exec(rest) ??
    /^(?<host>[^:]*):(?<port>[^:]*)$/s.exec(rest);
  const { host = rest, port } = match?.groups ?? {};
  if (port === undefined) return { host, port: defaultPort };
  const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65535) throw fault(text, `${quoteName(port)} is not a port (1..65535)`);
  return { host, port: number };
}

/** An IPv6 address may carry a scope: `fe80::1%eth0`. */
function isAddress(host: string): boolean {
  return isIP(host) !== 0 && /^[0-9a-fA-F:.]+(%[0-9A-Za-z_.-]+)?$/.test(host);
}

function parseHost(text: string, host: string): string {
  try {
    return parseDomainName(host);
  } catch (cause) {
    throw fault(text, `${quoteName(host)} is neither an IP address nor a host name`, cause);
  }
}

function fault(text: string, reason: string, cause?: unknown): UsageError {
  return new UsageError(`${quoteName(text)} is not a DNS server: ${reason}`, { hint: `give one ${EXAMPLES}`, cause });
}
