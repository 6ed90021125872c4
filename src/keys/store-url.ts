import { UsageError } from "../errors.ts";
import { quoteName } from "./domain-name.ts";

/** A store's address cannot be what was meant. The message never repeats a password. */
export class StoreAddressError extends UsageError {
  override readonly code = "DKIM_STORE_ADDRESS";
}

/** The parts of `scheme://user@host:port,host:port/path?name=value`; more than one host is for servers that stand together. */
export interface StoreUrl {
  readonly scheme: string;
  /** As written before the parameters: what messages call the store. */
  readonly text: string;
  readonly user: string | undefined;
  readonly hosts: readonly StoreHost[];
  /** Decoded, from after the first slash; empty when there is none. */
  readonly path: string;
  readonly parameters: ReadonlyMap<string, string>;
}

export interface StoreHost {
  readonly host: string;
  readonly port: number | undefined;
}

const URL_FORM = /^([a-z][a-z0-9+.-]*):\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;

/**
 * @param hints where a password belongs, by the scheme of the store
 * @throws {StoreAddressError} no URL, a password in it, a port that is none, a parameter that is given twice
 */
export function parseStoreUrl(text: string, passwordHint: (scheme: string) => string): StoreUrl {
  const [, rawScheme = "", user, authority = "", path = "", query] = URL_FORM.exec(text) ?? [];
  const scheme = rawScheme.toLowerCase();
  // Before any message that would repeat the text: a password may hold whatever ends the part of the user.
  if (/:.*:.*@/s.test(text.replace(/\?[a-z-]+=.*$/s, "")) || (scheme === "" && text.includes("@"))) {
    throw new StoreAddressError("a password does not belong into the address of a store: others can read it there", {
      hint: passwordHint(scheme),
    });
  }
  if (scheme === "" || /[\x00-\x20\x7f]/.test(text)) {
    throw new StoreAddressError(`${quoteName(text)} is no address of a store`, {
      hint: "write it as redis://HOST:6379/0, or as the path of a folder",
    });
  }
  return {
    scheme,
    text: text.replace(/\?.*$/s, ""),
    user: user === undefined || user === "" ? undefined : decode(user, text),
    hosts: authority === "" ? [] : authority.split(",").map((host) => parseHost(host, text)),
    path: decode(path, text),
    parameters: parseParameters(query ?? ""),
  };
}

/** Refuses parameters that the kind of store does not know. @throws {StoreAddressError} */
export function requireKnownParameters({ parameters, scheme }: StoreUrl, known: readonly string[]): void {
  for (const name of parameters.keys()) {
    if (known.includes(name)) continue;
    throw new StoreAddressError(`a ${scheme}: address has no parameter ${quoteName(name)}`, {
      hint: `known are ${known.join(", ")}`,
    });
  }
}

/** The absolute path of a file that a parameter names. @throws {StoreAddressError} */
export function fileParameter({ parameters }: StoreUrl, name: string): string | undefined {
  const path = parameters.get(name);
  if (path === undefined || path.startsWith("/")) return path;
  throw new StoreAddressError(`${name} of the store's address must be an absolute path, and is ${quoteName(path)}`);
}

function parseHost(text: string, url: string): StoreHost {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]+))?$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new StoreAddressError(
      `${quoteName(text)} in ${quoteName(url.replace(/\?.*$/s, ""))} is no HOST or HOST:PORT`,
      {
        hint: "an IPv6 address stands in brackets: [::1]:6379",
      },
    );
  }
  return { host, port };
}

function parseParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (parameters.has(name)) throw new StoreAddressError(`${quoteName(name)} stands twice in the store's address`);
    if (value === "") throw new StoreAddressError(`${quoteName(name)} in the store's address has no value`);
    parameters.set(name, value);
  }
  return parameters;
}

function decode(part: string, url: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new StoreAddressError(`${quoteName(url.replace(/\?.*$/s, ""))} has a % that encodes nothing`);
  }
}
