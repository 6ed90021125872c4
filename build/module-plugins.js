// What is bundled in place of a module that stands in src/ or in a package.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { transform } from "rolldown/utils";

const ROOT = resolve(import.meta.dirname, "..");

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

/** Of commander we use classes; its index makes a command besides, and a module for ESM around it copies all it has. */
const COMMANDER_CLASSES = {
  argument: ["Argument"],
  command: ["Command"],
  error: ["CommanderError", "InvalidArgumentError"],
  option: ["Option"],
};

const commanderPlugin = {
  name: "commander-classes",
  resolveId: (id) => (id === "commander" ? "\0commander-classes" : null),
  load: (id) =>
    id === "\0commander-classes" ? Object.entries(COMMANDER_CLASSES).map(exportFromCommander).join("\n") : null,
};

function exportFromCommander([file, names]) {
  return `export { ${names} } from "${join(ROOT, `node_modules/commander/lib/${file}.js`)}";`;
}

/** Telemetry that the client of Redis would have if somebody asked it to; nobody does. */
const redisPlugin = {
  name: "redis-without-telemetry",
  resolveId: (id) => (id === "@opentelemetry/api" ? "\0no-telemetry" : null),
  load: (id) => (id === "\0no-telemetry" ? "export {};" : null),
};

export const modulePlugins = [versionPlugin, primorialPlugin, dns2Plugin, commanderPlugin, redisPlugin];
