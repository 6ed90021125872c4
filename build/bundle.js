// Bundles the command line into dist/cli: one CommonJS chunk for each command and each heavy package, loaded when used.
// The source is what it is; what is special about the bundle is done here.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import { transform } from "rolldown/utils";
import { observeSamples, writeCodeCache } from "./code-cache.js";
import { writeLicenses } from "./licenses.js";

const ROOT = resolve(import.meta.dirname, "..");
/** The folder that becomes the package's dist/; tests give one of their own. */
const DIST = resolve(process.argv[2] ?? join(ROOT, "dist"));
const OUT = join(DIST, "cli");

/** src/package-version.ts looks for package.json beside itself, where the bundle is not. */
const versionPlugin = {
  name: "package-version",
  load(id) {
    if (!id.endsWith("/src/package-version.ts")) return null;
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    return `export const packageVersion = () => ${JSON.stringify(version)};`;
  },
};

/** What src/keys/weak-keys/primorial.ts computes, computed: as text, which V8 reads in no time. */
const primorialPlugin = {
  name: "primorial",
  load: {
    filter: { id: /\/src\/keys\/weak-keys\/primorial\.ts$/ },
    async handler(id) {
      const source = readFileSync(id, "utf8");
      const { code: script } = await transform(id, source);
      const { primorial } = await import(`data:text/javascript,${encodeURIComponent(script)}`);
      const code = source.replace(
        "let known: bigint | undefined;",
        `let known = BigInt("0x${primorial().toString(16)}");`,
      );
      if (code === source) throw new Error(`${id} keeps its result elsewhere`);
      return { code, moduleType: "ts" };
    },
  },
};

/** Of dns2 we use the codec; the rest of it would load http and more. */
const dns2Plugin = {
  name: "dns2-codec",
  resolveId: (id, importer) => (id === "dns2" && importer?.endsWith("/dns2-codec.ts") ? "\0dns2-codec" : null),
  load: (id) =>
    id === "\0dns2-codec" ? `export { default as Packet } from "${join(ROOT, "node_modules/dns2/packet.js")}";` : null,
};

/** Telemetry that the client of Redis would have if somebody asked it to; nobody does. */
const redisPlugin = {
  name: "redis-without-telemetry",
  resolveId: (id) => (id === "@opentelemetry/api" ? "\0no-telemetry" : null),
  load: (id) => (id === "\0no-telemetry" ? "export {};" : null),
};

/**
 * Node's own modules and the other chunks are loaded at their first use: of node:crypto, node:net, node:tls, node:http2
 * and node:child_process (which commander wants for what we do not use) each costs milliseconds.
 */
const REQUIRE_LINE = /^(\t*)(?:let|const) ([\w$]+) = (require\("[\w.:@/-]+"\));$/gm;
const INTEROP_LINE = /^()var ([\w$]+) = ((?:\/\* @__PURE__ \*\/ )?\S+__toESM\(.*\));$/gm;

