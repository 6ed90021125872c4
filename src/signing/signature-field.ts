import { type DkimSignature, formatIdentity } from "./signature-header.ts";

/** RFC 5322 §2.1.1 asks for at most 78; names that are longer by themselves stay whole. */
const MAX_LINE_LENGTH = 77;
const FOLD = "\r\n\t";
const FOLDED_LINE = new RegExp(`.{1,${MAX_LINE_LENGTH - 1}}`, "g");

/** What is known before the signature is computed. `identity` is written when it is given. */
export type UnsignedSignature = Omit<DkimSignature, "signature" | "identity"> &
  Partial<Pick<DkimSignature, "identity">>;

/**
 * The DKIM-Signature field, folded, up to and including an empty `b=`, which is what gets signed: b= stands last, so that
 * its value can be appended.
 */
export function formatSignatureField(signature: UnsignedSignature): string {
  const { headerCanonicalization, bodyCanonicalization, identity, bodyLength, signedAt, expiresAt } = signature;
  const lines = new FoldedLines("DKIM-Signature: v=1;");
  lines.add(` a=${signature.algorithm};`);
  lines.add(` c=${headerCanonicalization}/${bodyCanonicalization};`);
  lines.add(` d=${signature.domain};`);
  lines.add(` s=${signature.selector};`);
  if (identity !== undefined) lines.add(` i=${formatIdentity(identity)};`);
  if (signedAt !== undefined) lines.add(` t=${signedAt};`);
  if (expiresAt !== undefined) lines.add(` x=${expiresAt};`);
  if (bodyLength !== undefined) lines.add(` l=${bodyLength};`);
  const [first = "", ...others] = signature.signedHeaders;
  lines.add(` h=${first}`);
  for (const name of others) lines.add(`:${name}`);
  lines.add(";");
  lines.add(` bh=${Buffer.from(signature.bodyHash).toString("base64")};`);
  return `${lines.text}${FOLD}b=`;
}

/** The field of `formatSignatureField` with its b= filled in, without line end. */
export function completeSignatureField(field: string, signature: Uint8Array): string {
  const base64 = Buffer.from(signature).toString("base64");
  const firstLength = MAX_LINE_LENGTH - "\tb=".length;
  const chunks = base64.slice(firstLength).match(FOLDED_LINE) ?? [];
  return field + [base64.slice(0, firstLength), ...chunks].join(FOLD);
}

/** Text that breaks before the piece that would not fit; a piece's leading space is then the fold. */
class FoldedLines {
  text = "";
  #lineLength: number;

  constructor(start: string) {
    this.text = start;
    this.#lineLength = start.length;
  }

  add(piece: string): void {
    // The ";" or ":" that follows must still fit on the line.
    if (this.#lineLength + piece.length < MAX_LINE_LENGTH || piece === ";") {
      this.text += piece;
      this.#lineLength += piece.length;
      return;
    }
    const rest = piece.trimStart();
    this.text += FOLD + rest;
    this.#lineLength = 1 + rest.length;
  }
}
