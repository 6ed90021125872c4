import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/*
 * A stand-in for Vault, since none can be installed where the tests run: its KV secrets engine in both versions, AppRole,
 * policies, namespaces, seal and standby, as the API's documentation has them
 * (https://developer.hashicorp.com/vault/api-docs: secret/kv/kv-v1, secret/kv/kv-v2, auth/approle, system/health,
 * #http-status-codes). It is strict: what the documentation does not name is 404 or 405. The same tests run against a
 * real server when DKIMCTL_TEST_VAULT_ADDR is set (test/keys/vault-key-store.test.ts).
 */

export interface VaultServerOptions {
  readonly kv?: 1 | 2;
  readonly casRequired?: boolean;
  readonly maxVersions?: number;
  readonly namespace?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** What happens to a request instead of, or after, its effect. */
export type VaultFault = "cut-before" | "cut-after" | "sealed" | "standby" | "denied" | "error" | "silent" | "full";

interface Version {
  data: unknown;
  readonly createdTime: string;
  deletionTime: string;
  destroyed: boolean;
}

interface Secret {
  readonly versions: Map<number, Version>;
  current: number;
}

const MOUNT = "secret";
const ROLE_ID = "role-of-dkimctl";
const SECRET_ID = "secret-of-dkimctl";

export class VaultServer {
  readonly token = `hvs.${randomUUID()}`;
  readonly roleId = ROLE_ID;
  readonly secretId = SECRET_ID;
  readonly mount = MOUNT;
  readonly options: VaultServerOptions;
  /** Each request as `METHOD path`, in order. */
  readonly requests: string[] = [];
  /** Asked before each request: its answer is the fault. */
  fault: (request: string, index: number) => VaultFault | undefined = () => undefined;
  /** Paths below `/v1/` that the token must not use, with the method: `POST secret/data/`. */
  denied: string[] = [];
  /** How far its clock is ahead of ours. */
  clockAheadMs = 0;
  origin = "";
  readonly #secrets = new Map<string, Secret>();
  readonly #tokens = new Map<string, number>([[this.token, Number.POSITIVE_INFINITY]]);

  constructor(options: VaultServerOptions) {
    this.options = options;
  }

  /** What is stored under a name of the mount now; all versions that still have data with `all`. */
  stored(path: string): unknown {
    const secret = this.#secrets.get(path);
    return secret?.versions.get(secret.current)?.data;
  }

  versions(path: string): { readonly number: number; readonly data: unknown; readonly destroyed: boolean }[] {
    return [...(this.#secrets.get(path)?.versions ?? [])].map(([number, { data, destroyed }]) => ({
      number,
      data,
      destroyed,
    }));
  }

  /** Puts data there as another program would. */
  put(path: string, data: unknown): void {
    this.#write(path, data);
  }

