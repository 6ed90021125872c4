import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FINDING_CATALOGUE } from "../src/checks/catalogue.ts";
import { PUBLISHED_KEY_CODES } from "../src/checks/published-key.ts";
import { type CommandModel, describeProgram, type OptionModel } from "../src/commands/completion/program-model.ts";
import { CONFIG_SCHEMA } from "../src/config/config-schema.ts";
import { processContext } from "../src/context.ts";
import type { Lookup, LookupTrace, Resolver } from "../src/dns/resolver.ts";
import { buildProgram, EXIT_STATUSES } from "../src/program.ts";
import type { TestOutcome } from "../src/report/key-checks/key-check-format.ts";
import { FINDINGS_PAGE_CODES, renderFindingsPage } from "./helpers/findings-page.ts";
import { type ManualPage, readManualPage } from "./helpers/mdoc.ts";
import { runCli } from "./helpers/run-cli.ts";

const FOLDER = new URL("../man/", import.meta.url).pathname;
const pages = new Map(
  readdirSync(FOLDER).map((file) => [file, readManualPage(readFileSync(join(FOLDER, file), "utf8"))]),
);

function page(file: string): ManualPage {
  const found = pages.get(file);
  if (found === undefined) throw new Error(`there is no page man/${file}`);
  return found;
}

const program: CommandModel = describeProgram(await buildProgram(processContext()));
const COMMAND_NAMES = program.commands.map(({ name }) => name).filter((name) => name !== "help");

