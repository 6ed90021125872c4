import { createPrivateKey } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parsePrivateKey } from "../../src/keys/private-key.ts";
import { publicKeyFingerprint } from "../../src/keys/public-key.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

const modulusBits = (path: string) => createPrivateKey(readFileSync(path)).asymmetricKeyDetails?.modulusLength;

describe("genrsa FILE [NBITS]", () => {
  test("makes 2048 bits in PKCS#8 that only the owner reads, and says what it wrote on stderr", async () => {
    const file = join(temporaryFolder(), "a.pem");
    const { exitCode, stdout, stderr } = await runCli(["genrsa", file]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe("");
    const text = readFileSync(file, "utf8");
    expect(text).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const fingerprint = publicKeyFingerprint(parsePrivateKey(Buffer.from(text)).privateKey.publicKey);
    expect(stderr).toBe(`dkimctl: wrote ${file} (RSA, 2048 bits, SHA256:${fingerprint})\n`);
    expect(modulusBits(file)).toBe(2048);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("--fast is a key like any other", async () => {
    const file = join(temporaryFolder(), "a.pem");
    expect((await runCli(["genrsa", "--fast", file])).exitCode).toBe(0);
    expect(parsePrivateKey(readFileSync(file)).privateKey.publicKey).toMatchObject({ modulusBits: 2048 });
    expect(modulusBits(file)).toBe(2048);
  });

  test("--traditional is PKCS#1", async () => {
    const file = join(temporaryFolder(), "a.pem");
    await runCli(["genrsa", file, "1024", "--traditional"]);
    expect(readFileSync(file, "utf8")).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    expect(modulusBits(file)).toBe(1024);
  });

  test("names the command that shows the record when FILE is named as in a store, and it works as typed", async () => {
    const folder = join(temporaryFolder(), "it's mine");
    mkdirSync(folder, { mode: 0o700 });
    const { stderr } = await runCli(["genrsa", join(folder, "example.com.mail.pem"), "1024"]);
    expect(stderr).toContain(
      `\ndkimctl: its record: dkimctl showkeys example.com --store '${folder.replace("'", `'\\''`)}'\n`,
    );
    const { stdout } = await runCli(["showkeys", "example.com", "--store", folder]);
    expect(stdout).toContain("; key#1 1024 bits, s=mail, d=example.com, ");
  });

  test.each([
    ["0", 0o600],
    ["777", 0o600],
    ["077", 0o600],
  ])("mode under umask %s", async (mask, mode) => {
    const store = temporaryFolder();
    const file = join(store, "a.pem");
    const before = process.umask(Number.parseInt(mask, 8));
    try {
      await runCli(["genrsa", file, "1024"], { store, env: { DKIMCTL_CONFIG: "/dev/null" } });
      expect(lstatSync(file).mode & 0o777).toBe(mode);
    } finally {
      process.umask(before);
    }
  });

  test("--mode 0640 holds under any umask; what others can read needs --insecure-permissions", async () => {
    const folder = temporaryFolder();
    await runCli(["genrsa", join(folder, "a"), "1024", "--mode", "0640"]);
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o640);
    const refused = await runCli(["genrsa", join(folder, "b"), "1024", "--mode", "0644"]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("--insecure-permissions");
    expect(existsSync(join(folder, "b"))).toBe(false);
    await runCli(["genrsa", join(folder, "b"), "1024", "--mode", "0644", "--insecure-permissions"]);
    expect(statSync(join(folder, "b")).mode & 0o777).toBe(0o644);
  });
});

describe("RFC 8301 §3.2: how long a key is", () => {
  test.each<[bits: string, more: string[], exitCode: number, stderr: RegExp]>([
    ["1024", [], 0, /warning: 1024 bits: signers should use at least 2048/],
    ["2047", [], 0, /warning: 2047 bits/],
    ["512", ["--allow-weak"], 0, /warning: 512 bits: no conforming verifier/],
    ["1023", [], 2, /error: a key of 1023 bits must not be accepted[^\n]*\n[^\n]*--allow-weak/],
    ["511", ["--allow-weak"], 2, /error: 511 bits are too few/],
    ["16385", [], 2, /error: 16385 bits are more than any verifier takes/],
    ["0", ["--allow-weak"], 2, /error: 0 bits are too few/],
  ])("%s bits %j: exit %d", async (bits, more, exitCode, stderr) => {
    const file = join(temporaryFolder(), "a.pem");
    const result = await runCli(["genrsa", file, bits, ...more]);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toMatch(stderr);
    expect(existsSync(file)).toBe(exitCode === 0);
    if (exitCode === 0) expect(modulusBits(file)).toBe(Number(bits));
  });

  test("2048 needs no warning", async () => {
    const { stderr } = await runCli(["genrsa", join(temporaryFolder(), "a"), "2048", "-q"]);
    expect(stderr).toBe("");
  });

  test.each(["abc", "2048x", "1e3", "0x800", "-5", "2048.0", " 2048", "", "9999999"])(
    "NBITS %j is no number",
    async (bits) => {
      const file = join(temporaryFolder(), "a.pem");
      const { exitCode, stderr } = await runCli(["genrsa", file, bits]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("is no value for NBITS: it is not a number of bits");
      expect(existsSync(file)).toBe(false);
    },
  );
});

describe("never overwrites", () => {
  test("a file that is there", async () => {
    const file = join(temporaryFolder(), "a.pem");
    writeFileSync(file, "precious");
    const { exitCode, stderr } = await runCli(["genrsa", file, "1024", "-q"]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`error: ${file} exists; it was not touched`);
    // genrsa has neither --selector nor --force.
    expect(stderr).toContain("hint: give another FILE, or move this one away\n");
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  test("a link that leads to nothing", async () => {
    const folder = temporaryFolder();
    symlinkSync("nowhere", join(folder, "a.pem"));
    const { exitCode } = await runCli(["genrsa", join(folder, "a.pem"), "1024"]);
    expect(exitCode).toBe(3);
    expect(readlinkSync(join(folder, "a.pem"))).toBe("nowhere");
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
  });

  test("a folder that is not there is not made", async () => {
    const { exitCode, stderr } = await runCli(["genrsa", join(temporaryFolder(), "no", "a.pem"), "1024"]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("hint: make it: mkdir -m 0700 ");
  });
});

describe("a FILE that cannot be meant", () => {
  test.each([
    [["genrsa", "--", "-x"], /the file name "-x" starts with "-"/],
    [["genrsa", "-x"], /unknown option "-x"/],
    [["genrsa", ""], /the name of the file to make is empty/],
    [["genrsa", "."], /"\." names a folder/],
    [["genrsa", "keys/"], /"keys\/" names a folder/],
    [["genrsa", "keys/.."], /names a folder/],
  ])("%j", async (argv, message) => {
    const { exitCode, stderr } = await runCli(argv);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });

  test("-h is help, not a file", async () => {
    const { exitCode, stdout } = await runCli(["genrsa", "-h"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Usage: dkimctl genrsa/);
  });

  test("a name that would move the cursor is written as it is, and shown escaped", async () => {
    const file = join(temporaryFolder(), "a\u001b[2Jb\n");
    const { stderr } = await runCli(["genrsa", file, "1024", "-v"]);
    expect(existsSync(file)).toBe(true);
    expect(stderr).toContain("a\\u{1b}[2Jb\\u{a} (RSA");
    expect(stderr).not.toContain("\u001b");
  });
});
