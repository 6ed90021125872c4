import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

/** Who may import whom: a room imports itself and what stands after it. Rooms of one line know nothing of each other. */
const ORDER: readonly (readonly string[])[] = [
  ["cli"],
  ["main"],
  ["program", "usage-errors"],
  ["commands"],
  ["context"],
  ["config", "index"],
  ["rotation", "signers", "report"],
  ["terminal"],
  ["checks"],
  ["signing"],
  ["dns"],
  ["keys"],
  ["concurrent-map", "nearest-name", "one-at-a-time", "package-version", "run-end", "steady-clock", "under-way"],
  ["errors"],
];

/** Packages that more than one file may import. */
const EVERYWHERE = new Set(["commander"]);

/** A package's halves that have nothing to do with each other: dns2's codec, and its server for the demonstration. */
const SHARED: Readonly<Record<string, readonly string[]>> = { dns2: ["dns/dns2-codec.ts", "dns/embedded-server.ts"] };

/** The modules of these rooms that do I/O; all others there are pure. */
const EFFECTFUL = [
  "keys/directory-key-store",
  "keys/durable-file",
  "keys/file-",
  "keys/key-file",
  "keys/key-group",
  "keys/key-links",
  "keys/plain-key-file",
  "keys/process-identity",
  "keys/record-tags-file",
  "keys/store-",
  "keys/temporary-file",
  "keys/vault/vault-address", // isIP only
  "keys/vault/vault-client",
  "dns/dns2-resolver",
  "dns/embedded-server",
  "dns/server-address", // isIP only
  "dns/publish/",
  "dns/transports/",
];
const EFFECTS = [
  "node:fs",
  "node:fs/promises",
  "node:net",
  "node:dgram",
  "node:tls",
  "node:https",
  "node:http2",
  "node:os",
  "node:process",
];

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const imports: Import[] = files.flatMap((file) =>
  [...readFileSync(join(SRC, file), "utf8").matchAll(/(?:\bfrom |\bimport\()"([^"\s,]+)"/g)].map(([, target]) => ({
    file,
    target: target ?? "",
  })),
);

function roomOf(file: string): string {
  return file.split("/")[0]?.replace(/\.ts$/, "") ?? "";
}

function rank(room: string): number {
  return ORDER.findIndex((rooms) => rooms.includes(room));
}

describe("the architecture", () => {
  test("every file stands in a room that is named here", () => {
    expect(files.filter((file) => rank(roomOf(file)) === -1)).toEqual([]);
  });

  test("imports point right only", () => {
    const wrong = imports
      .filter(({ target }) => target.startsWith("."))
      .map(({ file, target }) => ({ file, target: relative(SRC, resolve(SRC, dirname(file), target)) }))
      .filter(({ file, target }) => {
        const [from, to] = [roomOf(file), roomOf(target)];
        return from !== to && rank(to) <= rank(from);
      });
    expect(wrong.filter(({ file }) => file !== "program.ts")).toEqual([]);
  });

  test("each third-party package is imported by one file", () => {
    const users = new Map<string, Set<string>>();
    for (const { file, target } of imports) {
      if (target.startsWith(".") || target.startsWith("node:") || EVERYWHERE.has(target)) continue;
      const name = target.startsWith("@") ? target.split("/").slice(0, 2).join("/") : (target.split("/")[0] ?? "");
      users.set(name, (users.get(name) ?? new Set()).add(file));
    }
    const several = [...users].filter(([name, by]) => by.size > 1 && [...by].sort().join() !== SHARED[name]?.join());
    expect(several.map(([name, by]) => `${name}: ${[...by].join(", ")}`)).toEqual([]);
  });

  test("pure modules of keys, dns, signing, checks and signers do no I/O", () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        ["keys", "dns", "signing", "checks", "signers"].includes(roomOf(file)) &&
        EFFECTS.includes(target) &&
        !EFFECTFUL.some((allowed) => file.startsWith(allowed)),
    );
    expect(wrong).toEqual([]);
  });

  test("every exported function and class says what it is", () => {
    const undocumented = files.flatMap((file) => {
      const lines = readFileSync(join(SRC, file), "utf8").split("\n");
      return lines.flatMap((line, index) => {
        const [, name] = /^export (?:async )?(?:abstract )?(?:function\*?|class) (\w+)/.exec(line) ?? [];
        // What `register` is stands in program.ts, once for all commands.
        return name === undefined || name === "register" || lines[index - 1]?.endsWith("*/") ? [] : `${file}: ${name}`;
      });
    });
    expect(undocumented).toEqual([]);
  });

  test("only bin and context touch the process; nothing exits it", () => {
    const wrong = files.filter((file) => {
      const text = readFileSync(join(SRC, file), "utf8");
      return (
        /\bprocess\.exit\b/.test(text) ||
        (file !== "context.ts" && /(?<![\w.])process\.(stdout|stderr|stdin|env|argv)/.test(text))
      );
    });
    expect(wrong).toEqual([]);
  });
});
