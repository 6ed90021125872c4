import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyPool, makeStore } from "./material.js";
import { interleave, median, medianRatio } from "./measure.js";
import { startNameServer } from "./peers.js";

/** What one small command costs, beside a Node that does nothing. */
export async function measure({ folder, dkimctl, rounds, peers }) {
  const empty = join(folder, "empty.cjs");
  writeFileSync(empty, "");
  const { store, recordsFile } = makeStore(folder, 1, keyPool(1));
  const server = await startNameServer(recordsFile, folder);
  const commands = {
    "node empty.cjs": { argv: [process.execPath, empty] },
    "dkimctl --version": { argv: [...dkimctl, "--version"] },
    "dkimctl --help": { argv: [...dkimctl, "--help"] },
    "dkimctl showkeys, 1 key": { argv: [...dkimctl, "--store", store, "showkeys"] },
    "dkimctl testkeys, 1 key": { argv: [...dkimctl, "--store", store, "testkeys", "--server", server.address] },
  };
  for (const name of commandNames(dkimctl)) commands[`dkimctl ${name} --help`] = { argv: [...dkimctl, name, "--help"] };
  if (peers.has("opendkim-genkey")) commands["opendkim-genkey --version"] = { argv: ["opendkim-genkey", "--version"] };
  if (peers.has("rspamadm")) commands["rspamadm dkim_keygen --help"] = { argv: ["rspamadm", "dkim_keygen", "--help"] };
  const seconds = await interleave(commands, rounds * 9).finally(() => server.stop());
  const base = seconds["node empty.cjs"];
  const ratio = (name) => medianRatio(seconds[name], base);
  return {
    title: "Start-up",
    columns: ["", "ms", "of node empty.cjs"],
    rows: Object.keys(seconds).map((name) => [name, (median(seconds[name]) * 1000).toFixed(1), ratio(name).toFixed(2)]),
    targets: [
      { what: "--version, of node empty.cjs", value: ratio("dkimctl --version"), most: 1.25 },
      { what: "--help, of node empty.cjs", value: ratio("dkimctl --help"), most: 1.25 },
      { what: "showkeys of one key, of node empty.cjs", value: ratio("dkimctl showkeys, 1 key"), most: 1.25 },
      { what: "testkeys of one key, of node empty.cjs", value: ratio("dkimctl testkeys, 1 key"), most: 1.8 },
    ],
  };
}

/** Loading a command is most of what its --help costs. */
function commandNames([program, ...parameters]) {
  const help = execFileSync(program, [...parameters, "--help"], { encoding: "utf8" });
  const list = help.slice(help.indexOf("Commands:")).split("\n\n")[0];
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name);
}
