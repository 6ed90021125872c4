import { readdirSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { DkimctlError, OperationError, UsageError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import { systemErrorReason } from "../keys/key-store-errors.ts";
import { readAmavis } from "../signers/amavis-import.ts";
import { readExim } from "../signers/exim-import.ts";
import { type FilePattern, parseFilePattern } from "../signers/file-pattern.ts";
import { readOpendkim } from "../signers/opendkim-import.ts";
import { readRspamd } from "../signers/rspamd-import.ts";
import { readRspamdJson } from "../signers/rspamd-json.ts";
import {
  type ConfigurationReader,
  joinReadings,
  ReadingBuilder,
  type SignerReading,
} from "../signers/signer-reading.ts";

/** The signers whose configuration can be read, each with the file that Debian's package reads, and as which user. */
export const READABLE_SIGNERS = {
  amavis: { configuration: "/etc/amavis/conf.d", user: "amavis" },
  rspamd: { configuration: "/etc/rspamd/local.d/dkim_signing.conf", user: "_rspamd" },
  opendkim: { configuration: "/etc/opendkim.conf", user: "opendkim" },
  // It reads tables and keys before it becomes its own user.
  "dkimpy-milter": { configuration: "/etc/dkimpy-milter/dkimpy-milter.conf", user: "root" },
  exim: { configuration: "/etc/exim4/exim4.conf.localmacros", user: "Debian-exim" },
} as const;

export type ReadableSigner = keyof typeof READABLE_SIGNERS;

/**
 * Everything that the configurations say, read as a whole before anything is done with it.
 * @param domain that of a Vault document which does not name its own
 * @throws {SignerSyntaxError | OperationError} one of them cannot be read or understood
 */
export function readConfigurations(
  signer: ReadableSigner,
  paths: readonly string[],
  readText: ConfigurationReader,
  domain?: string,
): SignerReading {
  return joinReadings(
    paths.flatMap(configurationFiles).map((path) => readConfiguration(signer, path, readText, domain)),
  );
}

/** One configuration with the files that it refers to. @throws {SignerSyntaxError | OperationError} */
export function readConfiguration(
  signer: ReadableSigner,
  path: string,
  readText: ConfigurationReader,
  domain?: string,
): SignerReading {
  const read = (referred: string) => {
    if (isAbsolute(referred)) return readText(referred);
    throw new OperationError(`${path} names ${quoteName(referred)}, relative to a folder that only ${signer} knows`);
  };
  const text = readText(path);
  switch (signer) {
    case "amavis":
      return readAmavis(text, path);
    case "opendkim":
    case "dkimpy-milter":
      return readOpendkim(text, path, read);
    case "exim":
      return readExim(text, path, read);
    case "rspamd":
      return /^\s*\{\s*["}]/.test(text) && isJson(text)
        ? readRspamdJson(text, path, domain)
        : readRspamd(text, path, read);
  }
}

/** A folder stands for its files in order, under the names that Debian reads from a conf.d. */
function configurationFiles(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  return listFolder(path)
    .filter(({ name, isFolder }) => !isFolder && /^[A-Za-z0-9_-]+(?:\.conf)?$/.test(name))
    .map(({ name }) => join(path, name));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Loose key files: named by domain and selector, or found in folders by a pattern. */
export function readLooseFiles(
  paths: readonly string[],
  {
    domain,
    selector,
    pattern,
  }: { domain?: string | undefined; selector?: string | undefined; pattern?: string | undefined },
): SignerReading {
  const reading = new ReadingBuilder();
  if (pattern !== undefined) {
    const layout = parseFilePattern(pattern);
    for (const path of paths) findFiles(reading, resolve(path), "", layout);
    return reading;
  }
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0 || domain === undefined || selector === undefined) {
    throw new UsageError("whose keys are these files?", {
      hint: "one file: --domain DOMAIN --selector SELECTOR; a folder: --pattern '{domain}/{selector}.private'",
    });
  }
  reading.add(path, domain, selector, { kind: "file", path: resolve(path) });
  return reading;
}

/** Files that are not of the layout are no key files: only names that match and cannot be one are told of. */
function findFiles(reading: ReadingBuilder, root: string, below: string, layout: FilePattern): void {
  for (const { name, isFolder } of listFolder(join(root, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    const found = layout.match(path);
    if (isFolder) {
      if (path.split("/").length < layout.depth) findFiles(reading, root, path, layout);
    } else if (found !== undefined) {
      reading.add(join(root, path), found.domain, found.selector, { kind: "file", path: join(root, path) });
    }
  }
}

function listFolder(path: string): { name: string; isFolder: boolean }[] {
  try {
    return readdirSync(path)
      .sort()
      .map((name) => ({
        name,
        isFolder: statSync(join(path, name), { throwIfNoEntry: false })?.isDirectory() === true,
      }));
  } catch (error) {
    if (error instanceof DkimctlError) throw error;
    throw new OperationError(`cannot read the folder ${quoteName(path)}: ${systemErrorReason(error)}`, {
      cause: error,
    });
  }
}
