import { resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");

const packageName = (id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1]?.replace("/", "-") ?? null;

const isPackage = /node_modules/;

/** A module's path in this repository or in its package. */
export function relativeToRoot(id) {
  return id.startsWith(ROOT) ? id.slice(ROOT.length + 1) : id.replace(/^.*\/node_modules\//, "node_modules/");
}

/** Each module by itself and each package, so that what a command line loads can be seen. */
export const ONE_BY_ONE = [
  { name: packageName, debugName: "packages", test: isPackage },
  {
    name: (id) => (id.startsWith(ROOT) ? relativeToRoot(id).replace(/\W/g, "-") : null),
    debugName: "modules",
  },
];

/**
 * What is loaded together is one chunk: what the first sample needs is the entry, what each further one needs besides is
 * named after it. What these could need but do not is kept out of their way, in a chunk beside each.
 * @param chunks of the bundle that has each module by itself
 * @param {(import("./samples.js").Sample & { loads: string[] })[]} samples what they load of it
 * @param {ReadonlyMap<string, readonly string[]>} importsOf from each module to those that it imports
 */
export function groupsOfSamples(chunks, samples, importsOf) {
  const names = new Map(
    chunks.flatMap(({ fileName, moduleIds }) => moduleIds.map((id) => [id, chunkName(fileName, samples)])),
  );
  const nameWhatIsLeft = (id, name) => {
    for (const imported of importsOf.get(id) ?? []) {
      if (names.get(imported) !== null) continue;
      names.set(imported, name);
      nameWhatIsLeft(imported, name);
    }
  };
  for (const [id, name] of [...names]) if (name !== null) nameWhatIsLeft(id, `${name}-rest`);
  return [
    // Each package by itself, but the one that all but the first sample load.
    {
      name: (id) => (packageName(id) === "commander" ? null : packageName(id)),
      debugName: "packages",
      test: isPackage,
    },
    { name: (id) => names.get(id) ?? null, debugName: "samples" },
  ];
}

/** The chunk of what has been in this file, when each module was by itself; `null` when no sample has loaded it. */
function chunkName(file, samples) {
  const loading = samples.filter(({ loads }) => loads.includes(file));
  const owner = loading.find(({ apart }) => !apart);
  const other = loading.find((sample) => sample !== owner);
  if (owner === undefined) return null;
  return owner.divided && other !== undefined ? `${owner.name}-${other.name}` : owner.name;
}
