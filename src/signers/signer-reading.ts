import { DkimctlError, OperationError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import { type KeyName, parseKeyName } from "../keys/key-name.ts";
import type { RecordTags } from "../keys/key-store.ts";

/** A key that a signer's configuration names. */
export interface SignerEntry {
  readonly name: KeyName;
  readonly source: KeySource;
  readonly tags: RecordTags;
  /** `FILE:LINE` of the configuration. */
  readonly where: string;
}

/** Where the key is: in a file of its own, or in the configuration itself. */
export type KeySource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "text"; readonly bytes: Uint8Array };

/** What may name a key and cannot be told without running the signer. */
export interface NotUnderstood {
  /** `FILE:LINE`. */
  readonly where: string;
  /** One sentence. */
  readonly reason: string;
}

/** Which of the keys that are there signs the mail of a sender, where the configuration says so apart. */
export interface SenderChoice {
  /** As the configuration has it: a domain, an address, or `.` for all. */
  readonly sender: string;
  /** `undefined`: the sender's own. */
  readonly domain: string | undefined;
  /** `undefined`: the first key of the domain. */
  readonly selector: string | undefined;
  /** `FILE:LINE`. */
  readonly where: string;
}

/** What a configuration says of keys. */
export interface SignerReading {
  readonly entries: readonly SignerEntry[];
  readonly choices: readonly SenderChoice[];
  readonly notUnderstood: readonly NotUnderstood[];
}

/** What several configurations say, one after the other. */
export function joinReadings(readings: readonly SignerReading[]): SignerReading {
  return {
    entries: readings.flatMap(({ entries }) => entries),
    choices: readings.flatMap(({ choices }) => choices),
    notUnderstood: readings.flatMap(({ notUnderstood }) => notUnderstood),
  };
}

/** The text of a file that a configuration refers to. @throws {OperationError} it cannot be read */
export type ConfigurationReader = (path: string) => string;

/** A configuration that its own signer would not load either, or of a syntax that we do not know. */
export class SignerSyntaxError extends OperationError {
  override readonly code = "DKIM_SIGNER_SYNTAX";
}

/** That a line of a configuration cannot be read. */
export function signerSyntaxError(file: string, line: number, reason: string): SignerSyntaxError {
  return new SignerSyntaxError(`${shown(file)}:${line}: ${reason}`, {
    hint: "nothing was imported or checked; mend that line first",
  });
}

/** The configuration's file, as a message may show it. */
export function shown(file: string): string {
  const quoted = quoteName(file);
  return quoted === `"${file}"` ? file : quoted;
}

/** Collects what one configuration says. */
export class ReadingBuilder implements SignerReading {
  readonly entries: SignerEntry[] = [];
  readonly choices: SenderChoice[] = [];
  readonly notUnderstood: NotUnderstood[] = [];

  /** Adds a key, or tells why its name is none. */
  add(where: string, domain: string, selector: string, source: KeySource, tags: RecordTags = {}): void {
    try {
      this.entries.push({ name: parseKeyName(domain, selector), source, tags, where });
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      this.skip(where, error.message);
    }
  }

  /** Adds a key whose file or text stands in one field, as tables have it: a path starts with "/", "./" or "../". */
  addField(where: string, domain: string, selector: string, field: string): void {
    if (field.startsWith("/")) this.add(where, domain, selector, { kind: "file", path: field });
    else if (field.startsWith("./") || field.startsWith("../")) {
      this.skip(where, `the path ${quoteName(field)} is relative to a folder that only the signer knows`);
    } else this.add(where, domain, selector, { kind: "text", bytes: new TextEncoder().encode(field) });
  }

  skip(where: string, reason: string): void {
    this.notUnderstood.push({ where, reason });
  }
}