  expireTokens(): void {
    for (const token of this.#tokens.keys()) if (token !== this.token) this.#tokens.set(token, 0);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://vault");
    const path = decodeURIComponent(url.pathname).replace(/^\/v1\//, "");
    const method =
      request.method === "GET" && url.searchParams.get("list") === "true" ? "LIST" : (request.method ?? "");
    const line = `${method} ${path}`;
    const fault = this.fault(line, this.requests.length);
    this.requests.push(line);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (fault === "cut-before") return void request.socket.destroy();
    if (fault === "silent") return;
    const answer =
      this.#faulty(fault, method) ?? this.#answer(request, method, path, url, Buffer.concat(parts).toString());
    if (fault === "cut-after") return void request.socket.destroy();
    response.writeHead(answer.status, {
      "content-type": "application/json",
      "cache-control": "no-store",
      date: new Date(Date.now() + this.clockAheadMs).toUTCString(),
    });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  }

  #faulty(fault: VaultFault | undefined, method: string): Answer | undefined {
    if (fault === "sealed") return errors(503, "Vault is sealed");
    if (fault === "standby") return errors(429, "Vault is a standby");
    if (fault === "denied") return errors(403, "permission denied");
    if (fault === "error") return errors(500, "internal error");
    if (fault === "full" && method !== "GET" && method !== "LIST") return errors(507, "no space left on device");
    return undefined;
  }

  #answer(request: IncomingMessage, method: string, path: string, url: URL, text: string): Answer {
    if (!(request.url ?? "").startsWith("/v1/")) return errors(404);
    const body = parse(text);
    if (text !== "" && body === undefined) return errors(400, "failed to parse JSON input");
    if (path === "sys/health") return { status: 200, body: { initialized: true, sealed: false, standby: false } };
    if ((request.headers["x-vault-namespace"] ?? "") !== (this.options.namespace ?? "")) {
      return path.startsWith("auth/") ? errors(404, "no handler for route") : errors(403, "permission denied");
    }
    if (path === "auth/approle/login") return this.#logIn(method, body);
    const token = String(request.headers["x-vault-token"] ?? "");
    if (token === "") return errors(403, "missing client token");
    if ((this.#tokens.get(token) ?? 0) < Date.now()) return errors(403, "permission denied", "invalid token");
    if (this.denied.some((rule) => `${method} ${path}`.startsWith(rule))) return errors(403, "permission denied");
    if (path.startsWith("sys/internal/ui/mounts/")) return this.#mountOf(method, path);
    if (!path.startsWith(`${MOUNT}/`) && path !== MOUNT)
      return errors(404, `no handler for route "${path}". route entry not found.`);
    const inner = path.slice(MOUNT.length + 1);
    return this.options.kv === 1 ? this.#kv1(method, inner, body) : this.#kv2(method, inner, url, body);
  }

  #logIn(method: string, body: unknown): Answer {
    if (method !== "POST" && method !== "PUT") return errors(405, "unsupported operation");
    const { role_id, secret_id } = (body ?? {}) as Record<string, unknown>;
    if (role_id !== ROLE_ID || secret_id !== SECRET_ID) return errors(400, "invalid role or secret ID");
    const token = `hvs.${randomUUID()}`;
    this.#tokens.set(token, Date.now() + 1_200_000);
    const auth = {
      client_token: token,
      accessor: randomUUID(),
      policies: ["default", "dkimctl"],
      lease_duration: 1200,
      renewable: true,
    };
    return {
      status: 200,
      body: { auth, data: null, lease_duration: 0, lease_id: "", renewable: false, warnings: null },
    };
  }

  #mountOf(method: string, path: string): Answer {
    if (method !== "GET") return errors(405, "unsupported operation");
    const wanted = `${path.slice("sys/internal/ui/mounts/".length)}/`;
    if (!wanted.startsWith(`${MOUNT}/`))
      return errors(
        403,
        `preflight capability check returned 403, please ensure client's policies grant access to path "${wanted}"`,
      );
    const options = this.options.kv === 1 ? null : { version: "2" };
    return { status: 200, body: { data: { path: `${MOUNT}/`, type: "kv", options } } };
  }

