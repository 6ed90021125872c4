// Bundles the command line into dist/cli: one CommonJS chunk for each command and each heavy package, loaded when used.
// The source is what it is; what is special about the bundle is done here.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import { chunkPlugins } from "./chunk-plugins.js";
import { makeSampleKeys, observeSamples, writeCodeCache } from "./code-cache.js";
import { writeLicenses } from "./licenses.js";
import { modulePlugins } from "./module-plugins.js";
import { groupsOfSamples, ONE_BY_ONE, relativeToRoot } from "./sample-chunks.js";

const ROOT = resolve(import.meta.dirname, "..");
/** The folder that becomes the package's dist/; tests give one of their own. */
const DIST = resolve(process.argv[2] ?? join(ROOT, "dist"));
const OUT = join(DIST, "cli");

/** From each module to those that it imports. */
const importsOf = new Map();
const importsPlugin = {
  name: "imports",
  moduleParsed: ({ id, importedIds }) => void importsOf.set(id, importedIds),
};

const bundle = await rolldown({
  cwd: ROOT,
  input: { cli: "src/cli.ts" },
  platform: "node",
  preserveEntrySignatures: "allow-extension",
  plugins: [...modulePlugins, ...chunkPlugins, importsPlugin],
});

/** @returns the chunks, each of its modules as a path */
async function writeBundle(folder, groups, { sourcemap }) {
  rmSync(folder, { recursive: true, force: true });
  const { output } = await bundle.write({
    dir: folder,
    format: "cjs",
    exports: "named",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    sourcemap,
    comments: false,
    codeSplitting: { groups, includeDependenciesRecursively: false },
  });
  return output.filter(({ type }) => type === "chunk");
}

const work = mkdtempSync(join(tmpdir(), "dkimctl-build-"));
try {
  const oneByOne = join(work, "modules");
  const keys = join(work, "keys");
  // No stack is ever read of what is only observed.
  const parts = await writeBundle(oneByOne, ONE_BY_ONE, { sourcemap: false });
  makeSampleKeys(oneByOne, keys);
  const groups = groupsOfSamples(parts, observeSamples(oneByOne, keys), importsOf);
  const chunks = await writeBundle(OUT, groups, { sourcemap: true });
  await bundle.close();
  describeChunks(chunks);
  writeCodeCache(OUT, keys);
} finally {
  rmSync(work, { recursive: true });
}

/** What stands beside the chunks: source maps, a list of their modules, licences. */
function describeChunks(chunks) {
  for (const { fileName, moduleIds } of chunks) {
    // The lines of other people's packages are in the packages.
    if (moduleIds.some((id) => id.startsWith(join(ROOT, "src")))) continue;
    rmSync(join(OUT, `${fileName}.map`), { force: true });
  }
  const modules = Object.fromEntries(
    chunks.map(({ fileName, moduleIds }) => [fileName, moduleIds.map(relativeToRoot)]),
  );
  writeFileSync(join(OUT, "modules.json"), `${JSON.stringify(modules, null, 1)}\n`);
  writeLicenses(
    join(DIST, "THIRD-PARTY-LICENSES"),
    chunks.flatMap(({ moduleIds }) => moduleIds),
  );
}
