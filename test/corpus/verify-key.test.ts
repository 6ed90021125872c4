import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runCli } from "../helpers/run-cli.ts";

/** The corpus beside the project, or where DKIMCTL_CORPUS says. */
const folder = process.env.DKIMCTL_CORPUS ?? fileURLToPath(new URL("../../../shared/corpus", import.meta.url));
const readLines = <Line>(name: string): Line[] =>
  existsSync(folder)
    ? readFileSync(`${folder}/${name}.jsonl`, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];

interface CorpusKey {
  readonly file: string;
  readonly kind: string;
  readonly expect: string;
}

interface CorpusForm {
  readonly id: string;
  readonly text: string;
  readonly name: string | null;
  readonly decoded: string;
}

const exceptions: Record<string, string> = JSON.parse(
  readFileSync(new URL("keys-exceptions.json", import.meta.url), "utf8"),
);

describe("keys.jsonl through the command", () => {
  test.each(readLines<CorpusKey>("keys").map((key) => [key.file, key] as const))("%s", async (file, key) => {
    const { exitCode, stdout, stderr } = await runCli(["verify-key", `${folder}/${file}`, "--json"]);
    expect([0, 1], stderr).toContain(exitCode);
    const [report] = JSON.parse(stdout).reports;
    const verdict = exitCode === 0 ? "ok" : report.publicKey === null ? "no key" : "not ok";
    if (file in exceptions) return;
    expect(verdict === "ok", stdout).toBe(key.expect === "ok");
    if (key.expect !== "ok" && key.expect !== "weak" && key.expect !== "invalid") {
      expect({ kind: report.kind, publish: report.publish }).toEqual({ kind: "nothing", publish: null });
    }
  });
});

describe("forms.jsonl through the command", () => {
  test.each(readLines<CorpusForm>("forms").map((form) => [form.id, form] as const))("%s", async (_id, form) => {
    const origin = form.name?.split("._domainkey.")[1];
    const argv = ["verify-key", "--stdin", "--json", ...(origin === undefined ? [] : ["--origin", origin])];
    const { exitCode, stdout } = await runCli(argv, { stdin: form.text });
    const { reports } = JSON.parse(stdout);
    expect(reports).toMatchObject([{ kind: "record", name: form.name, records: [form.decoded] }]);
    expect(exitCode).toBe(reports[0].severity === "error" ? 1 : 0);
  });
});
