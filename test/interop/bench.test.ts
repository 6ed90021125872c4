import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { buildProgramFolder } from "../helpers/bundle.ts";
import { requirePeer } from "../helpers/peers.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const compiler = requirePeer("cc");
// The limits are small C programs on libcrypto.
const hasHeaders = process.env.DKIMCTL_REQUIRE_PEERS === "1" || existsSync("/usr/include/openssl/evp.h");
const skip = compiler.skip || !hasHeaders;
const reason = compiler.reason || "no headers of OpenSSL";

describe.skipIf(skip)(`bench/run${skip ? ` (${reason})` : ""}`, () => {
  const program = buildProgramFolder();
  afterAll(() => program.remove());

  test("measures, and writes what it measured with machine and versions", { timeout: 300_000 }, () => {
    const output = join(program.root, "RESULTS.md");
    const options = ["--smoke", "--program", program.root, "--output", output];
    const { status, stderr } = spawnSync(
      join(ROOT, "bench/run"),
      [...options, "startup", "showkeys", "testkeys", "verify-key", "rotate"],
      {
        encoding: "utf8",
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const text = readFileSync(output, "utf8");
    for (const part of [
      `Node ${process.versions.node}`,
      "## Start-up",
      "## showkeys",
      "## testkeys",
      "## verify-key",
      "## rotate",
      "exponent",
    ]) {
      expect(text).toContain(part);
    }
    const plot = readFileSync(output.replace(".md", ".svg"), "utf8");
    expect(plot).toMatch(/^<svg .*<circle .*<\/svg>\n$/s);
    for (const made of [text, plot]) expect(made).not.toMatch(/NaN|undefined|Infinity/);
  });
});
