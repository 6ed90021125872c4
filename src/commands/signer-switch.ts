import { setTimeout as delay } from "node:timers/promises";
import { requireProgram } from "../dns/publish/run-program.ts";
import type { Resolver } from "../dns/resolver.ts";
import { DkimctlError, OperationError, TryAgainError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { type FileReader, testReading } from "../keys/file-reader.ts";
import { compareKeyNames, keyRecordName } from "../keys/key-name.ts";
import type { KeyStore, NewKey } from "../keys/key-store.ts";
import { parsePrivateKey } from "../keys/private-key.ts";
import type { JournalStore } from "../rotation/journal-store.ts";
import type { SignerSwitch, SigningKey } from "../rotation/store-world.ts";
import { requireOneSignature } from "../signers/form-choice.ts";
import { checkSignerKeys } from "../signers/signer-check.ts";
import type { SignerFile, SignerKey } from "../signers/signer-form.ts";
import type { SignerReading } from "../signers/signer-reading.ts";
import { SignerCautions, type SignerCautionsOptions } from "./signer-cautions.ts";
import { SignerFiles } from "./signer-files.ts";
import { askPublished, chooseUser, readSignerKeyFile } from "./signer-key-file.ts";
import { SignerTestError, testLiveSigner } from "./signer-live-test.ts";
import { readConfiguration } from "./signer-sources.ts";
import { signersKeys } from "./signers-keys.ts";
import { signerKeyOf } from "./stored-keys.ts";

export interface SignerSwitchOptions extends SignerCautionsOptions {
  readonly store: KeyStore;
  readonly journals: JournalStore;
  /** Domains whose keys this configuration has; others are left as they stand in it. */
  readonly serves: (domain: DomainName) => boolean;
  readonly resolver: Resolver;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  now(): Date;
  readText(path: string): string;
}

/** Domains rotate side by side, and others are often about to ask too: as long as more come, a change waits so long. */
const GATHER_MS = 30;

/** After so many domains it is the signer's fault, and each more would only cost another reload and its time limit. */
const MOST_FAILURES = 3;

const CHOOSE_ALGORITHMS = "choose what its domain signs with: [rotation] algorithms";

/** One domain's wish to sign with these keys, waiting for its turn. */
interface Wish {
  readonly domain: DomainName;
  readonly keys: readonly SignerKey[];
  readonly retired: readonly SigningKey[];
  done(): void;
  failed(error: unknown): void;
}

/**
 * Writes the configuration of a signer, makes the signer read it, and finds out whether it signs. Domains that ask while
 * a change is under way are changed together by the next, so that many domains cost few reloads. When anything fails,
 * the files are put back and the signer is made to read them again; where a change was for several domains, each is then
 * tried alone, so that one domain's fault is no other's.
 */
export class ConfiguredSigner implements SignerSwitch {
  readonly #options: SignerSwitchOptions;
  readonly #files: SignerFiles;
  readonly #cautions: SignerCautions;
  /** What the configuration is to say, by domain; read when first needed. */
  #keys: Map<DomainName, readonly SignerKey[]> | undefined;
  #reader: Promise<FileReader | undefined> | undefined;
  #waiting: Wish[] = [];
  #isBusy = false;
  #areReadable = false;
  /** How many domains, tried alone, have failed since the last that did not. */
  #failedInARow = 0;
  /** The signer could not even be put back, or fails for whatever domain: nothing more is tried in this run. */
  #broken: DkimctlError | undefined;

  constructor(options: SignerSwitchOptions) {
    this.#options = options;
    this.#files = new SignerFiles(options.target);
    this.#cautions = new SignerCautions(options);
  }

  /** Puts back what a run that was killed had begun. To be called before anything is decided. @throws {DkimctlError} */
  async recover(): Promise<void> {
    if (!this.#files.putBack()) return;
    await this.#reload();
    this.#files.confirm();
  }

  encodingOf(algorithm: SigningKey["algorithm"]): NewKey["encoding"] {
    return algorithm === "ed25519" && this.#options.target.form.wantsSeeds ? "seed" : undefined;
  }

  async use(keys: readonly SigningKey[], retired: readonly SigningKey[]): Promise<void> {
    const domain = keys[0]?.domain;
    if (domain === undefined) return;
    const own = await Promise.all(keys.map((key) => this.#signerKey(key)));
    const result = new Promise<void>((done, failed) => {
      this.#waiting.push({ domain, keys: own, retired, done, failed });
    });
    void this.#work();
    return result;
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      for (let known = 0; known < this.#waiting.length; ) {
        known = this.#waiting.length;
        await delay(GATHER_MS);
      }
      const wishes = this.#waiting;
      this.#waiting = [];
      await this.#change(wishes);
    }
    this.#isBusy = false;
  }

  /** Settles each of the wishes; never rejects. */
  async #change(wishes: readonly Wish[]): Promise<void> {
    if (wishes.length === 0) return;
    try {
      this.#options.signal.throwIfAborted();
      if (this.#broken !== undefined) throw this.#broken;
      this.#keys ??= await this.#readKeys();
      const next = new Map(this.#keys);
      for (const { domain, keys: own } of wishes) next.set(domain, own);
      const { files, keys } = this.#format(wishes, next);
      const refused = await this.#check(wishes, files);
      if (refused.size > 0) {
        for (const [wish, error] of refused) wish.failed(error);
        await this.#change(wishes.filter((wish) => !refused.has(wish)));
        return;
      }
      this.#cautions.written(keys, await this.#apply(wishes, files));
      this.#keys = next;
      this.#failedInARow = 0;
      for (const { done } of wishes) done();
    } catch (error) {
      if (wishes.length === 1 || this.#broken !== undefined || !(error instanceof DkimctlError)) {
        for (const { failed } of wishes) failed(error);
      } else for (const wish of wishes) await this.#change([wish]);
    }
  }

  async #readKeys(): Promise<Map<DomainName, readonly SignerKey[]>> {
    const { keys, entries } = await signersKeys(this.#options, this.#files.isThere());
    this.#cautions.areNamed(entries);
    return keys;
  }

  /** The files with the wishes fulfilled, and the keys in them. @throws {DkimctlError} the signer cannot be told so */
  #format(
    wishes: readonly Wish[],
    next: ReadonlyMap<DomainName, readonly SignerKey[]>,
  ): { readonly files: readonly SignerFile[]; readonly keys: readonly SignerKey[] } {
    const { form, formOptions, signer } = this.#options.target;
    const known = [...next.values()].flat().sort((a, b) => compareKeyNames(a.name, b.name));
    const reasons = new Map(known.map((key) => [key, form.cannotUse?.(key, known)]));
    for (const key of wishes.flatMap(({ keys }) => keys)) {
      const reason = reasons.get(key);
      if (reason !== undefined) {
        throw new OperationError(`${keyRecordName(key.name)} cannot sign: ${reason}`, { hint: CHOOSE_ALGORITHMS });
      }
    }
    // A key that the signer cannot load may stop it for all domains.
    const all = known.filter((key) => reasons.get(key) === undefined);
    requireOneSignature(all, form, signer, CHOOSE_ALGORITHMS);
    const { catchAll } = formOptions;
    if (catchAll !== undefined && !next.has(catchAll)) {
      throw new OperationError(`the domain of signer.catch-all, ${catchAll}, has no key in the configuration`);
    }
    const signing = new Set(all.map(({ name }) => keyRecordName(name)));
    const before = [...(this.#keys?.values() ?? [])].flat();
    const leaving = before.filter((key) => !signing.has(keyRecordName(key.name)) && !form.cannotUse?.(key, before));
    const files = form.files(all, { ...formOptions, leaving });
    this.#files.requireNoneForgotten(files);
    return { files, keys: all };
  }

  /**
   * Reads the files as the signer will, before they are written: each key must be named, be readable by the signer's
   * user, and sign a probe that the DNS verifies. @returns the wishes that would not be fulfilled, and why
   */
  async #check(wishes: readonly Wish[], files: readonly SignerFile[]): Promise<Map<Wish, DkimctlError>> {
    const { target, resolver, signal } = this.#options;
    const reading = this.#read(files);
    const domains = new Set(wishes.map(({ domain }) => domain));
    const entries = reading.entries.filter(({ name }) => domains.has(name.domain));
    const checks = await checkSignerKeys(entries, [], {
      signer: target.signer,
      now: this.#options.now(),
      readKeyFile: readSignerKeyFile,
      parseKey: parsePrivateKey,
      testReading: async (paths) => {
        const reader = await this.#user();
        return reader === undefined ? [] : testReading(paths, reader);
      },
      askDns: (name) => askPublished(name, resolver, signal),
    });
    const refused = new Map<Wish, DkimctlError>();
    for (const wish of wishes) {
      const own = checks.filter(({ name }) => name.domain === wish.domain);
      const [named, wanted] = [own, wish.keys].map((list) => list.map(({ name }) => name.selector).sort());
      if (String(named) !== String(wanted)) {
        refused.set(wish, new SignerTestError(`the new configuration would name ${named} for ${wish.domain}`));
        continue;
      }
      const fault = own.find(({ verdict }) => verdict !== "ok");
      const problem = fault?.problems[0];
      if (fault === undefined || problem === undefined) continue;
      const message = `${keyRecordName(fault.name)} would fail in the signer: ${problem.message}`;
      const Failure = fault.verdict === "temporary" ? NotAnsweredError : SignerTestError;
      refused.set(wish, new Failure(message, { hint: problem.hint }));
    }
    return refused;
  }

  #read(files: readonly SignerFile[]): SignerReading {
    const { target, readText } = this.#options;
    const texts = new Map(files.map((file) => [target.pathOf(file), file.text]));
    return readConfiguration(target.signer, target.mainPath, (path) => texts.get(path) ?? readText(path));
  }

  /** @returns the paths of the files that say something new */
  async #apply(wishes: readonly Wish[], files: readonly SignerFile[]): Promise<readonly string[]> {
    const { target } = this.#options;
    let hasReloaded = false;
    let changed: readonly string[] = [];
    try {
      changed = this.#files.replace(files);
      await this.#testFiles(files);
      hasReloaded = true;
      await this.#reload(this.#options.signal);
      for (const { keys } of wishes) await testLiveSigner(keys, target, this.#options);
    } catch (cause) {
      await this.#undo(cause, wishes, hasReloaded);
    }
    this.#files.confirm();
    return changed;
  }

  /** Replaced files keep owner and mode: one test a run is enough. */
  async #testFiles(files: readonly SignerFile[]): Promise<void> {
    const reader = this.#areReadable ? undefined : await this.#user();
    if (reader === undefined) return;
    for (const access of await testReading(files.map(this.#options.target.pathOf), reader)) {
      if (access.kind === "unreadable") throw new SignerTestError(`the new configuration: ${access.reason}`);
    }
    this.#areReadable = true;
  }

  async #undo(cause: unknown, wishes: readonly Wish[], hasReloaded: boolean): Promise<never> {
    const { signal } = this.#options;
    const reason = signal.aborted || !(cause instanceof Error) ? "interrupted" : cause.message;
    const hint = cause instanceof DkimctlError ? cause.hint : undefined;
    const old = wishes.flatMap(({ retired }) => retired.map(({ selector }) => selector)).join(" and ");
    try {
      this.#files.putBack();
      // Whatever asked us to end must not end this half-way.
      if (hasReloaded) await this.#reload();
    } catch (error) {
      const more = error instanceof Error ? error.message : String(error);
      const message = `${reason}; nor was the signer put back: ${more}`;
      this.#broken = new OperationError(message, { hint: "see to the signer; the next run begins there", cause });
      throw this.#broken;
    }
    this.#files.confirm();
    if (!(cause instanceof DkimctlError) && !signal.aborted) throw cause;
    if (wishes.length === 1 && ++this.#failedInARow === MOST_FAILURES) {
      const message = `not tried, for the signer failed for ${MOST_FAILURES} domains one after another: ${reason}`;
      this.#broken = new SignerTestError(message, { hint, cause });
    }
    throw new SignerTestError(`${reason}; the signer was put back to ${old === "" ? "what it used" : old}`, {
      hint,
      cause,
    });
  }

  async #reload(signal?: AbortSignal): Promise<void> {
    const { target, env } = this.#options;
    if (target.reload === undefined) return;
    await requireProgram({ argv: target.reload, stdin: "", env, timeLimitMs: target.timeLimitMs, signal });
  }

  #user(): Promise<FileReader | undefined> {
    this.#reader ??= chooseUser(this.#options.target);
    return this.#reader;
  }

  async #signerKey({ domain, selector }: SigningKey): Promise<SignerKey> {
    return signerKeyOf(await this.#options.store.read({ domain, selector }));
  }
}

/** The DNS did not answer: nothing is known to be wrong, and nothing was changed. */
class NotAnsweredError extends TryAgainError {
  override readonly code = "DKIM_SIGNER_TEST";
}
