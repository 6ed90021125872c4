import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { geteuid } from "node:process";
import { formatFileMode } from "../../keys/file-access.ts";
import { shellQuote } from "../../keys/file-permissions.ts";
import { systemErrorCode, systemErrorReason } from "../../keys/key-store-errors.ts";
import { PublishError } from "./publisher.ts";

/** The files of lexicon's `--config-dir` that it reads. */
const READ_BY_LEXICON = /^lexicon(_\w+)?\.yml$/;
const ROOT = 0;
const SHORTEST_SECRET = 4;

/**
 * What stands in the configuration of lexicon, and in `LEXICON_*` of the environment: values that must not be repeated.
 * @throws {PublishError} the folder cannot be read, or others can read or change what it holds
 */
export function readLexiconSecrets(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const secrets = Object.entries(env).flatMap(([name, value]) => (name.startsWith("LEXICON_") && value ? [value] : []));
  try {
    requireOwn(folder, statSync(folder), 0o022);
    for (const name of readdirSync(folder).filter((file) => READ_BY_LEXICON.test(file))) {
      const path = join(folder, name);
      requireOwn(path, statSync(path), 0o077);
      secrets.push(...yamlValues(readFileSync(path, "utf8")));
    }
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new PublishError(`the folder ${folder} of lexicon cannot be read: ${systemErrorReason(error)}`, {
      cause: error,
      hint: "make it, with the credentials in lexicon_PROVIDER.yml; see [publish] config-dir in dkimctl.toml(5)",
    });
  }
  // The longest first: one may be a part of another.
  return secrets.filter(isSecret).sort((a, b) => b.length - a.length);
}

/** Where a server is must be told when it does not answer. */
function isSecret(value: string): boolean {
  return value.length >= SHORTEST_SECRET && !/^https?:\/\/[^@?]*$/i.test(value);
}

/** @param forbidden permission bits of group and others */
function requireOwn(path: string, { mode, uid }: Stats, forbidden: number): void {
  if ((mode & forbidden) !== 0) {
    const fault = forbidden === 0o022 ? "changed" : "read";
    const shown = formatFileMode(mode & 0o7777);
    const letters = forbidden === 0o022 ? "go-w" : "0600";
    throw new PublishError(`${path} can be ${fault} by others (mode ${shown}), and it is for credentials`, {
      hint: `run: chmod ${letters} ${shellQuote(path)}; and change the credentials if others may have seen them`,
    });
  }
  if (uid !== ROOT && uid !== geteuid?.()) {
    throw new PublishError(`${path} belongs to another user, who can change it`, {
      hint: `run: chown root ${shellQuote(path)}; or run dkimctl as its owner`,
    });
  }
}

/** Each `key: value` of a block of YAML, its value as it stands there, without quotes. */
function yamlValues(text: string): string[] {
  return [...text.matchAll(/:[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^"'\n#][^\n]*?))[ \t]*(?:#[^\n]*)?$/gm)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? "",
  );
}

/** What a program said, without the secrets and without the query of URLs, where some providers have them. */
export function redact(text: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((output, secret) => output.replaceAll(secret, "***"), text);
  return hidden.replace(/(https?:\/\/)(?:[^\s/@]*@)?([^\s?]*)\?\S*/gi, "$1$2?***");
}
