import { OperationError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { parseSelector } from "../keys/selector.ts";
import {
  EFFECTS,
  type Intent,
  isLive,
  type Journal,
  KEY_STATES,
  type KeyState,
  type RotationAlgorithm,
  type RotationKey,
} from "./rotation-key.ts";

/**
 * The journal as JSON that people can read. Times are UTC, as `2026-11-21T12:00:00.000Z`. Read strictly: who edits it by
 * hand and errs is told, and nothing is guessed.
 */
const SCHEMA = "dkimctl/rotation-journal/1";

/** The journal cannot be read; nothing about this domain is done. */
export class JournalError extends OperationError {
  override readonly code = "DKIM_JOURNAL";
}

/** The journal as text that `parseJournal` reads, with a line end. */
export function formatJournal({ domain, rotationAskedAt, keys }: Journal): string {
  const document = {
    schema: SCHEMA,
    domain,
    rotationAskedAt: formatTime(rotationAskedAt),
    keys: keys.map((key) => ({
      selector: key.selector,
      algorithm: key.algorithm,
      bits: key.bits,
      state: key.state,
      entered: Object.fromEntries(
        KEY_STATES.flatMap((state) => {
          const { [state]: time } = key.entered;
          return time === undefined ? [] : [[state, formatTime(time)]];
        }),
      ),
      record: key.record,
      provenSince: formatTime(key.provenSince),
      servedAt: key.servedAt,
      absentSince: formatTime(key.absentSince),
      staleSeconds: key.staleSeconds,
      ttlSeconds: key.ttlSeconds,
      compromisedAt: formatTime(key.compromisedAt),
      intent: key.intent && {
        effect: key.intent.effect,
        since: formatTime(key.intent.since),
        last: formatTime(key.intent.last),
      },
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** @param where what to call it in messages @throws {JournalError} */
export function parseJournal(text: string, where: string): Journal & { readonly domain: DomainName } {
  try {
    const document = new Fields(JSON.parse(text), "the journal");
    if (document.text("schema") !== SCHEMA) throw new Error(`its schema is not ${SCHEMA}`);
    const keys = document.list("keys").map((item, index) => parseKey(new Fields(item, `key ${index + 1}`)));
    const live = keys.filter(isLive).map(({ selector }) => selector);
    if (new Set(live).size < live.length) throw new Error("a selector is used by two keys");
    return {
      domain: parseDomainName(document.text("domain")),
      keys,
      rotationAskedAt: document.optionalTime("rotationAskedAt"),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new JournalError(`${where} is damaged: ${reason}`, {
      hint: "restore it from a backup, or move it away and run: dkimctl rotate --adopt",
      cause: error,
    });
  }
}

/** The journal that is kept for this domain. @throws {JournalError} as `parseJournal`; or it is that of another one */
export function parseJournalOf(domain: DomainName, text: string, where: string): Journal {
  const journal = parseJournal(text, where);
  if (journal.domain !== domain) throw new JournalError(`${where} is the journal of ${journal.domain}`);
  return journal;
}

function parseKey(fields: Fields): RotationKey {
  const state: KeyState = fields.word("state", KEY_STATES);
  const times = fields.fields("entered");
  const entered: Partial<Record<KeyState, number>> = {};
  for (const known of KEY_STATES) {
    const time = times.optionalTime(known);
    if (time !== undefined) entered[known] = time;
  }
  if (entered[state] === undefined) throw new Error(`it is not told since when a key is ${state}`);
  const record = fields.optionalText("record");
  if (record === undefined && state !== "new" && isLive({ state })) throw new Error(`a ${state} key has no record`);
  return {
    selector: parseSelector(fields.text("selector")),
    algorithm: fields.word<RotationAlgorithm>("algorithm", ["rsa", "ed25519"]),
    bits: fields.optionalCount("bits"),
    state,
    entered,
    record,
    provenSince: fields.optionalTime("provenSince"),
    servedAt: fields.optionalText("servedAt"),
    absentSince: fields.optionalTime("absentSince"),
    staleSeconds: fields.optionalCount("staleSeconds") ?? 0,
    ttlSeconds: fields.optionalCount("ttlSeconds") ?? 0,
    compromisedAt: fields.optionalTime("compromisedAt"),
    intent: fields.has("intent") ? parseIntent(fields.fields("intent")) : undefined,
  };
}

function parseIntent(fields: Fields): Intent {
  const since = fields.optionalTime("since");
  const last = fields.optionalTime("last");
  if (since === undefined) throw new Error("it is not told when an effect was begun");
  return { effect: fields.word("effect", EFFECTS), since, last };
}

function formatTime(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

/** An object of the document, read field by field. */
class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${what} is no object`);
    this.#values = value as Readonly<Record<string, unknown>>;
    this.#what = what;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  text(name: string): string {
    const text = this.optionalText(name);
    if (text === undefined) throw new Error(`${this.#what} has no ${name}`);
    return text;
  }

  optionalText(name: string): string | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === "string") return value;
    throw new Error(`${name} of ${this.#what} is no text`);
  }

  optionalCount(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined || (typeof value === "number" && Number.isInteger(value) && value >= 0)) return value;
    throw new Error(`${name} of ${this.#what} is no whole number`);
  }

  optionalTime(name: string): number | undefined {
    const text = this.optionalText(name);
    if (text === undefined) return undefined;
    const time = Date.parse(text);
    if (Number.isNaN(time)) throw new Error(`${name} of ${this.#what} is no time`);
    return time;
  }

  word<Word extends string>(name: string, known: readonly Word[]): Word {
    const text = this.text(name);
    const word = known.find((candidate) => candidate === text);
    if (word === undefined) throw new Error(`${name} of ${this.#what} is none of ${known.join(", ")}`);
    return word;
  }

  list(name: string): readonly unknown[] {
    const value = this.#value(name);
    if (!Array.isArray(value)) throw new Error(`${name} of ${this.#what} is no list`);
    return value;
  }

  fields(name: string): Fields {
    return new Fields(this.#value(name), `${name} of ${this.#what}`);
  }

  #value(name: string): unknown {
    return this.has(name) ? this.#values[name] : undefined;
  }
}