function command(name: string): CommandModel {
  const found = program.commands.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no command ${name}`);
  return found;
}

const flagsOf = (options: readonly OptionModel[]) => options.flatMap(({ flags }) => flags);
const statuses = EXIT_STATUSES.map(([status]) => status);

test("every page is in the package's man field, and no other", () => {
  const { man } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { man: string[] };
  expect(man.toSorted()).toEqual([...pages.keys()].map((file) => `./man/${file}`).toSorted());
});

test.each([...pages])("%s refers only to pages of ours that there are", (_, { source }) => {
  const files = [...source.matchAll(/^\.Xr (dkimctl\S*) ([0-9])/gm)].map(([, name, section]) => `${name}.${section}`);
  expect(files.filter((file) => !pages.has(file))).toEqual([]);
  expect(files.length).toBeGreaterThan(0);
});

describe("dkimctl(1)", () => {
  test("names every command, with its other names", () => {
    const names = program.commands.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect([...page("dkimctl.1").words]).toEqual(expect.arrayContaining(names));
    for (const name of COMMAND_NAMES) expect(page("dkimctl.1").source).toContain(`.Xr dkimctl-${name} 1`);
  });

  test("has an entry for every option, and for no other", () => {
    expect([...page("dkimctl.1").describedOptions].toSorted()).toEqual(flagsOf(program.options).toSorted());
  });

  test("names every choice", () => expectChoices(program, page("dkimctl.1")));
  test("has every exit status", () => expect(page("dkimctl.1").exitStatuses).toEqual(statuses));
});

describe.each(COMMAND_NAMES)("dkimctl-%s(1)", (name) => {
  const file = `dkimctl-${name}.1`;

  test("has an entry for every option, and for no other", () => {
    const own = flagsOf(command(name).options).filter((flag) => flag !== "--help" && flag !== "-h");
    expect([...page(file).describedOptions].toSorted()).toEqual(own.toSorted());
  });

  test("refers to the options that every command has", () => {
    expect([...page(file).options]).toEqual(expect.arrayContaining(flagsOf(program.options)));
  });

  test("names no option that there is not", () => {
    const known = flagsOf([...command(name).options, ...program.options]);
    expect([...page(file).options].filter((flag) => !known.includes(flag))).toEqual([]);
  });

  test("names every choice", () => expectChoices(command(name), page(file)));
  test("names its other names", () =>
    expect([...page(file).words]).toEqual(expect.arrayContaining([...command(name).aliases])));
  test("has every exit status", () => expect(page(file).exitStatuses).toEqual(statuses));

  test.each(["ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"])("has the section %s", (section) => {
    expect(page(file).source).toContain(`\n.Sh ${section}\n`);
  });
});

function expectChoices({ options, arguments: positionals }: CommandModel, { words }: ManualPage): void {
  const choices = [...options, ...positionals].flatMap(({ value }) => value?.choices ?? []);
  expect([...words]).toEqual(expect.arrayContaining(choices));
}

const NOT_ASKED = "not-asked" satisfies Extract<TestOutcome, { kind: "skipped" }>["code"];

test("dkimctl-testkeys(1) has a paragraph for every result, and for no other", () => {
  const results = /^\.Sh RESULTS\n(.*?)(?=^\.Sh )/ms.exec(page("dkimctl-testkeys.1").source)?.[1] ?? "";
  const codes = [...results.matchAll(/^\.It Cm .* Pq Li (\S+)$/gm)].map(([, code]) => code);
  expect(codes.toSorted()).toEqual([...PUBLISHED_KEY_CODES, NOT_ASKED, "DKIM_..."].toSorted());
});

describe("the members of JSON documents", () => {
  const ndjson = ["--stdin", "--format", "ndjson"];
  const stdin = `{"record":"v=DKIM1; p="}\n{"rrset":["v=DKIM1; p=","v=DKIM1; p="]}\n{}\n`;
  test.each([
    ["keygen", ["-d", "example.com", "-s", "free", "-t", "ed25519"], {}],
    ["keygen", ["-d", "example.com", "-s", "mail", "-t", "ed25519"], {}],
    ["showkeys", [], {}],
    ["testkeys", [], { resolver: publishing("v=DKIM1; k=ed25519; t=y; p=") }],
    ["testkeys", ["--format", "ndjson"], { resolver: publishing("v=DKIM1; p=") }],
    ["testkeys", ["--authoritative"], { resolver: publishing("v=DKIM1; p="), pool: SERVER }],
    ["verify-key", ["--record", "v=DKIM1; t=y; p="], {}],
    ["verify-key", ["--record", DOUBLED, "--verifiers"], {}],
    ["verify-key", ["example.com", "mail", "--both"], { resolver: publishing("v=DKIM1; p="), pool: SERVER }],
    ["verify-key", ["--explain", "P-DER"], {}],
    ["verify-key", ndjson, { stdin }],
  ] as const)("%s %j", async (name, options, given) => {
    const { store } = await runCli(["keygen", "-d", "example.com", "-s", "mail", "-t", "ed25519"]);
    const format = options.includes("--format" as never) ? [] : ["--json"];
    const { stdout } = await runCli([name, ...options, ...format], { store, ...given });
    const documents =
      format.length > 0
        ? [JSON.parse(stdout)]
        : stdout
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line));
    const members = new Set(documents.flatMap(memberNames));
    expect(members.size).toBeGreaterThan(4);
    expect([...page(`dkimctl-${name}.1`).members]).toEqual(expect.arrayContaining([...members]));
  });
});

function memberNames(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(memberNames);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...memberNames(member)]);
}

/** A record that is printed as it should be published. */
const DOUBLED = `s._domainkey.example.com.example.com. TXT "v=DKIM1; p="`;

/** The server of the zone that `publishing` leads to. */
const SERVER = { connect: () => publishing("v=DKIM1; p="), close: async () => {} };

const ZONE = { SOA: [{ serial: 1 }], NS: [{ target: "ns.example.com" }], A: [{ address: "192.0.2.53" }] };

/** One record at every name, in a zone of one server. */
function publishing(text: string): Resolver {
  const trace: Omit<LookupTrace, "name"> = {
    server: { address: "192.0.2.53#53", transport: "udp" },
    ...{ authoritative: true, ttlSeconds: 60, dnssec: "insecure", cnames: [], extendedErrors: [], attempts: [] },
  };
  return {
    lookupTxt: async (name) => ({
      ...trace,
      ...{ status: "found", name, records: [{ name, type: "TXT", ttlSeconds: 60, strings: [text] }] },
    }),
    lookup: async (name, type) => {
      const found = (ZONE as Readonly<Record<string, unknown[]>>)[type];
      const outcome = found === undefined ? { status: "no-data" } : { status: "found", records: found };
      return { ...trace, name, ...outcome } as Lookup<never>;
    },
    close: async () => {},
  };
}

test("dkimctl.toml(5) has every section and setting, and no other", () => {
  const { source, members } = page("dkimctl.toml.5");
  const settings = new Set(Object.values(CONFIG_SCHEMA).flatMap(Object.keys));
  expect([...members].toSorted()).toEqual([...settings].toSorted());
  for (const section of Object.keys(CONFIG_SCHEMA)) expect(source).toContain(`\n.Ss ${section}\n`);
});

describe("dkimctl-findings(7)", () => {
  test("is what the catalogue gives", async () => {
    await expect(renderFindingsPage()).toMatchFileSnapshot("../man/dkimctl-findings.7");
  });

  test("leaves no finding out", () => {
    expect(FINDINGS_PAGE_CODES.toSorted()).toEqual(Object.keys(FINDING_CATALOGUE).toSorted());
  });
});
