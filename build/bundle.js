// Bundles the command line into dist/cli: one CommonJS chunk for each command and each heavy package, loaded when used.
// The source is what it is; what is special about the bundle is done here.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import { transform } from "rolldown/utils";
import { writeCodeCache } from "./code-cache.js";
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

const lazyRequirePlugin = {
  name: "lazy-require",
  renderChunk: (code) => ({ code: loadLazily(loadLazily(code, INTEROP_LINE), REQUIRE_LINE), map: null }),
};

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

const packageName = (id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1]?.replace("/", "-") ?? null;

/** What is loaded together. Each package by itself; of the source, what every command needs and what the store needs. */
const GROUPS = [
  {
    name: "cli",
    test: /src\/(errors|main|program|context|cli|package-version)\.ts$|node_modules\/commander\/|^\0rolldown\/runtime/,
    priority: 9,
  },
  { name: packageName, debugName: "packages", test: /node_modules/, priority: 8 },
  { name: "redis", test: /src\/(keys\/redis\/(?!redis-address)|rotation\/redis-)/, priority: 5 },
  { name: "toml", test: /src\/config\/config-toml\.ts$/, priority: 7 },
  { name: "key-strength", test: /src\/keys\/(weak-keys\/|key-strength)/, priority: 5 },
  {
    name: "keys",
    test: /src\/keys\/(?!domain-warnings|foreign|fast|encrypted|generate|public-suffix|selector-template|weak-keys|key-strength|redis\/(?!redis-address)|vault\/(?!vault-address))/,
    priority: 6,
  },
  { name: "nearest-name", test: /src\/nearest-name\.ts$/, priority: 7 },
  { name: "options", test: /src\/commands\/options\.ts$/, priority: 5 },
  {
    name: "settings",
    test: /src\/(config|commands\/(settings|notices|stored-keys|input-files|key-owners)\.ts)/,
  },
  {
    name: "records",
    test: /src\/(report\/(domain-filter|record-formats)|dns\/(key-record|record-tags|txt-strings|zone-text-write|qp-section|tag-list))/,
  },
];

const bundle = await rolldown({
  cwd: ROOT,
  input: { cli: "src/cli.ts" },
  platform: "node",
  preserveEntrySignatures: "allow-extension",
  plugins: [versionPlugin, primorialPlugin, dns2Plugin, redisPlugin, lazyRequirePlugin, asciiPlugin],
});
rmSync(OUT, { recursive: true, force: true });
const { output } = await bundle.write({
  dir: OUT,
  format: "cjs",
  exports: "named",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name].cjs",
  sourcemap: true,
  comments: false,
  codeSplitting: { groups: GROUPS },
});
await bundle.close();
const chunks = output.filter(({ type }) => type === "chunk");
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
