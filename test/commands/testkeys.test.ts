import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeResolver } from "../helpers/fake-resolver.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

/** A store with an Ed25519 key `m` for each domain, and the text of each one's record. */
async function setUp(...domains: string[]) {
  const store = temporaryFolder();
  const argv = ["keygen", ...domains.flatMap((domain) => ["-d", domain]), "-t", "ed25519", "-s", "m", "-o", "plain"];
  const { stdout } = await runCli(argv, { store });
  const zone = Object.fromEntries(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t") as [string, string]),
  );
  const published = Object.fromEntries(Object.entries(zone).map(([name, text]) => [name, [text]]));
  return { store, text: (domain: string) => zone[`m._domainkey.${domain}`] ?? "", published };
}

const name = (domain: string) => `m._domainkey.${domain}`;

describe("one key", () => {
  test.each<
    [what: string, here: (text: string) => Parameters<typeof fakeResolver>[0][string], exitCode: number, said: RegExp]
  >([
    ["its record", (text) => [text], 0, /=> pass/],
    ["no name", () => ({ status: "no-name" }), 1, /NXDOMAIN/],
    ["no TXT there", () => ({ status: "no-data" }), 1, /=> fail/],
    ["SERVFAIL", () => ({ status: "servfail" }), 4, /=> temporary: SERVFAIL from 192\.0\.2\.1/],
    ["REFUSED", () => ({ status: "refused" }), 4, /=> temporary: REFUSED/],
    ["no p=", () => ["v=DKIM1; k=ed25519; p="], 1, /revoked/],
    ["two records", (text) => [text, "v=DKIM1; p=AAAA"], 1, /=> fail: .*(2|two|several)/],
    ["another TXT beside it", (text) => [text, "v=spf1 -all"], 1, /=> fail/],
    ["a record that is none", () => ["hello"], 1, /=> fail/],
  ])("%s", async (_, here, exitCode, said) => {
    const { store, text } = await setUp("example.com");
    const resolver = fakeResolver({ [name("example.com")]: here(text("example.com")) });
    const result = await runCli(["testkeys"], { store, resolver });
    expect(result.stdout).toMatch(/^TESTING#1 example\.com: m\._domainkey\.example\.com\s+=> /m);
    expect(result.stdout).toMatch(said);
    expect(result.exitCode).toBe(exitCode);
    expect(resolver.asked).toEqual([name("example.com")]);
    expect(resolver.closed).toBe(true);
  });

  test("the key of another selector is named as that", async () => {
    const { store, text } = await setUp("example.com", "example.net");
    const resolver = fakeResolver({
      [name("example.com")]: [text("example.net")],
      [name("example.net")]: [text("example.net")],
    });
    const { exitCode, stdout } = await runCli(["testkeys"], { store, resolver });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/example\.com => fail: .*another key[\s\S]*m\._domainkey\.example\.net/);
  });
});

describe("many keys", () => {
  test("in order of domain, and only those that were asked for", async () => {
    const { store, published } = await setUp("c.example", "a.example", "b.example");
    const resolver = fakeResolver(published);
    const { exitCode, stdout } = await runCli(["testkeys"], { store, resolver });
    expect([...stdout.matchAll(/TESTING#(\d) (\S+):/g)].map(([, n, domain]) => `${n} ${domain}`)).toEqual([
      "1 a.example",
      "2 b.example",
      "3 c.example",
    ]);
    expect(exitCode).toBe(0);
    const some = fakeResolver(published);
    await runCli(["testkeys", "b.example"], { store, resolver: some });
    expect(some.asked).toEqual([name("b.example")]);
  });

  test.each<[what: string, a: string, b: string, exitCode: number]>([
    ["a failure outweighs a temporary one", "no-name", "servfail", 1],
    ["a temporary one outweighs a pass", "servfail", "", 4],
  ])("%s", async (_, a, b, exitCode) => {
    const { store, published } = await setUp("a.example", "b.example");
    const as = (status: string) => ({ status }) as { status: "no-name" | "servfail" };
    const zone = { ...published, [name("a.example")]: as(a), ...(b === "" ? {} : { [name("b.example")]: as(b) }) };
    expect((await runCli(["testkeys"], { store, resolver: fakeResolver(zone) })).exitCode).toBe(exitCode);
  });

  test("a key that cannot be read is named, and exits 3 when all others pass", async () => {
    const { store, published } = await setUp("a.example", "c.example");
    writeFileSync(join(store, "b.example.m.pem"), "junk", { mode: 0o600 });
    const { exitCode, stdout } = await runCli(["testkeys"], { store, resolver: fakeResolver(published) });
    expect(exitCode).toBe(3);
    expect(stdout.match(/=> pass/g)).toHaveLength(2);
    expect(stdout).toMatch(/b\.example.*=> error/);
  });

  test("no key at all exits 3 with a hint", async () => {
    const { exitCode, stderr } = await runCli(["testkeys"], { resolver: fakeResolver({}) });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("hint: make one: dkimctl keygen");
  });

  test("--json is one document of one shape", async () => {
    const { store, published } = await setUp("a.example", "b.example");
    const run = async (...filter: string[]) =>
      JSON.parse(
        (await runCli(["testkeys", "--json", ...filter], { store, resolver: fakeResolver(published) })).stdout,
      );
    const [one, two] = [await run("a.example"), await run()];
    expect(one.schema).toBe("dkimctl/testkeys/1");
    expect(Object.keys(one)).toEqual(Object.keys(two));
  });
});

test("text from the DNS cannot move the cursor", async () => {
  const { store } = await setUp("a.example");
  const resolver = fakeResolver({ [name("a.example")]: ["v=DKIM1; n=\u001b[2J\u009b; k=\u001b]0;x\u0007; p=AAAA"] });
  const { stdout, stderr } = await runCli(["testkeys", "-v"], { store, resolver });
  expect(`${stdout}${stderr}`.replaceAll("\n", "").match(/\p{Cc}/gu)).toBeNull();
});
