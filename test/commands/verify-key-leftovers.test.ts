import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

const now = new Date("2026-11-21T12:00:00Z");
const HOST_THAT_IS_GONE = ".dkimctl-tmp.00000000.00000000.1.1.abcdef";
const pem = (type: "ed25519" | "rsa") =>
  (type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ed25519")).privateKey
    .export({ type: "pkcs8", format: "pem" })
    .toString();
const RSA = pem("rsa");

interface JsonReport {
  readonly source: string;
  readonly name: string | null;
  readonly severity: string;
  readonly findings: { code: string; severity: string; message: string; fix: string }[];
}

/** What is told of the store, but for the keys themselves. */
async function leftovers(store: string) {
  const result = await runCli(["verify-key", "--all", "--json"], { store, now });
  const reports: JsonReport[] = JSON.parse(result.stdout).reports;
  const left = reports.flatMap(({ source, findings }) =>
    findings
      .filter(({ code }) => /^(?:KEY-BACKUP|STORE-LEFTOVER|TAGS-ORPHAN|KEY-PERMISSIONS)$/.test(code))
      .map(({ code, severity, message, fix }) => ({
        code,
        severity,
        message,
        fix,
        file: source.slice(store.length + 1),
      })),
  );
  return { ...result, reports, left };
}

function file(store: string, name: string, content: string, date = "2026-11-20T12:00:00Z", mode = 0o600): string {
  const path = join(store, name);
  writeFileSync(path, content, { mode });
  utimesSync(path, new Date(date), new Date(date));
  return path;
}

function storeOfOneKey(): string {
  const store = temporaryFolder();
  file(store, "example.com.s1.pem", RSA);
  return store;
}

describe("private keys that were put aside", () => {
  test.each<[string, string, string, string]>([
    ["yesterday, by its name", "example.com.s1.pem.20261120T120000Z.bak", "info", "1 day ago (2026-11-20)"],
    ["a week ago", "example.com.s1.pem.20261114T120000Z.bak", "info", "7 days ago (2026-11-14)"],
    ["before that", "example.com.s1.pem.20261113T120000Z.bak", "warning", "8 days ago (2026-11-13); more than 7 days"],
    ["the second of a second", "example.com.s1.pem.20261113T120000Z-2.bak", "warning", "8 days ago (2026-11-13)"],
    ["by the file's time", "example.com.s1.pem.bak", "info", "1 day ago (2026-11-20)"],
    ["a time that is none", "example.com.s1.pem.20269913T120000Z.bak", "info", "1 day ago (2026-11-20)"],
    ["by an editor", "example.com.s1.pem~", "info", "1 day ago"],
    ["of a key that is gone", "example.org.old.pem.20250101T000000Z.bak", "warning", "689 days ago (2025-01-01)"],
  ])("%s", async (_title, name, severity, age) => {
    const store = storeOfOneKey();
    const path = file(store, name, pem("ed25519"));
    const quoted = name.endsWith("~") ? `'${path}'` : path;
    const { left, exitCode, stdout } = await leftovers(store);
    expect(left).toMatchObject([{ code: "KEY-BACKUP", severity, file: name }]);
    expect(left[0]?.message).toContain(`a private key that was put aside ${age}`);
    expect(left[0]?.fix).toContain(`rm ${quoted}; `);
    expect(left[0]?.fix).toContain(`mv ${quoted} `);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain("PRIVATE KEY");
  });

  test.each(["notes.txt.bak", "example.com.s1.pub.bak", "no-key.pem.bak", "example.com.s1.pem.bak.txt"])(
    "%s is none",
    async (name) => {
      const store = storeOfOneKey();
      file(store, name, "text");
      expect((await leftovers(store)).left).toEqual([]);
    },
  );

  test("others can read one; a link holds no key", async () => {
    const store = storeOfOneKey();
    file(store, "example.com.s1.pem.20261113T120000Z.bak", RSA, undefined, 0o644);
    symlinkSync("example.com.s1.pem", join(store, "example.com.s2.pem.20261001T120000Z.bak"));
    const { left } = await leftovers(store);
    expect(left.map(({ code, severity }) => `${code}:${severity}`)).toEqual([
      ...["KEY-BACKUP:warning", "KEY-PERMISSIONS:warning", "KEY-BACKUP:info"],
    ]);
    expect(left[2]?.message).toContain("a link to the key of another name that was put aside 51 days ago");
    expect(left[2]?.fix).not.toContain("mv ");
  });

  test("a store of nothing else is told, too", async () => {
    const store = temporaryFolder();
    file(store, "example.com.s1.pem.bak", RSA);
    expect(await leftovers(store)).toMatchObject({ exitCode: 0, left: [{ code: "KEY-BACKUP" }] });
    const { stdout } = await runCli(["verify-key", "--all"], { store, now });
    expect(stdout).toContain("KEY-BACKUP");
    expect(stdout).toContain(join(store, "example.com.s1.pem.bak"));
  });
});

test("what killed runs have left, in the store and beside it", async () => {
  const store = storeOfOneKey();
  mkdirSync(join(store, ".dkimctl/tags"), { recursive: true });
  for (const folder of ["", ".dkimctl", ".dkimctl/tags"]) file(store, join(folder, HOST_THAT_IS_GONE), RSA);
  // Another host's process may still be at work.
  file(store, `${HOST_THAT_IS_GONE}0`, RSA, new Date().toISOString());
  const old = new Date(Date.now() - 2 * 86_400_000);
  for (const folder of ["", ".dkimctl", ".dkimctl/tags"]) utimesSync(join(store, folder, HOST_THAT_IS_GONE), old, old);
  const { left, exitCode } = await leftovers(store);
  expect(left.map(({ code, file: path, fix }) => [code, path, fix])).toEqual(
    ["", ".dkimctl/", ".dkimctl/tags/"].map((folder) => [
      "STORE-LEFTOVER",
      `${folder}${HOST_THAT_IS_GONE}`,
      `remove it: rm ${join(store, folder, HOST_THAT_IS_GONE)}`,
    ]),
  );
  expect(exitCode).toBe(0);
});

describe("tags without their key", () => {
  async function storeWithTags(): Promise<string> {
    const store = temporaryFolder();
    for (const selector of ["s1", "s2"]) {
      const argv = ["keygen", "-d", "example.com", "-s", selector, "--type", "ed25519", "--note", "made by hand"];
      const { exitCode, stderr } = await runCli(argv, { store, now });
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    }
    expect(readdirSync(join(store, ".dkimctl/tags"))).toHaveLength(2);
    return store;
  }

  test("none while the keys are there", async () => {
    expect((await leftovers(await storeWithTags())).left).toEqual([]);
  });

  test("the key was taken away by hand", async () => {
    const store = await storeWithTags();
    renameSync(join(store, "example.com.s2.pem"), join(temporaryFolder(), "taken.pem"));
    const { left, exitCode } = await leftovers(store);
    const [tags = ""] = readdirSync(join(store, ".dkimctl/tags")).filter((name) => name.includes(".s2."));
    expect(left).toMatchObject([{ code: "TAGS-ORPHAN", severity: "info", file: `.dkimctl/tags/${tags}` }]);
    expect(left[0]?.fix).toContain(`rm ${join(store, ".dkimctl/tags", tags)}`);
    expect(exitCode).toBe(0);
  });

  test("another key was put in its place; one that cannot be read may be the one", async () => {
    const store = await storeWithTags();
    file(store, "example.com.s1.pem", pem("ed25519"));
    file(store, "example.com.s2.pem", "no key");
    expect((await leftovers(store)).left.map(({ code, file: path }) => `${code} ${path.split(".s")[1]?.[0]}`)).toEqual([
      "TAGS-ORPHAN 1",
    ]);
  });

  test("those of a key that was put aside go with it", async () => {
    const store = await storeWithTags();
    const argv = ["keygen", "-d", "example.com", "-s", "s1", "--type", "ed25519", "--force"];
    expect((await runCli(argv, { store, now })).exitCode).toBe(0);
    const { left } = await leftovers(store);
    expect(left.map(({ code }) => code)).toEqual(["KEY-BACKUP"]);
    const [backup = ""] = readdirSync(store).filter((name) => name.endsWith(".bak"));
    renameSync(join(store, backup), join(temporaryFolder(), "taken.pem"));
    expect((await leftovers(store)).left.map(({ code }) => code)).toEqual(["TAGS-ORPHAN"]);
  });
});
