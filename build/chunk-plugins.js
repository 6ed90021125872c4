// What is done to the text of chunks, so that they load fast.

/**
 * Node's own modules and the other chunks are loaded at their first use: of node:crypto, node:net, node:tls, node:http2
 * and node:child_process (which commander wants for what we do not use) each costs milliseconds.
 */
const REQUIRE_LINE = /^(\t*)(?:let|const) ([\w$]+) = (require\("[\w.:@/-]+"\));$/gm;
const INTEROP_LINE = /^()var ([\w$]+) = ((?:\/\* @__PURE__ \*\/ )?\S+__toESM\(.*\));$/gm;

/** What bin/dkimctl.js or Node itself has loaded already. */
const LOADED = new Set(["fs", "path", "vm"].map((name) => `require("node:${name}")`));

function loadLazily(code, lines) {
  let lazy = code;
  for (const [line, indent, name, value] of code.matchAll(lines)) {
    // Names of the whole chunk; of those inside a CommonJS module only the one that costs.
    if (indent !== "" && name !== "childProcess") continue;
    // Not the dot of `a.name`, but those of `...name`.
    const used = (after) => new RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.)${name.replaceAll("$", "\\$")}${after}`, "g");
    // Used other than as `name.member`, as default imports are: it stays as it is.
    if (used("(?![\\w$.])").test(lazy.replace(line, ""))) continue;
    const [rest, declared] = LOADED.has(value)
      ? withMembers(lazy, name, used("\\.([\\w$]+)"), value)
      : [
          lazy.replace(used("\\."), () => `(${name}()).`),
          `let ${name}$; const ${name} = () => (${name}$ ??= ${value});`,
        ];
    lazy = rest.replace(line, () => indent + declared);
    if (lazy === rest) throw new Error(`${name} is used where it is declared`);
  }
  return lazy;
}

/** Taken apart: a look into these large modules at each call shows in a loop over many files. */
function withMembers(code, name, member, value) {
  const names = new Set(Array.from(code.matchAll(member), ([, each]) => each));
  const taken = Array.from(names, (each) => `${each}: ${name}_${each}`);
  return [code.replace(member, (_, each) => `${name}_${each}`), `const { ${taken.join(", ")} } = ${value};`];
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
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      const used = chunk === host ? "exports" : `require("./${RUNTIME_HOST}")`;
      chunk.code = chunk.code.replaceAll(`require("./${RUNTIME}")`, used);
    }
    host.code = functions + host.code;
    delete bundle[RUNTIME];
  },
};
const RUNTIME = "rolldown-runtime.cjs";
const RUNTIME_HOST = "cli.cjs";

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

/** In this order: the last wants no text after it that is not ASCII. */
export const chunkPlugins = [lazyRequirePlugin, exportsPlugin, runtimePlugin, asciiPlugin];
