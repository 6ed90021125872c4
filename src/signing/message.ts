import { OperationError } from "../errors.ts";

/**
 * A raw message as DKIM sees it (RFC 6376 §2.2, RFC 5322 §2.2): header fields with their exact octets, and the body.
 * Line ends may be CRLF or LF, also mixed: RFC 6376 §5.3 wants CRLF before anything is hashed, so each LF without CR
 * counts as CRLF. A CR without LF is an ordinary octet. Reading never fails: whatever is no header field is kept without
 * a name, so that no signature can refer to it and nothing that follows is hidden.
 */
export interface Message {
  readonly fields: readonly HeaderField[];
  /** What follows the first empty line, as it stands in the input; empty when there is no such line. */
  readonly body: Uint8Array;
}

export interface HeaderField {
  /** Lower case, without the white space that obsolete syntax allows before the colon; empty when the line is no field. */
  readonly name: string;
  /** The field's octets, one UTF-16 unit each (latin1), folds as CRLF, without the CRLF that ends it. */
  readonly text: string;
}

/** Bounds on what one message may make us do; each is far above honest mail. */
export interface MessageLimits {
  /** Octets of the whole message; default 128 MiB. */
  readonly maxMessageOctets?: number;
  /** Octets up to the empty line; default 4 MiB. */
  readonly maxHeaderOctets?: number;
  /** Header fields; default 10,000. */
  readonly maxHeaderFields?: number;
}

/** A message beyond the limits: it was not examined. */
export class MessageLimitError extends OperationError {
  override readonly code = "DKIM_MESSAGE_LIMIT";
}

const LF = 0x0a;
const CR = 0x0d;
/** RFC 5322 §2.2 ftext; §4.5 lets white space stand before the colon. */
const FIELD_NAME = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/;

/**
 * Reads the message in time linear in its size.
 * @throws {MessageLimitError}
 */
export function parseMessage(raw: Uint8Array, limits: MessageLimits = {}): Message {
  const { maxMessageOctets = 0x800_0000, maxHeaderOctets = 0x40_0000, maxHeaderFields = 10_000 } = limits;
  if (raw.length > maxMessageOctets) throw limitError(`${raw.length} octets`, maxMessageOctets);
  const octets = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const fieldStarts: number[] = [];
  let headerEnd = octets.length;
  let bodyStart = octets.length;
  for (let lineStart = 0; lineStart < octets.length; ) {
    const lf = octets.indexOf(LF, lineStart);
    const lineEnd = lf === -1 ? octets.length : lf;
    if (lineEnd === lineStart || (lf === lineStart + 1 && octets[lineStart] === CR)) {
      headerEnd = lineStart;
      bodyStart = lineEnd + 1;
      break;
    }
    if (lineStart === 0 || !isWsp(octets[lineStart])) fieldStarts.push(lineStart);
    if (fieldStarts.length > maxHeaderFields) throw limitError(`more header fields`, maxHeaderFields);
    if (lineEnd > maxHeaderOctets) throw limitError("a longer header", maxHeaderOctets);
    lineStart = lineEnd + 1;
  }
  const fields = fieldStarts.map((start, index) =>
    readField(octets.toString("latin1", start, fieldStarts[index + 1] ?? headerEnd)),
  );
  return { fields, body: octets.subarray(bodyStart) };
}

function readField(lines: string): HeaderField {
  const firstLineEnd = lines.indexOf("\n");
  const isOneLine = firstLineEnd === lines.length - 1 && lines.endsWith("\r\n");
  const text = isOneLine ? lines.slice(0, -2) : lines.replace(/\r?\n/g, "\r\n").replace(/\r\n$/, "");
  return { name: FIELD_NAME.exec(text)?.[1]?.toLowerCase() ?? "", text };
}

function isWsp(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09;
}

function limitError(found: string, limit: number): MessageLimitError {
  return new MessageLimitError(`the message has ${found}; the limit is ${limit}`);
}
