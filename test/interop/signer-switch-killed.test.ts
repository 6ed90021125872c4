import { chmodSync, chownSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { type KillableSource, killableSource } from "../helpers/killable-source.ts";
import { requirePeer } from "../helpers/peers.ts";
import { fakeReload, HOUR, reloads, type Signer, switchedSigner } from "../helpers/switched-signer.ts";

const isRoot = process.getuid?.() === 0;
const peer = requirePeer("named", "nsupdate", "dig");

describe.skipIf(peer.skip || !isRoot)(`a real process that changes a signer, killed ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());
  const setUp = () => switchedSigner(zone);

  let source: KillableSource;
  beforeAll(() => {
    source = killableSource();
  }, 60_000);
  afterAll(() => source?.remove());

  /** DKIMCTL_KILL_STRIDE=1 kills at every one. */
  const stride = Number(process.env.DKIMCTL_KILL_STRIDE ?? 4);

  /** @param killAt the number of the call that changes the world at which the process is killed; 0: none */
  function rotate(own: Signer, offset: number, killAt: number, ...options: string[]) {
    return source.run({ store: own.store, config: own.config, offset, killAt, argv: ["rotate", ...options] });
  }

  /** The first key signs, and the next run changes to the second. */
  async function beforeTheChange(domain: string) {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    const reload = fakeReload(own, output);
    const configure = (program: string) =>
      own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${program}"]`);
    configure(reload);
    await rotate(own, 0, 0, domain);
    await rotate(own, 2 * HOUR, 0);
    expect(own.states(domain)).toEqual({ k1: "active" });
    await rotate(own, 2 * HOUR, 0, "--now");
    return { own, output, reload, configure };
  }

  /** A reload that ends the run that calls it, and works from the second time on. */
  function endsAtFirst(own: Signer, reload: string, end: string): string {
    const script = join(own.folder, "ends");
    const mark = join(own.folder, "ended");
    writeFileSync(script, `#!/bin/sh\n[ -e ${mark} ] && exec ${reload}\ntouch ${mark}\n${end}\n`);
    chmodSync(script, 0o755);
    return script;
  }

  /** What is left of a change in a folder; nothing, when it is through. */
  const leftovers = (folder: string) => readdirSync(folder).filter((name) => /^\.(?!dkimctl$)/.test(name));

  test("between the new file and the reload: the next run puts it back, and then changes it", {
    timeout: 60_000,
  }, async () => {
    const domain = "killed.example.test";
    const { own, output, reload, configure } = await beforeTheChange(domain);
    const before = readFileSync(output, "utf8");
    configure(endsAtFirst(own, reload, "kill -9 $PPID"));
    expect(await rotate(own, 4 * HOUR, 0)).toMatchObject({ signal: "SIGKILL" });
    // The worst moment: the file is new, the signer is not, and the journal does not know.
    expect(readFileSync(output, "utf8")).toContain("'k2'");
    expect(readFileSync(join(own.folder, "loaded"), "utf8")).toBe(before);
    expect(own.states(domain)).toEqual({ k1: "active", k2: "ready" });
    const loads = reloads(own);
    const next = await rotate(own, 4 * HOUR + 1000, 0);
    expect(next, next.output).toMatchObject({ exitCode: 0 });
    expect(own.states(domain)).toEqual({ k1: "draining", k2: "active" });
    expect(readFileSync(join(own.folder, "loaded"), "utf8")).toContain("'k2'");
    // Once with the old file, once with the new.
    expect(reloads(own) - loads).toBe(2);
    expect(statSync(output).mode & 0o777).toBe(0o644);
    expect(leftovers(own.folder)).toEqual([]);
  });

  test("ended by SIGTERM in the middle of the reload: the signer is put back before the process ends", {
    timeout: 60_000,
  }, async () => {
    const domain = "ended.example.test";
    const { own, output, reload, configure } = await beforeTheChange(domain);
    const before = readFileSync(output, "utf8");
    const loads = reloads(own);
    configure(endsAtFirst(own, reload, "kill -TERM $PPID\nsleep 30"));
    expect(await rotate(own, 4 * HOUR, 0)).toMatchObject({ signal: "SIGTERM", output: "" });
    expect(readFileSync(output, "utf8")).toBe(before);
    expect(reloads(own) - loads).toBe(1);
    expect(own.states(domain)).toEqual({ k1: "active", k2: "ready" });
    expect(leftovers(own.folder)).toEqual([]);
    expect(await rotate(own, 4 * HOUR + 1000, 0)).toMatchObject({ exitCode: 0 });
    expect(own.states(domain)).toEqual({ k1: "draining", k2: "active" });
  });

  test("at any boundary: the same end, and nothing signs that nobody can verify", {
    timeout: 240_000,
  }, async () => {
    const domain = "boundary.example.test";
    const { own, output } = await beforeTheChange(domain);
    const kept = `${own.folder}.kept`;
    onTestFinished(() => rmSync(kept, { recursive: true }));
    cpSync(own.folder, kept, { recursive: true, preserveTimestamps: true });
    const named = (path: string) =>
      [...readFileSync(path, "utf8").matchAll(/^dkim_key\('.*?', '(.*?)'/gm)].map(([, s]) => s);
    let kills = 0;
    for (let killAt = 1; ; killAt += stride) {
      rmSync(own.folder, { recursive: true });
      cpSync(kept, own.folder, { recursive: true, preserveTimestamps: true });
      handOverToGroup(own.store);
      const { signal, output: said } = await rotate(own, 4 * HOUR, killAt);
      for (const path of [output, join(own.folder, "loaded")]) {
        expect([["k1"], ["k2"]], `${path} after ${killAt}: ${said}`).toContainEqual(named(path));
      }
      const next = await rotate(own, 4 * HOUR + 1000, 0);
      expect(next, `${killAt}: ${next.output}`).toMatchObject({ exitCode: 0 });
      expect([own.states(domain), named(output), named(join(own.folder, "loaded"))], String(killAt)).toEqual([
        { k1: "draining", k2: "active" },
        ["k2"],
        ["k2"],
      ]);
      expect([leftovers(own.folder), leftovers(own.store)], String(killAt)).toEqual([[], []]);
      if (signal !== "SIGKILL") break;
      kills++;
    }
    expect(kills).toBeGreaterThan(10 / stride);
  });
});

/** A copy does not keep the group. */
function handOverToGroup(store: string): void {
  for (const name of readdirSync(store)) if (name.endsWith(".pem")) chownSync(join(store, name), 0, 65534);
}