function loadLazily(code, lines) {
  let lazy = code;
  for (const [line, indent, name, value] of code.matchAll(lines)) {
    // Names of the whole chunk; of those inside a CommonJS module only the one that costs.
    if (indent !== "" && name !== "childProcess") continue;
    // Not the dot of `a.name`, but those of `...name`.
    const used = (after) => new RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.)${name.replaceAll("$", "\\$")}${after}`, "g");
    // Used other than as `name.member`, as default imports are: it stays as it is.
    if (used("(?![\\w$.])").test(lazy.replace(line, ""))) continue;
    const call = `(${name}()).`;
    const rest = lazy.replace(used("\\."), () => call);
    lazy = rest.replace(line, () => `${indent}let ${name}$; const ${name} = () => (${name}$ ??= ${value});`);
    if (lazy === rest) throw new Error(`${name} is used where it is declared`);
  }
  return lazy;
}

/** `import * as name` of one of Node's own modules: for those who use no default, that module, not a copy of it. */
const NAMESPACE_LINE = /^(node_\w+) = \S+__toESM\(\1(?:, 1)?\);$/gm;

function withoutNamespaces(code) {
  return code.replace(NAMESPACE_LINE, (line, name) => (code.includes(`${name}.default`) ? line : ""));
}

const lazyRequirePlugin = {
  name: "lazy-require",
  renderChunk: (code) => ({
    code: loadLazily(loadLazily(withoutNamespaces(code), INTEROP_LINE), REQUIRE_LINE),
    map: null,
  }),
};

/**
 * What a chunk gives to others, at its end. Rolldown has a function for each, lest it change; only what is declared with
 * `let` can, and a hundred functions take a fifth of a millisecond to make.
 */
const EXPORT =
  /Object\.defineProperty\(exports, "([\w$]+)", \{\n\tenumerable: true,\n\tget: function\(\) \{\n\t\treturn ([\w$]+);\n\t\}\n\}\);/g;

const exportsPlugin = {
  name: "exports",
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      const changing = new Set([...chunk.code.matchAll(/^let ([\w$]+)/gm)].map(([, name]) => name));
      chunk.code = chunk.code.replace(EXPORT, (getter, as, name) =>
        changing.has(name) ? getter : `exports.${as} = ${name};`,
      );
    }
  },
};

/**
 * Rolldown keeps its own functions in a file of their own, the reading of which takes as long as that of a large one: they
 * go where every command line loads them anyway. In one line, so that the source map stays right.
 */
const runtimePlugin = {
  name: "runtime",
  generateBundle(_options, bundle) {
    const { [RUNTIME]: runtime, [RUNTIME_HOST]: host } = bundle;
    if (runtime === undefined || host === undefined) return;
    const functions = runtime.code.replace(/^\/\/.*$/gm, "").replaceAll("\n", " ");
    const [, name = ""] = /^let (\w+)\$;\nconst \1 = .*$/m.exec(host.code) ?? [];
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === "chunk")
        chunk.code = chunk.code.replaceAll(`require("./${RUNTIME}")`, `require("./${RUNTIME_HOST}")`);
    }
    host.code = host.code
      .replace(`let ${name}$;`, functions)
      .replace(`${name}$ ??= require("./${RUNTIME_HOST}")`, "exports");
    delete bundle[RUNTIME];
  },
};
const RUNTIME = "rolldown-runtime.cjs";
const RUNTIME_HOST = "program.cjs";

/**
 * One octet is one character: such a file is decoded without a look at it, and bin/dkimctl.js does so. Done last, since
 * rolldown prints what renderChunk has returned anew, without escapes.
 */
const asciiPlugin = {
  name: "ascii",
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      chunk.code = chunk.code.replace(
        /[^\0-\x7f]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    }
  },
};

/** From each module to those that it imports. */
const importsOf = new Map();
const importsPlugin = {
  name: "imports",
  moduleParsed: ({ id, importedIds }) => void importsOf.set(id, importedIds),
};

const packageName = (id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1]?.replace("/", "-") ?? null;

const isPackage = /node_modules/;

/** Each module by itself and each package, so that what a command line loads can be seen. */
const ONE_BY_ONE = [
  { name: packageName, debugName: "packages", test: isPackage },
  {
    name: (id) => (id.startsWith(ROOT) ? relativeToRoot(id).replace(/\W/g, "-") : null),
    debugName: "modules",
  },
];

const bundle = await rolldown({
  cwd: ROOT,
  input: { cli: "src/cli.ts" },
  platform: "node",
  preserveEntrySignatures: "allow-extension",
  plugins: [
    versionPlugin,
    primorialPlugin,
    dns2Plugin,
    redisPlugin,
    lazyRequirePlugin,
    exportsPlugin,
    runtimePlugin,
    asciiPlugin,
    importsPlugin,
  ],
});

/** @returns the chunks, each of its modules as a path */
async function writeBundle(folder, groups) {
  rmSync(folder, { recursive: true, force: true });
  const { output } = await bundle.write({
    dir: folder,
    format: "cjs",
    exports: "named",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    sourcemap: true,
    comments: false,
    codeSplitting: { groups, includeDependenciesRecursively: false },
  });
  return output.filter(({ type }) => type === "chunk");
}

/**
 * What is loaded together is one chunk: what the first sample needs is the entry, what each further one needs besides is
 * named after it. What these could need but do not is kept out of their way, in a chunk beside each.
 */
async function groupsOfSamples() {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-modules-"));
  try {
    const chunks = await writeBundle(folder, ONE_BY_ONE);
    const samples = observeSamples(folder);
    const names = new Map(
      chunks.flatMap(({ fileName, moduleIds }) => moduleIds.map((id) => [id, chunkName(fileName, samples)])),
    );
    for (const [id, name] of [...names]) if (name !== null) nameWhatIsLeft(id, `${name}-rest`, names);
    return [
      // Each package by itself, but the one that all but the first sample load.
      {
        name: (id) => (packageName(id) === "commander" ? null : packageName(id)),
        debugName: "packages",
        test: isPackage,
      },
      { name: (id) => names.get(id) ?? null, debugName: "samples" },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The chunk of what has been in this file, when each module was by itself; `null` when no sample has loaded it. */
function chunkName(file, samples) {
  const loading = samples.filter(({ loads }) => loads.includes(file));
  const owner = loading.find(({ apart }) => !apart);
  const other = loading.find((sample) => sample !== owner);
  if (owner === undefined) return null;
  return owner.divided && other !== undefined ? `${owner.name}-${other.name}` : owner.name;
}

function nameWhatIsLeft(id, name, names) {
  for (const imported of importsOf.get(id) ?? []) {
    if (names.get(imported) !== null) continue;
    names.set(imported, name);
    nameWhatIsLeft(imported, name, names);
  }
}

const chunks = await writeBundle(OUT, await groupsOfSamples());
await bundle.close();
for (const { fileName, moduleIds } of chunks) {
  // The lines of other people's packages are in the packages.
  if (moduleIds.some((id) => id.startsWith(join(ROOT, "src")))) continue;
  rmSync(join(OUT, `${fileName}.map`), { force: true });
}
const modules = Object.fromEntries(chunks.map(({ fileName, moduleIds }) => [fileName, moduleIds.map(relativeToRoot)]));
writeFileSync(join(OUT, "modules.json"), `${JSON.stringify(modules, null, 1)}\n`);
writeLicenses(
  join(DIST, "THIRD-PARTY-LICENSES"),
  chunks.flatMap(({ moduleIds }) => moduleIds),
);
writeCodeCache(OUT);

function relativeToRoot(id) {
  return id.startsWith(ROOT) ? id.slice(ROOT.length + 1) : id.replace(/^.*\/node_modules\//, "node_modules/");
}
