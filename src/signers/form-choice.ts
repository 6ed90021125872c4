import { OperationError, UsageError } from "../errors.ts";
import { EXPORT_FORMS, type NamedSignerForm } from "./index.ts";
import {
  byDomain,
  type SecretSignerKey,
  type SignerFile,
  type SignerForm,
  type SignerFormOptions,
  type SignerKey,
} from "./signer-form.ts";

/** The form of a signer, the usual one where none is named. @throws {UsageError} there is none of these names */
export function chooseForm(signer: string, form: string | undefined): NamedSignerForm {
  const forms = Object.hasOwn(EXPORT_FORMS, signer) ? EXPORT_FORMS[signer] : undefined;
  if (forms === undefined) {
    throw new UsageError(`${JSON.stringify(signer)} is no signer that can be exported to`, {
      hint: `known are ${Object.keys(EXPORT_FORMS).join(", ")}`,
    });
  }
  const chosen = form === undefined ? Object.values(forms)[0] : Object.hasOwn(forms, form) ? forms[form] : undefined;
  if (chosen !== undefined) return chosen;
  throw new UsageError(`${signer} has no form ${form}`, { hint: `it has ${Object.keys(forms).join(", ")}` });
}

/** Of `given`, by the names that the user knows, each must mean something to the form. @throws {UsageError} */
export function requireTaken(
  { takes = [] }: SignerForm<never>,
  signer: string,
  given: Readonly<Partial<Record<NonNullable<SignerForm["takes"]>[number], readonly [name: string, value: unknown]>>>,
): void {
  for (const [option, [name, value]] of Object.entries(given)) {
    if (value !== undefined && !takes.some((taken) => taken === option)) {
      throw new UsageError(`${name} means nothing to this form of ${signer}`, { hint: "see dkimctl export --help" });
    }
  }
}

/** @param hint what to do; default: choose a selector @throws {OperationError} a domain has more keys than the signer adds signatures */
export function requireOneSignature(
  keys: readonly SignerKey[],
  { signsOnce }: SignerForm<never>,
  signer: string,
  hint?: string,
): void {
  if (signsOnce === undefined) return;
  for (const [domain, ofDomain] of byDomain(keys)) {
    for (const type of signsOnce === "by-type" ? (["rsa", "ed25519"] as const) : [undefined]) {
      const rivals = ofDomain.filter(({ algorithm }) => type === undefined || algorithm === type);
      if (rivals.length < 2) continue;
      const selectors = rivals.map(({ name }) => name.selector).join(", ");
      throw new OperationError(
        `${signer} adds one signature here, and ${domain} has ${rivals.length} keys for it: ${selectors}`,
        { hint: hint ?? `choose the one that signs: --selector ${rivals[0]?.name.selector}` },
      );
    }
  }
}

/** The form's files; a form that holds keys is given only those that come with their secret. */
export function writeForm(
  named: NamedSignerForm,
  keys: readonly (SignerKey & Partial<SecretSignerKey>)[],
  options: SignerFormOptions,
): readonly SignerFile[] {
  if (!named.isSecret) return named.form.files(keys, options);
  const secrets = keys.flatMap(({ privateKey, ...key }) => (privateKey === undefined ? [] : [{ ...key, privateKey }]));
  return named.form.files(secrets, options);
}
