import { type Canonicalization, canonicalizeField } from "./canonicalization.ts";
import type { HeaderField } from "./message.ts";
import { withoutSignatureData } from "./signature-header.ts";

/**
 * Finds the fields that h= names: of several with one name the last first, and nothing once they are used up
 * (RFC 6376 §5.4.2). Indexed once per message, so that a long h= costs no more than it is long.
 */
export class SignedFieldPicker {
  readonly #byName = new Map<string, HeaderField[]>();

  constructor(fields: readonly HeaderField[]) {
    for (const field of fields) {
      const sameName = this.#byName.get(field.name);
      if (sameName === undefined) this.#byName.set(field.name, [field]);
      else sameName.push(field);
    }
  }

  /**
   * @param names h= in lower case
   * @param except the signature's own field, which it cannot sign (RFC 6376 §3.5, h=)
   */
  pick(names: readonly string[], except?: HeaderField): HeaderField[] {
    const next = new Map<string, number>();
    const picked: HeaderField[] = [];
    for (const name of names) {
      const candidates = this.#byName.get(name) ?? [];
      let index = next.get(name) ?? candidates.length - 1;
      if (except !== undefined && candidates[index] === except) index--;
      const field = candidates[index];
      if (field !== undefined) picked.push(field);
      next.set(name, index - 1);
    }
    return picked;
  }
}

/** What the signature signs: the fields of h=, then its own with b= empty and without line end (RFC 6376 §3.7). */
export function headerHashInput(
  signedFields: readonly HeaderField[],
  signatureField: HeaderField,
  canonicalization: Canonicalization,
): Buffer {
  const ownField = { ...signatureField, text: withoutSignatureData(signatureField.text) };
  const lines = [...signedFields, ownField].map((field) => canonicalizeField(field, canonicalization));
  return Buffer.from(lines.join("\r\n"), "latin1");
}
