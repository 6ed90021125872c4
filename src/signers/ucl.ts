import { quoteName } from "../keys/domain-name.ts";
import { signerSyntaxError } from "./signer-reading.ts";

/*
 * The part of UCL (libucl) in which rspamd's configuration is written: objects, named sections, arrays, quoted and bare
 * strings, here-documents, comments. Macros (`.include`) are listed, not followed; variables stay as they are written.
 */

export type UclValue = string | UclObject | UclValue[];

/** Each name with all its values: what stands twice is a list. */
export class UclObject {
  readonly line: number;
  readonly members = new Map<string, { readonly value: UclValue; readonly line: number }[]>();
  constructor(line: number) {
    this.line = line;
  }
}

export interface UclDocument {
  readonly root: UclObject;
  readonly macros: readonly { readonly text: string; readonly line: number }[];
}

const MAX_DEPTH = 32;

/** @throws {SignerSyntaxError} with file and line */
export function parseUcl(text: string, file: string): UclDocument {
  return new UclParser(text, file).parse();
}

class UclParser {
  readonly #text: string;
  readonly #file: string;
  readonly #macros: { text: string; line: number }[] = [];
  #at = 0;
  #line = 1;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  parse(): UclDocument {
    this.#skipSpace();
    const isBraced = this.#peek() === "{";
    if (isBraced) this.#take(1);
    const root = this.#object(isBraced ? "}" : "", 0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#error(`unexpected ${quoteName(this.#peek())}`);
    return { root, macros: this.#macros };
  }

  #object(end: "}" | "", depth: number): UclObject {
    if (depth > MAX_DEPTH) throw this.#error("sections stand too deep in each other");
    const object = new UclObject(this.#line);
    for (;;) {
      this.#skipSeparators();
      if (this.#at >= this.#text.length) {
        if (end === "") return object;
        throw signerSyntaxError(this.#file, object.line, `the "{" of this line is never closed`);
      }
      if (this.#peek() === "}" && end === "}") {
        this.#take(1);
        return object;
      }
      if (this.#peek() === ".") this.#macros.push({ line: this.#line, text: this.#take(/^[^\n]*/).trim() });
      else this.#member(object, depth);
    }
  }

  #member(object: UclObject, depth: number): void {
    const line = this.#line;
    const key = this.#key();
    this.#skipSpace();
    if (/[=:]/.test(this.#peek())) this.#take(1);
    this.#skipSpace();
    const value = this.#value(depth);
    object.members.set(key, [...(object.members.get(key) ?? []), { value, line }]);
  }

  #key(): string {
    const key = this.#peek() === '"' ? this.#quoted() : this.#take(/^[^\s=:;,{}[\]"#]+/);
    if (key === "") throw this.#error(`a name is expected, not ${quoteName(this.#peek())}`);
    return key;
  }

  #value(depth: number): UclValue {
    const char = this.#peek();
    if (char === "{") {
      this.#take(1);
      return this.#object("}", depth + 1);
    }
    if (char === "[") return this.#array(depth);
    // `section "name" {` is an object with one member, itself a section.
    const named = /^(?:"(?:[^"\\\n]|\\.)*"|[\w.*@-]+)[ \t]*(?:"|\w[\w.-]*[ \t]*\{|\{)/.test(this.#rest());
    if (named) {
      const object = new UclObject(this.#line);
      this.#member(object, depth + 1);
      return object;
    }
    if (char === '"') return this.#quoted();
    if (this.#rest().startsWith("<<")) return this.#hereDocument();
    const bare = this.#take(/^[^;,\n{}[\]#]*/).trim();
    if (bare === "") throw this.#error("a value is expected");
    return bare;
  }

  #array(depth: number): UclValue[] {
    const line = this.#line;
    if (depth > MAX_DEPTH) throw this.#error("lists stand too deep in each other");
    this.#take(1);
    const items: UclValue[] = [];
    for (;;) {
      this.#skipSeparators();
      if (this.#at >= this.#text.length)
        throw signerSyntaxError(this.#file, line, `the "[" of this line is never closed`);
      if (this.#peek() === "]") {
        this.#take(1);
        return items;
      }
      items.push(this.#value(depth + 1));
    }
  }

  #quoted(): string {
    const line = this.#line;
    const [whole, content = ""] = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(this.#text.slice(this.#at)) ?? [];
    if (whole === undefined) throw signerSyntaxError(this.#file, line, "a quoted string is never closed");
    this.#take(whole.length);
    const named: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };
    return content.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_, code: string | undefined, char: string) =>
      code === undefined ? (named[char] ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
    );
  }

  #hereDocument(): string {
    const line = this.#line;
    const [whole, , content] = /^<<([A-Z]+)\n([\s\S]*?)\n\1(?=[\s;,]|$)/.exec(this.#text.slice(this.#at)) ?? [];
    if (whole === undefined) throw signerSyntaxError(this.#file, line, "a here-document is never closed");
    this.#take(whole.length);
    return content ?? "";
  }

  #skipSeparators(): void {
    do this.#skipSpace();
    while (/[;,]/.test(this.#peek()) && this.#take(1) !== "");
  }

  #skipSpace(): void {
    for (;;) {
      this.#take(/^(?:\s|#[^\n]*)+/);
      if (!this.#rest().startsWith("/*")) return;
      const line = this.#line;
      const end = this.#text.indexOf("*/", this.#at + 2);
      if (end < 0) throw signerSyntaxError(this.#file, line, "a comment is never closed");
      this.#take(end + 2 - this.#at);
    }
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  /** Enough to decide what comes next. */
  #rest(): string {
    return this.#text.slice(this.#at, this.#at + 512);
  }

  #take(what: number | RegExp): string {
    const taken =
      typeof what === "number"
        ? this.#text.slice(this.#at, this.#at + what)
        : (what.exec(this.#text.slice(this.#at))?.[0] ?? "");
    this.#at += taken.length;
    for (const char of taken) if (char === "\n") this.#line += 1;
    return taken;
  }

  #error(reason: string) {
    return signerSyntaxError(this.#file, this.#line, reason);
  }
}