  /** Without versions: the last write stands. */
  #kv1(method: string, path: string, body: unknown): Answer {
    if (method === "LIST") return this.#list(path);
    if (method === "GET") {
      const data = this.stored(path);
      return data === undefined ? errors(404) : { status: 200, body: { ...ENVELOPE, lease_duration: 2_764_800, data } };
    }
    if (method === "POST" || method === "PUT") {
      if (typeof body !== "object" || body === null || Object.keys(body).length === 0)
        return errors(400, "missing data fields");
      this.#secrets.delete(path);
      this.#write(path, body);
      return { status: 204 };
    }
    if (method !== "DELETE") return errors(405, "unsupported operation");
    this.#secrets.delete(path);
    return { status: 204 };
  }

  #kv2(method: string, inner: string, url: URL, body: unknown): Answer {
    const [, part = "", path = ""] = /^([a-z]+)\/?(.*)$/.exec(inner) ?? [];
    const secret = this.#secrets.get(path);
    switch (part) {
      case "data":
        if (method === "GET") return this.#readVersion(secret, Number(url.searchParams.get("version") ?? 0));
        if (method === "POST" || method === "PUT") return this.#writeVersion(path, secret, body);
        if (method !== "DELETE") return errors(405, "unsupported operation");
        if (secret !== undefined)
          this.#eachVersion(secret, [secret.current], (version) => {
            version.deletionTime = new Date().toISOString();
          });
        return { status: 204 };
      case "metadata":
        if (method === "LIST") return this.#list(path);
        if (method === "DELETE") {
          this.#secrets.delete(path);
          return { status: 204 };
        }
        if (method !== "GET") return errors(405, "unsupported operation");
        return secret === undefined
          ? errors(404)
          : { status: 200, body: { ...ENVELOPE, data: this.#metadataOf(secret) } };
      case "delete":
      case "undelete":
      case "destroy": {
        if (method !== "POST" && method !== "PUT") return errors(405, "unsupported operation");
        const versions = (body as { versions?: unknown } | undefined)?.versions;
        if (!Array.isArray(versions) || versions.length === 0) return errors(400, "No version number provided");
        if (secret === undefined) return errors(404);
        this.#eachVersion(secret, versions.map(Number), (version) => {
          if (part === "destroy") Object.assign(version, { destroyed: true, data: undefined });
          else version.deletionTime = part === "delete" ? new Date().toISOString() : "";
        });
        return { status: 204 };
      }
      default:
        // What a client of version 1 asks of version 2: the real one answers with 404 and a warning.
        return {
          status: 404,
          body: {
            errors: [],
            data: null,
            warnings: [
              "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use.",
            ],
          },
        };
    }
  }

  #readVersion(secret: Secret | undefined, number: number): Answer {
    const wanted = number === 0 ? secret?.current : number;
    const version = wanted === undefined ? undefined : secret?.versions.get(wanted);
    if (version === undefined || wanted === undefined) return errors(404);
    const metadata = metadataOf(version, wanted);
    if (version.destroyed || version.deletionTime !== "")
      return { status: 404, body: { ...ENVELOPE, data: { data: null, metadata } } };
    return { status: 200, body: { ...ENVELOPE, data: { data: structuredClone(version.data), metadata } } };
  }

  #writeVersion(path: string, secret: Secret | undefined, body: unknown): Answer {
    const { options, data } = (body ?? {}) as { options?: { cas?: unknown }; data?: unknown };
    if (typeof data !== "object" || data === null) return errors(400, "no data provided");
    const cas = options?.cas;
    if (cas === undefined && this.options.casRequired)
      return errors(400, "check-and-set parameter required for this call");
    if (cas !== undefined && (!Number.isInteger(cas) || cas !== (secret?.current ?? 0))) {
      return errors(400, "check-and-set parameter did not match the current version");
    }
    const number = this.#write(path, data);
    const version = this.#secrets.get(path)?.versions.get(number);
    return { status: 200, body: { ...ENVELOPE, data: version && metadataOf(version, number) } };
  }

  #write(path: string, data: unknown): number {
    const secret: Secret = this.#secrets.get(path) ?? { versions: new Map(), current: 0 };
    this.#secrets.set(path, secret);
    const number = ++secret.current;
    secret.versions.set(number, {
      data: structuredClone(data),
      createdTime: new Date().toISOString(),
      deletionTime: "",
      destroyed: false,
    });
    for (const old of secret.versions.keys())
      if (old <= number - (this.options.maxVersions ?? 10)) secret.versions.delete(old);
    return number;
  }

  #eachVersion({ versions }: Secret, numbers: readonly number[], change: (version: Version) => void): void {
    for (const number of numbers) {
      const version = versions.get(number);
      if (version !== undefined) change(version);
    }
  }

  #metadataOf(secret: Secret): unknown {
    const versions = [...secret.versions].map(([number, version]) => {
      const { version: _, custom_metadata: __, ...rest } = metadataOf(version, number);
      return [number, rest];
    });
    return {
      cas_required: this.options.casRequired ?? false,
      current_version: secret.current,
      oldest_version: Math.min(...secret.versions.keys()),
      max_versions: this.options.maxVersions ?? 0,
      delete_version_after: "0s",
      custom_metadata: null,
      versions: Object.fromEntries(versions),
    };
  }

  #list(folder: string): Answer {
    const prefix = folder === "" ? "" : `${folder.replace(/\/$/, "")}/`;
    const names = new Set<string>();
    for (const path of this.#secrets.keys()) {
      if (!path.startsWith(prefix)) continue;
      const [first = "", ...deeper] = path.slice(prefix.length).split("/");
      names.add(deeper.length === 0 ? first : `${first}/`);
    }
    return names.size === 0 ? errors(404) : { status: 200, body: { ...ENVELOPE, data: { keys: [...names].sort() } } };
  }
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

const ENVELOPE = {
  request_id: "0",
  lease_id: "",
  renewable: false,
  lease_duration: 0,
  wrap_info: null,
  warnings: null,
  auth: null,
};

function errors(status: number, ...texts: string[]): Answer {
  return { status, body: { errors: texts } };
}

function metadataOf({ createdTime, deletionTime, destroyed }: Version, version: number) {
  return { created_time: createdTime, custom_metadata: null, deletion_time: deletionTime, destroyed, version };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A running stand-in that ends with the test. */
export async function startVault(options: VaultServerOptions = {}): Promise<VaultServer> {
  const vault = new VaultServer(options);
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    vault.handle(request, response).catch(() => response.destroy());
  };
  const server = options.tls === undefined ? createServer(handle) : createTlsServer(options.tls, handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  vault.origin = `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return vault;
}
