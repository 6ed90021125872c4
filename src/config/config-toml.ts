import { type AST, ParseError, parseTOML } from "toml-eslint-parser";

/** A value as it stands in a TOML file. */
export type TomlValue =
  | { readonly kind: "string"; readonly value: string }
  /** `text` as written: `0o640`, `1_000`. */
  | { readonly kind: "integer" | "float"; readonly value: number; readonly text: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "array"; readonly items: readonly TomlValue[] }
  | { readonly kind: "date" | "table" };

/** One setting or one section's header, in the order of the file; dotted keys and inline tables are taken apart. */
export interface TomlEntry {
  readonly path: readonly string[];
  readonly line: number;
  /** `undefined`: the header of a section; `table`: that of one element of an array of sections. */
  readonly value: TomlValue | undefined;
}

/** What is no TOML 1.0, with the line. */
export class TomlSyntaxError extends Error {
  readonly line: number;
  constructor(message: string, line: number, options?: ErrorOptions) {
    super(message, options);
    this.line = line;
  }
}

/** @throws {TomlSyntaxError} a key or section that is defined twice, too */
export function parseToml(text: string): TomlEntry[] {
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(text.replace(/^\ufeff/, ""), { tomlVersion: "1.0" });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const message = /multiple times/.test(error.message)
      ? "this key or section is defined twice"
      : error.message.charAt(0).toLowerCase() + error.message.slice(1).replace(/\.$/, "");
    throw new TomlSyntaxError(message, faultLine(text, error), { cause: error });
  }
  return program.body[0].body.flatMap((node) => {
    if (node.type === "TOMLKeyValue") return keyValueEntries(node, []);
    const path = keyPath(node.key);
    const header: TomlEntry = {
      path,
      line: node.loc.start.line,
      value: node.kind === "array" ? { kind: "table" } : undefined,
    };
    return [header, ...node.body.flatMap((pair) => keyValueEntries(pair, path))];
  });
}

/** A value that is missing is reported where the next line begins: the fault is where the text before it ends. */
function faultLine(text: string, { lineNumber, column }: ParseError): number {
  if (column > 0) return lineNumber;
  const lines = text.split(/\r?\n/).slice(0, lineNumber);
  return (lines.at(-1) ?? "") === "" ? Math.max(1, lines.join("\n").trimEnd().split("\n").length) : lineNumber;
}

function keyValueEntries(node: AST.TOMLKeyValue, section: readonly string[]): TomlEntry[] {
  const path = [...section, ...keyPath(node.key)];
  if (node.value.type !== "TOMLInlineTable") {
    return [{ path, line: node.key.loc.start.line, value: tomlValue(node.value) }];
  }
  const header: TomlEntry = { path, line: node.key.loc.start.line, value: undefined };
  return [header, ...node.value.body.flatMap((pair) => keyValueEntries(pair, path))];
}

function keyPath(key: AST.TOMLKey): string[] {
  return key.keys.map((part) => (part.type === "TOMLBare" ? part.name : part.value));
}

function tomlValue(node: AST.TOMLContentNode): TomlValue {
  switch (node.type) {
    case "TOMLArray":
      return { kind: "array", items: node.elements.map(tomlValue) };
    case "TOMLInlineTable":
      return { kind: "table" };
    case "TOMLValue":
      switch (node.kind) {
        case "string":
          return { kind: "string", value: node.value };
        case "integer":
        case "float":
          return { kind: node.kind, value: node.value, text: node.number };
        case "boolean":
          return { kind: "boolean", value: node.value };
        default:
          return { kind: "date" };
      }
  }
}
