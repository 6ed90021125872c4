import type { DomainName } from "../domain-name.ts";
import { KeyStoreError } from "../key-store-errors.ts";
import {
  LostAnswerError,
  member,
  reasonOf,
  type VaultAnswer,
  type VaultClient,
  VaultUnavailableError,
} from "./vault-client.ts";
import { NO_DOCUMENT, parseVaultDocument, type VaultDocument } from "./vault-document.ts";

/** One domain's document, and which version of it this is: what a change must say that it starts from. */
export interface VersionedDocument {
  readonly document: VaultDocument;
  /** 0: there is none yet. In KV version 1, which counts no versions, 0 or 1. */
  readonly version: number;
  /** Of the server, in milliseconds since the epoch. */
  readonly serverTime: number;
}

/** Somebody else changed the document since it was read; nothing was written. */
export class VersionConflict extends Error {}

/** The documents of a path in a KV secrets engine, of either version. */
export class VaultDocuments {
  readonly #client: VaultClient;
  readonly #path: string;
  #engine: Promise<Engine> | undefined;

  /** @param path mount and folder: `secret/dkim` */
  constructor(client: VaultClient, path: string) {
    this.#client = client;
    this.#path = path;
  }

  /** For messages. */
  locationOf(domain: string): string {
    return `${this.#client.origin}/v1/${this.#path}/${domain}`;
  }

  /** Whether a write can be refused when somebody else was quicker. */
  async hasCheckAndSet(): Promise<boolean> {
    return (await this.#engineNow()).version === 2;
  }

  /** The names in the folder, in order. Folders within it end in `/`. */
  async names(): Promise<string[]> {
    const { version, mount, folder } = await this.#engineNow();
    const path = version === 2 ? `${mount}/metadata/${folder}` : `${mount}/${folder}`;
    const answer = await this.#client.request("GET", `${path.replace(/\/$/, "")}?list=true`);
    if (answer.status === 404) return [];
    const keys = member(member(answer.body, "data"), "keys");
    if (answer.status !== 200 || !Array.isArray(keys)) throw this.#unexpected(answer, "the list of domains");
    return keys
      .map(String)
      .filter((name) => !name.startsWith("_dkimctl"))
      .sort();
  }

  /** @throws {KeyFileError} it is no document of DKIM keys */
  async read(domain: string): Promise<VersionedDocument> {
    const { version } = await this.#engineNow();
    const answer = await this.#client.request("GET", await this.#pathOf("data", domain));
    const { serverTime } = answer;
    const data = member(answer.body, "data");
    if (answer.status === 404) {
      // Of a deleted version 2 document the metadata is still told: its number is what a new one starts from.
      const latest = member(member(data, "metadata"), "version");
      return { document: NO_DOCUMENT, version: typeof latest === "number" ? latest : 0, serverTime };
    }
    if (answer.status !== 200) throw this.#unexpected(answer, domain);
    if (version === 1) return { document: parseVaultDocument(data, this.locationOf(domain)), version: 1, serverTime };
    const current = member(member(data, "metadata"), "version");
    if (typeof current !== "number") throw this.#unexpected(answer, domain);
    return {
      document: parseVaultDocument(member(data, "data"), this.locationOf(domain)),
      version: current,
      serverTime,
    };
  }

  /**
   * @param from the version that `document` was made from
   * @returns the new version
   * @throws {VersionConflict} the document has changed since (KV version 2 only)
   * @throws {LostAnswerError} whether it was written is not known
   */
  async write(domain: string, document: VaultDocument, from: number): Promise<number> {
    const { version } = await this.#engineNow();
    const path = await this.#pathOf("data", domain);
    if (version === 1) {
      const answer = await this.#client.request("POST", path, document);
      if (answer.status !== 204 && answer.status !== 200) throw this.#unexpected(answer, domain);
      return 1;
    }
    const answer = await this.#client.request("POST", path, { options: { cas: from }, data: document });
    const written = member(member(answer.body, "data"), "version");
    if (answer.status === 200 && typeof written === "number") return written;
    if (answer.status === 400 && /check-and-set parameter did not match/.test(reasonOf(answer))) {
      throw new VersionConflict(domain);
    }
    throw this.#unexpected(answer, domain);
  }

  /** Makes the contents of all versions up to this one unreadable for ever. KV version 1 keeps none. */
  async destroyUpTo(domain: string, last: number): Promise<void> {
    if (!(await this.hasCheckAndSet()) || last < 1) return;
    const metadata = await this.#client.request("GET", await this.#pathOf("metadata", domain));
    const versions = member(member(metadata.body, "data"), "versions");
    const old = Object.entries(typeof versions === "object" && versions !== null ? versions : {})
      .filter(([number, state]) => Number(number) <= last && member(state, "destroyed") !== true)
      .map(([number]) => Number(number));
    if (old.length === 0) return;
    const answer = await this.#client.request("POST", await this.#pathOf("destroy", domain), { versions: old });
    if (answer.status !== 204 && answer.status !== 200) throw this.#unexpected(answer, domain);
  }

  async #pathOf(part: "data" | "metadata" | "destroy", domain: string): Promise<string> {
    const { version, mount, folder } = await this.#engineNow();
    const inner = [folder, encodeURIComponent(domain)].filter((segment) => segment !== "").join("/");
    return version === 2 ? `${mount}/${part}/${inner}` : `${mount}/${inner}`;
  }

