import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { requirePeer } from "../helpers/peers.ts";

const FOLDER = new URL("../../man/", import.meta.url).pathname;
const pages = readdirSync(FOLDER);
const { skip, reason } = requirePeer("mandoc");

describe.skipIf(skip)(`mandoc reads the manual pages${reason && ` (${reason})`}`, () => {
  test.each(pages)("%s without complaint", (page) => {
    const { stdout, stderr, error } = spawnSync("mandoc", ["-Tlint", join(FOLDER, page)], { encoding: "utf8" });
    expect(error).toBeUndefined();
    // mandoc looks for other pages among the installed ones only; test/man.test.ts looks for ours.
    const complaints = `${stdout}${stderr}`
      .split("\n")
      .filter((line) => !/referenced manual not found|^mandoc: outdated/.test(line));
    expect(complaints.join("\n").trim()).toBe("");
  });

  test.each(pages)("%s fits a terminal of 80 columns", (page) => {
    const { stdout } = spawnSync("mandoc", ["-Tascii", "-Owidth=78", join(FOLDER, page)], { encoding: "utf8" });
    const printed = stdout.replace(/.\x08/g, "").split("\n");
    expect(printed.length).toBeGreaterThan(30);
    expect(printed.filter((line) => line.length > 80)).toEqual([]);
  });
});
