import { parseRecordTags } from "../dns/record-tags.ts";
import { DkimctlError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import { readPerlLiteral, readPerlScalar, skipSpace } from "./perl-literal.ts";
import { ReadingBuilder, type SignerReading, shown, signerSyntaxError } from "./signer-reading.ts";

/**
 * The `dkim_key` lines of an amavisd.conf, which is a Perl program and is not run: a line counts when it starts with
 * `dkim_key` and its arguments are literals. Any other use of it is named as not understood.
 */
export function readAmavis(text: string, file: string): SignerReading {
  const reading = new ReadingBuilder();
  for (const { start, line, code } of programLines(text)) {
    const where = `${shown(file)}:${line}`;
    if (/^\s*dkim_key\b(?!\s*=>)/.test(code)) {
      const call = readCall(text, start + code.indexOf("dkim_key") + "dkim_key".length);
      if (call === "unterminated") throw signerSyntaxError(file, line, "a string or the call of dkim_key does not end");
      if (call === undefined) reading.skip(where, "dkim_key is called with what only Perl can tell");
      else addKey(reading, where, call);
    } else if (/^\s*@dkim_signature_options_bysender_maps\s*=/.test(code)) {
      readChoices(reading, text, start + code.indexOf("=") + 1, { file, line });
    } else if (/(?<![\w$@%&>:'"{-])dkim_key\s*[(\s]\s*[^\s;]/.test(code)) {
      reading.skip(where, "dkim_key is called within a Perl statement");
    } else if (/^\s*(?:include_config_files|include_optional_config_files|do|require)\b/.test(code)) {
      reading.skip(where, "other files are included: name them too");
    }
  }
  return reading;
}

/**
 * `({ SENDER => { d => …, s => … }, … }, …)`: which key signs for a sender; the first map that has the sender counts.
 * What is no literal is named as not understood, and the senders that are stay.
 */
function readChoices(reading: ReadingBuilder, text: string, from: number, at: { file: string; line: number }): void {
  const list = readPerlLiteral(text, from)?.value;
  const maps: unknown[] = Array.isArray(list) ? list : [undefined];
  if (!maps.every((map) => map instanceof Map)) {
    const reason = "@dkim_signature_options_bysender_maps is filled with what only Perl can tell";
    reading.skip(`${shown(at.file)}:${at.line}`, reason);
    return;
  }
  const seen = new Set<string>();
  let [line, counted] = [at.line, from];
  for (const map of maps) {
    for (const [sender, { value: options, at: position }] of map) {
      line += text.slice(counted, position).split("\n").length - 1;
      counted = position;
      const where = `${shown(at.file)}:${line}`;
      if (seen.has(sender)) continue;
      seen.add(sender);
      if (!(options instanceof Map)) {
        reading.skip(where, `the options of the sender ${quoteName(sender)} are no literals`);
        continue;
      }
      const [domain, selector] = ["d", "s"].map((name) => {
        const option = options.get(name)?.value;
        return typeof option === "string" ? option.toLowerCase() : undefined;
      });
      reading.choices.push({ sender, domain, selector, where });
    }
  }
}

/** Lines of the program without documentation (perlpod) and without what follows `__END__`; comments are cut off. */
function* programLines(text: string): Generator<{ start: number; line: number; code: string }> {
  let start = 0;
  let inPod = false;
  for (const [index, whole] of text.split("\n").entries()) {
    if (/^__(?:END|DATA)__\s*$/.test(whole) && !inPod) return;
    if (/^=cut\b/.test(whole)) inPod = false;
    else if (/^=[a-zA-Z]/.test(whole)) inPod = true;
    else if (!inPod) yield { start, line: index + 1, code: whole.replace(/(?:^|(?<=\s))#.*/, "") };
    start += whole.length + 1;
  }
}

function addKey(reading: ReadingBuilder, where: string, call: readonly (string | undefined)[]): void {
  const [domain, selector, path, ...options] = call;
  if (domain === undefined || selector === undefined || path === undefined || options.length % 2 !== 0) {
    reading.skip(where, "dkim_key wants a domain, a selector, a file, and pairs of tags");
    return;
  }
  if (!path.startsWith("/")) {
    reading.skip(where, `the path ${quoteName(path)} is relative to a folder that only the signer knows`);
    return;
  }
  let tags: RecordTags = {};
  try {
    tags = recordTags(options);
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    reading.skip(where, `the tags of this key are left out: ${error.message}`);
  }
  reading.add(where, domain, selector, { kind: "file", path }, tags);
}

/** The options that amavisd's showkeys prints and that are ours to choose; the last of a name counts, as in Perl. */
function recordTags(options: readonly (string | undefined)[]): RecordTags {
  const values = new Map<string | undefined, string>();
  for (let i = 0; i < options.length; i += 2) {
    const value = options[i + 1];
    if (value !== undefined && value !== "") values.set(options[i], value);
  }
  const words = (tag: string) => {
    const value = values.get(tag);
    return value === undefined ? undefined : [value];
  };
  const note = values.get("n");
  const [hash, service, flags] = [words("h"), words("s"), words("t")];
  return parseRecordTags({
    ...(hash && { hash }),
    ...(service && { service }),
    ...(flags && { flags }),
    ...(note !== undefined && { note }),
  });
}

/**
 * The arguments of a call, `undefined` within for `undef`; `undefined` for a call that is no list of literals followed
 * by `;`.
 */
function readCall(text: string, from: number): (string | undefined)[] | "unterminated" | undefined {
  let at = skipSpace(text, from);
  const hasParenthesis = text[at] === "(";
  if (hasParenthesis) at += 1;
  const list: (string | undefined)[] = [];
  for (let wantsValue = true; ; ) {
    at = skipSpace(text, at);
    if (at >= text.length) return "unterminated";
    const rest = text.slice(at, at + 4096);
    if (hasParenthesis && rest.startsWith(")")) {
      return text[skipSpace(text, at + 1)] === ";" ? list : undefined;
    }
    if (!hasParenthesis && rest.startsWith(";")) return list;
    const separator = /^(?:,|=>)/.exec(rest)?.[0];
    if (separator !== undefined) {
      if (wantsValue && list.length === 0) return undefined;
      at += separator.length;
      wantsValue = true;
      continue;
    }
    if (!wantsValue) return undefined;
    const literal = readPerlScalar(rest);
    if (literal === undefined || literal === "unterminated") return literal;
    list.push(literal.value);
    at += literal.length;
    wantsValue = false;
  }
}
