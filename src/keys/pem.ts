import { OperationError } from "../errors.ts";

/** Text that has a PEM frame and is damaged. Names lines and labels, never the body. */
export class PemError extends OperationError {
  override readonly code = "DKIM_PEM";
}

/** One block between BEGIN and END lines (RFC 7468 §2). */
export interface PemBlock {
  /** `RSA PRIVATE KEY` and the like. */
  readonly label: string;
  /** The body, decoded. */
  readonly bytes: Uint8Array;
  /** Has `Proc-Type: 4,ENCRYPTED` (RFC 1421 §4.6.1.1, as OpenSSL's traditional format has it). */
  readonly isEncrypted: boolean;
}

export interface PemText {
  /** In order; empty when the text holds no BEGIN line. */
  readonly blocks: readonly PemBlock[];
  /** What was tolerated and other software may not tolerate, one sentence each. */
  readonly notes: readonly string[];
}

const BEGIN = "-----BEGIN ";
const END = "-----END ";

/**
 * The PEM blocks in a text: CRLF or LF, any line width, blank lines, explanatory text around (RFC 7468 §5.2), no final
 * newline. The base64 must be what an encoder writes. One octet is one character (latin1): a UTF-8 byte order mark is
 * three.
 * @throws {PemError} no END, labels that differ, bad base64, bare CR line ends
 */
export function parsePem(latin1: string): PemText {
  const notes: string[] = [];
  const blocks: PemBlock[] = [];
  let text = latin1;
  if (text.startsWith("\xef\xbb\xbf")) {
    text = text.slice(3);
    notes.push("the file starts with a byte order mark, which some programs refuse");
  }
  let position = text.indexOf(BEGIN);
  while (position >= 0) {
    if (position === 0 || text[position - 1] === "\n") {
      const { block, end } = readBlock(text, position);
      blocks.push(block);
      position = text.indexOf(BEGIN, end);
    } else {
      if (text[position - 1] === "\r") throw bareCarriageReturn();
      if (/(^|\n)[ \t]+$/.test(text.slice(Math.max(0, position - 80), position))) {
        throw new PemError("the PEM block is indented", { hint: "remove the spaces before each line" });
      }
      // In the middle of a line it is talk about PEM.
      position = text.indexOf(BEGIN, position + BEGIN.length);
    }
  }
  return { blocks, notes };
}

function readBlock(text: string, start: number): { block: PemBlock; end: number } {
  const beginLine = lineAt(text, start);
  // Labels are quoted in messages: nothing that could be base64 of a key counts as one.
  const label = /^-----BEGIN ([A-Z0-9 ]{1,60})-----$/.exec(beginLine.text)?.[1];
  if (label === undefined) {
    throw beginLine.text.includes("\r")
      ? bareCarriageReturn()
      : new PemError("the BEGIN line is not -----BEGIN <label>----- alone on its line", {
          hint: "put the BEGIN line, the base64 and the END line on lines of their own",
        });
  }
  const bodyStart = beginLine.next;
  const endStart = text.indexOf(END, bodyStart);
  const nextBegin = text.indexOf(BEGIN, bodyStart);
  if (endStart < 0 || (nextBegin >= 0 && nextBegin < endStart)) {
    throw new PemError(`the END line of the ${label} block is missing`, {
      hint: "the file is cut off: copy it again from where it was made",
    });
  }
  const body = text.slice(bodyStart, endStart);
  if (body !== "" && !body.endsWith("\n")) {
    if (body.endsWith("\r")) throw bareCarriageReturn();
    throw new PemError(`the END line of the ${label} block does not start its line`);
  }
  const endLine = lineAt(text, endStart);
  if (endLine.text !== `${END}${label}-----`) {
    throw new PemError(`the ${label} block ends with another label`, {
      hint: "BEGIN and END must name the same thing",
    });
  }
  const { headers, base64 } = splitHeaders(body);
  const bytes = decodePemBody(base64, label);
  return { block: { label, bytes, isEncrypted: /^Proc-Type:.*ENCRYPTED/m.test(headers) }, end: endLine.next };
}

function lineAt(text: string, start: number): { text: string; next: number } {
  const newline = text.indexOf("\n", start);
  const end = newline < 0 ? text.length : newline;
  return {
    text: text
      .slice(start, end)
      .replace(/\r?[ \t]*$/, "")
      .trimEnd(),
    next: newline < 0 ? end : newline + 1,
  };
}

/** RFC 1421 headers, which end at a blank line; a body without a colon has none. */
function splitHeaders(body: string): { headers: string; base64: string } {
  if (!body.includes(":")) return { headers: "", base64: body };
  const blank = /\n[ \t]*\r?\n/.exec(body);
  return blank === null
    ? { headers: body, base64: "" }
    : { headers: body.slice(0, blank.index), base64: body.slice(blank.index + blank[0].length) };
}

function decodePemBody(body: string, label: string): Uint8Array {
  if (body.includes("\r") && /\r(?!\n)/.test(body)) throw bareCarriageReturn();
  // The plain case first: over 100,000 files the regular expression shows.
  const joined = body.replaceAll("\n", "");
  const hasBlanks = joined.includes("\r") || joined.includes(" ") || joined.includes("\t");
  const base64 = hasBlanks ? joined.replace(/[ \t\r]+/g, "") : joined;
  const bytes = decodeBase64(base64);
  if (bytes !== undefined && bytes.length > 0) return bytes;
  if (base64 === "") throw new PemError(`the ${label} block is empty`);
  const line = body.split("\n").findIndex((each) => /[^A-Za-z0-9+/=\s]/.test(each));
  const where = line < 0 ? "its length or its padding is wrong" : `line ${line + 1} has a character that is not base64`;
  throw new PemError(`the base64 of the ${label} block is damaged: ${where}`, {
    hint: "copy the file again from where it was made",
  });
}

/** The octets of canonical base64 (RFC 4648 §4: padded, zero padding bits, no white space); `undefined` for all else. */
export function decodeBase64(base64: string): Uint8Array | undefined {
  const bytes = Buffer.from(base64, "base64");
  // Node skips what it does not know: only what encodes to the same text was base64.
  if (bytes.toString("base64") !== base64) return undefined;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bareCarriageReturn(): PemError {
  return new PemError("the lines end with a bare CR, which OpenSSL and the signers do not read", {
    hint: String.raw`convert a copy: tr '\r' '\n' < FILE > COPY`,
  });
}

/** One PEM block, 64 characters a line, LF line ends. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return `${BEGIN}${label}-----\n${base64.replace(/.{1,64}/g, "$&\n")}${END}${label}-----\n`;
}
