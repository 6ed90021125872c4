import { Command, CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { settingsOf } from "../../src/commands/rotation-settings.ts";
import { addSettingOptions, applySettingOptions } from "../../src/commands/setting-options.ts";
import { CONFIG_SCHEMA } from "../../src/config/config-schema.ts";
import { loadConfig, type Settings } from "../../src/config.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { explainCommanderError } from "../../src/usage-errors.ts";

const SECTIONS = ["rotation", "publish", "signer", "hooks"] as const;

function parse(argv: readonly string[], config = ""): Settings {
  const command = addSettingOptions(new Command().exitOverride().configureOutput({ outputError() {} }), ...SECTIONS);
  command.parse([...argv], { from: "user" });
  const { settings } = loadConfig({ path: "x.toml", env: {}, readFile: () => config });
  return applySettingOptions(settings, command.opts());
}

function failure(...argv: string[]): string {
  try {
    parse(argv);
  } catch (error) {
    if (error instanceof CommanderError) return explainCommanderError(error, "--help").message;
    throw error;
  }
  throw new Error(`accepted: ${argv.join(" ")}`);
}

test("every setting of these sections is an option, and says the same", () => {
  for (const section of SECTIONS) {
    for (const [key, { sample, option }] of Object.entries(CONFIG_SCHEMA[section])) {
      const written = loadConfig({ path: "x", env: {}, readFile: () => `[${section}]\n${key} = ${sample}\n` }).settings;
      const flag = `--${section === "publish" || section === "signer" ? `${section}-` : ""}${("name" in option ? option.name : undefined) ?? key}`;
      const value: unknown = written[section][key as never];
      const words = Array.isArray(value) ? value.join(option.placeholder === "words" ? " " : ",") : JSON.parse(sample);
      const argv = typeof value === "boolean" ? [value ? flag : flag.replace("--", "--no-")] : [flag, String(words)];
      expect(parse(argv)[section], flag).toEqual(written[section]);
    }
  }
});

describe("values", () => {
  test.each<[string[], keyof Settings, unknown]>([
    [["--publish-reload", "  rndc  reload {zone} "], "publish", { reload: ["rndc", "reload", "{zone}"] }],
    [["--publish-reload", '["a b", "c"]'], "publish", { reload: ["a b", "c"] }],
    [["--algorithms", "ed25519, rsa"], "rotation", { algorithms: ["ed25519", "rsa"] }],
    [["--publish-key-file", "key"], "publish", { "key-file": `${process.cwd()}/key` }],
    [["--no-standby"], "rotation", { standby: false }],
  ])("%j", (argv, section, values) => {
    expect(parse(argv)[section]).toEqual(values);
  });

  test.each<[string[], string]>([
    [["--bits", "512"], '"512" is no value for --bits: it must be a whole number from 1024 to 16384'],
    [["--bits", "2048.0"], '"2048.0" is no value for --bits: it must be a whole number from 1024 to 16384'],
    [["--algorithms", "rsa,rsa"], `"rsa,rsa" is no value for --algorithms: it must be a list of different words`],
    [["--publish-method", "nsupdat"], '"nsupdat" is no value for --publish-method'],
    [["--publish-reload", "[1"], '"[1" is no value for --publish-reload: it is no list: '],
    [["--publish-reload", "[1]"], "it must be a list of texts"],
    [["--publish-reload", " "], '" " is no value for --publish-reload: it must be a list of texts'],
    [["--publish-file", ""], '"" is no value for --publish-file: it must be an absolute path'],
  ])("refused: %j", (argv, message) => {
    expect(failure(...argv)).toContain(message);
  });

  test("a length of time without a unit", () => {
    expect(() => parse(["--period", "90"])).toThrow('--period: "90" is not a length of time: it has no unit');
  });
});

test("a way to change the signer comes whole: what another way has means nothing to it, and stands alone", () => {
  const config = `
[signer]
type = "rspamd"
output = "/etc/rspamd/local.d/dkim_signing.conf"
time-limit = "5s"
[domain."a.example".signer]
activate = ["/bin/true"]
[domain."b.example".signer]
user = "me"`;
  const settings = parse([], config) as Parameters<typeof settingsOf>[1];
  const of = (domain: string) => settingsOf(parseDomainName(domain), settings).signer;
  expect(of("a.example")).toEqual({ "time-limit": 5000, activate: ["/bin/true"] });
  expect(of("b.example")).toEqual({ ...settings.signer, user: "me" });
  expect(parse(["--signer-activate", "/bin/false"], config)).toMatchObject({
    signer: { "time-limit": 5000, activate: ["/bin/false"] },
    domain: { "a.example": { signer: { activate: ["/bin/false"] } } },
  });
});

test("an option comes before every section; what it does not say stays", () => {
  const config = `
[rotation]
period = "90d"
overlap = "7d"
[publish]
method = "exec"
command = ["/bin/true"]
[domain."a.example"]
period = "10d"
margin = "1h"
[domain."a.example".publish]
method = "manual"
[domain."b.example".signer]
activate = ["/bin/true"]`;
  const given = parse(["--period", "1d", "--publish-method", "nsupdate", "--signer-time-limit", "1s"], config);
  expect(given.rotation).toEqual({ period: 86_400_000, overlap: 7 * 86_400_000 });
  expect(given.publish).toEqual({ method: "nsupdate", command: ["/bin/true"] });
  expect(given.domain).toEqual({
    "a.example": { period: 86_400_000, margin: 3_600_000, publish: { method: "nsupdate" } },
    "b.example": { period: 86_400_000, signer: { activate: ["/bin/true"], "time-limit": 1000 } },
  });
});
