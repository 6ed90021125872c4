import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { TryAgainError } from "../../errors.ts";
import { quoteName } from "../domain-name.ts";
import { KeyStoreError, systemErrorCode, systemErrorReason } from "../key-store-errors.ts";
import type { VaultCredentials } from "./vault-credentials.ts";

export interface VaultClientOptions {
  /** `https://vault.example:8200`, without a path. */
  readonly origin: string;
  readonly credentials: VaultCredentials;
  readonly namespace?: string | undefined;
  /** PEM certificates to trust instead of Node's own list. */
  readonly ca?: string | undefined;
  /** For one answer; default ten seconds. */
  readonly timeoutMs?: number | undefined;
}

export interface VaultAnswer {
  readonly status: number;
  /** The parsed JSON, `undefined` when there is none. */
  readonly body: unknown;
  /** What the server's clock says, in milliseconds since the epoch; ours when it does not tell. */
  readonly serverTime: number;
}

export type VaultMethod = "GET" | "POST";

/** Vault cannot be reached, is sealed, or is not the active one: nothing is lost, and later it may answer. */
export class VaultUnavailableError extends TryAgainError {
  override readonly code = "DKIM_STORE_UNAVAILABLE";
}

/** A write was sent, and its answer was lost: whether it took effect is found out by reading. */
export class LostAnswerError extends VaultUnavailableError {}

/** Vault refuses: the token, or what its policies allow. */
export class VaultDeniedError extends KeyStoreError {}

const DEFAULT_TIMEOUT_MS = 10_000;
const MOST_TRIES = 4;
/** Far above any document; what is longer is no answer of Vault's. */
const MAX_ANSWER_OCTETS = 64 * 1024 * 1024;

/**
 * Requests to the HTTP API of Vault or OpenBao. Node's fetch knows no certificates of one's own without another package,
 * hence node:https. Reading is tried again with growing pauses; a write is not, for the caller knows what it meant.
 * @see https://developer.hashicorp.com/vault/api-docs
 */
export class VaultClient {
  readonly #options: VaultClientOptions;
  #token: Promise<string> | undefined;

  constructor(options: VaultClientOptions) {
    this.#options = options;
  }

  get origin(): string {
    return this.#options.origin;
  }

  /**
   * @param path below `/v1/`, each segment encoded already
   * @returns the answer, if its status is one of 200, 204, 400 and 404; others are errors
   * @throws {VaultDeniedError | VaultUnavailableError | LostAnswerError | KeyStoreError}
   */
  async request(method: VaultMethod, path: string, body?: unknown): Promise<VaultAnswer> {
    const repeats = method === "GET";
    for (let attempt = 1, pause = 100; ; attempt++, pause *= 3) {
      try {
        return await this.#authorized(method, path, body);
      } catch (error) {
        if (!repeats || attempt === MOST_TRIES || !(error instanceof VaultUnavailableError)) throw error;
        await delay(pause);
      }
    }
  }

  /** With a token; one that was got by logging in is got anew when it has run out. */
  async #authorized(method: VaultMethod, path: string, body: unknown): Promise<VaultAnswer> {
    for (let second = false; ; second = true) {
      const answer = await this.#send(method, path, body, await this.#tokenNow());
      if (answer.status !== 403) return this.#checked(answer, method, path);
      if (second || this.#options.credentials.kind === "token") throw this.#denied(answer, method, path);
      this.#token = undefined;
    }
  }