  #engineNow(): Promise<Engine> {
    this.#engine ??= this.#findEngine();
    this.#engine.catch(() => {
      this.#engine = undefined;
    });
    return this.#engine;
  }

  /** As `vault kv` finds out where a mount ends and which version it has. */
  async #findEngine(): Promise<Engine> {
    const answer = await this.#client.request("GET", `sys/internal/ui/mounts/${this.#path}`);
    const data = member(answer.body, "data");
    const path = member(data, "path");
    if (answer.status !== 200 || typeof path !== "string" || !`${this.#path}/`.startsWith(path)) {
      throw new KeyStoreError(
        `Vault at ${this.#client.origin} has no secrets engine at ${this.#path}: ${reasonOf(answer)}`,
        {
          hint: `enable one: vault secrets enable -version=2 -path=${this.#path.split("/")[0]} kv`,
        },
      );
    }
    if (member(data, "type") !== "kv" && member(data, "type") !== "generic") {
      throw new KeyStoreError(`the secrets engine at ${path} of Vault at ${this.#client.origin} is not of type kv`);
    }
    const version = member(member(data, "options"), "version") === "2" ? 2 : 1;
    return { version, mount: path.replace(/\/$/, ""), folder: this.#path.slice(path.length) };
  }

  #unexpected(answer: VaultAnswer, what: string): KeyStoreError {
    return new KeyStoreError(`Vault's answer for ${what} cannot be used: ${reasonOf(answer)}`);
  }
}

interface Engine {
  readonly version: 1 | 2;
  readonly mount: string;
  /** Within the mount, `` for none. */
  readonly folder: string;
}

const MOST_CONFLICTS = 20;

/**
 * Changes a domain's document, again from its start when somebody else was quicker. When an answer was lost, the document
 * is read again to see.
 * @param change from the document as it is to what it shall be; `undefined`: it is so already. It may throw. `mayBeDone`: an
 *   earlier attempt of this very change may have taken effect
 * @returns the document as it is now
 * @throws {VaultUnavailableError} it changes all the time
 */
export async function changeDocument(
  documents: VaultDocuments,
  domain: DomainName,
  change: (current: VersionedDocument, mayBeDone: boolean) => VaultDocument | undefined,
): Promise<VersionedDocument> {
  let mayBeDone = false;
  for (let conflicts = 0; conflicts < MOST_CONFLICTS; conflicts++) {
    const current = await documents.read(domain);
    const wanted = change(current, mayBeDone);
    if (wanted === undefined) return current;
    try {
      return { ...current, document: wanted, version: await documents.write(domain, wanted, current.version) };
    } catch (error) {
      if (error instanceof VersionConflict) continue;
      if (!(error instanceof LostAnswerError)) throw error;
      mayBeDone = true;
      const seen = await documents.read(domain);
      if (sameDocument(seen.document, wanted)) return seen;
      if (seen.version !== current.version) continue;
      // The write may still be under way, and would find its version taken by the next attempt: with version 2 only.
      if (!(await documents.hasCheckAndSet())) throw error;
    }
  }
  throw new VaultUnavailableError(`${documents.locationOf(domain)} changes all the time`, { hint: "try again" });
}

/** Whether two documents say the same, in whatever order their members stand. */
export function sameDocument(a: VaultDocument, b: VaultDocument): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with the members of objects in order: Vault gives them back in another. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
