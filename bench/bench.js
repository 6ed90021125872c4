import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildLimits, findPeers } from "./peers.js";
import { plotGrowth } from "./plot.js";

const ROOT = resolve(import.meta.dirname, "..");
const BENCHES = ["startup", "keygen", "showkeys", "testkeys", "verify-key", "rotate"];

/** @param {string[]} args of the command line */
export async function bench(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      smoke: { type: "boolean", default: false },
      large: { type: "boolean", default: false },
      rounds: { type: "string" },
      output: { type: "string", default: join(ROOT, "bench/RESULTS.md") },
      program: { type: "string", default: ROOT },
    },
  });
  const wanted = positionals.length > 0 ? positionals : BENCHES;
  const { found: peers, absent } = findPeers();
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-bench-"));
  const bin = join(values.program, "bin/dkimctl.js");
  const setting = {
    bin,
    bundle: join(values.program, "dist/cli"),
    dkimctl: [process.execPath, bin],
    rounds: Number(values.rounds ?? (values.smoke ? 1 : 7)),
    scale: values.smoke ? 1 : values.large ? 10 : 4,
    threads: availableParallelism(),
    peers,
  };
  try {
    const limits = buildLimits(folder);
    const results = [];
    for (const name of wanted) {
      const own = mkdtempSync(join(folder, `${name}-`));
      const { measure } = await import(`./${name}.js`);
      const result = await measure({ ...setting, limits, folder: own });
      rmSync(own, { recursive: true });
      process.stdout.write(render(result));
      results.push(result);
    }
    writeFileSync(values.output, `${heading(setting, absent)}\n${results.map(render).join("\n")}`);
    const growths = results.flatMap(({ growth }) => growth ?? []);
    if (growths.length > 0) writeFileSync(values.output.replace(/(\.md)?$/, ".svg"), plotGrowth(growths));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function heading({ rounds, threads, peers }, absent) {
  const [{ model } = { model: "unknown" }] = cpus();
  return `# Results of bench/run

- ${new Date().toISOString().slice(0, 10)}, ${threads} cores of ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}
- Node ${process.versions.node}, V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl}
- ${[...peers].map(([name, version]) => `${name}: ${version}`).join("; ") || "no peers"}${absent.length > 0 ? `; absent, so not compared: ${absent.join(", ")}` : ""}
- medians of ${rounds} interleaved rounds (start-up: nine times as many); ratios are medians of the ratios within a round
`;
}

function render({ title, columns, rows, targets }) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const met = ({ value, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }) =>
    value >= least && value <= most ? "met" : "**not met**";
  return [
    `## ${title}\n`,
    line(columns),
    line(columns.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...rows.map(line),
    "",
    line(["target", "wanted", "measured", ""]),
    line(["---", "---:", "---:", "---"]),
    ...targets.map((target) =>
      line([
        target.what,
        target.least === undefined ? `≤ ${target.most}` : `≥ ${target.least}`,
        target.value >= 100 ? target.value.toFixed(0) : target.value.toFixed(2),
        met(target),
      ]),
    ),
    "",
  ].join("\n");
}