  #tokenNow(): Promise<string> {
    const { credentials } = this.#options;
    if (credentials.kind === "token") return Promise.resolve(credentials.token);
    this.#token ??= this.#logIn(credentials.roleId, credentials.secretId, credentials.mount);
    this.#token.catch(() => {
      this.#token = undefined;
    });
    return this.#token;
  }

  /** @see https://developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle */
  async #logIn(roleId: string, secretId: string, mount: string): Promise<string> {
    const path = `auth/${mount}/login`;
    const answer = await this.#send("POST", path, { role_id: roleId, secret_id: secretId }, undefined);
    const auth = member(answer.body, "auth");
    const token = member(auth, "client_token");
    if (answer.status === 200 && typeof token === "string") return token;
    if (answer.status === 400 || answer.status === 403) {
      throw new VaultDeniedError(`Vault does not accept the AppRole: ${reasonOf(answer)}`, {
        hint: "see to the role ID and the secret ID: VAULT_ROLE_ID_FILE and VAULT_SECRET_ID_FILE",
      });
    }
    this.#checked(answer, "POST", path);
    throw new KeyStoreError("Vault's answer to the log-in with an AppRole holds no token");
  }

  #send(method: VaultMethod, path: string, body: unknown, token: string | undefined): Promise<VaultAnswer> {
    const { origin, namespace, ca, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const url = new URL(`${origin}/v1/${path}`);
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const options = {
      method,
      headers: {
        accept: "application/json",
        // Vault's own guard against requests that another site makes a browser send.
        "x-vault-request": "true",
        ...(token !== undefined && { "x-vault-token": token }),
        ...(namespace !== undefined && { "x-vault-namespace": namespace }),
        ...(payload !== undefined && { "content-type": "application/json", "content-length": payload.length }),
      },
      signal: AbortSignal.timeout(timeoutMs),
      ...(ca !== undefined && { ca }),
    };
    return new Promise((resolve, reject) => {
      let sent = false;
      const fail = (error: unknown) => reject(this.#unreachable(error, sent && payload !== undefined));
      const take = (response: IncomingMessage) => readAnswer(response).then(resolve, fail);
      const request = url.protocol === "https:" ? requestHttps(url, options, take) : requestHttp(url, options, take);
      request.on("error", fail);
      request.on("finish", () => {
        sent = true;
      });
      request.end(payload);
    });
  }

  #unreachable(error: unknown, isWrite: boolean): VaultUnavailableError {
    const text = `Vault at ${this.origin} cannot be reached: ${transportFault(error)}`;
    const hint = "see to VAULT_ADDR, the network, and the certificate (VAULT_CACERT)";
    return isWrite
      ? new LostAnswerError(text, { cause: error })
      : new VaultUnavailableError(text, { hint, cause: error });
  }

  /** @see https://developer.hashicorp.com/vault/api-docs#http-status-codes */
  #checked(answer: VaultAnswer, method: VaultMethod, path: string): VaultAnswer {
    const { status } = answer;
    if (status === 200 || status === 204 || status === 400 || status === 404) return answer;
    const what = `${method} /v1/${path}`;
    if (status === 403) throw this.#denied(answer, method, path);
    if (status === 503) {
      throw new VaultUnavailableError(`Vault at ${this.origin} is sealed or in maintenance: ${reasonOf(answer)}`, {
        hint: "unseal it: vault operator unseal",
      });
    }
    if (status === 307 || status === 429 || status === 472 || status === 473) {
      throw new VaultUnavailableError(
        `Vault at ${this.origin} answers ${status}: it is not the active server, or is overrun`,
        {
          hint: "name the active server, or the address that leads to it",
        },
      );
    }
    if (status === 412 || status >= 500) {
      const text = `Vault at ${this.origin} answers ${status} to ${what}: ${reasonOf(answer)}`;
      // A gateway's word for "I do not know what became of it".
      const isLost = method === "POST" && (status === 500 || status === 502 || status === 504);
      throw isLost ? new LostAnswerError(text) : new VaultUnavailableError(text);
    }
    throw new KeyStoreError(`Vault at ${this.origin} answers ${status} to ${what}: ${reasonOf(answer)}`);
  }

  #denied(answer: VaultAnswer, method: VaultMethod, path: string): VaultDeniedError {
    return new VaultDeniedError(`Vault does not allow ${method} /v1/${path}: ${reasonOf(answer)}`, {
      hint: "see what the token may do: vault token lookup; the policy that dkimctl needs stands in dkimctl-stores(7)",
    });
  }
}

/** What Vault says is wrong, escaped. Never the body as such: that of a document holds keys. */
export function reasonOf({ body, status }: VaultAnswer): string {
  const errors = member(body, "errors");
  const texts = Array.isArray(errors) ? errors.filter((text) => typeof text === "string" && text !== "") : [];
  return texts.length === 0 ? `status ${status}` : texts.map((text) => quoteName(String(text).trim())).join(", ");
}

/** A member of what may be an object. */
export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** Node's own words for what is not the operating system's: a certificate, a time limit. */
function transportFault(error: unknown): string {
  // One for each address of a name.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return String(first);
  if (first.name === "TimeoutError" || first.name === "AbortError") return "it did not answer in time";
  return systemErrorCode(first) === undefined ? first.message : systemErrorReason(first);
}

async function readAnswer(response: IncomingMessage): Promise<VaultAnswer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response) {
    parts.push(part as Buffer);
    length += (part as Buffer).length;
    if (length > MAX_ANSWER_OCTETS) throw new Error("its answer is too long");
  }
  if (!response.complete) throw new Error("its answer was cut short");
  const date = Date.parse(response.headers.date ?? "");
  return {
    status: response.statusCode ?? 0,
    body: parseJson(Buffer.concat(parts).toString("utf8")),
    serverTime: Number.isNaN(date) ? Date.now() : date,
  };
}

function parseJson(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
