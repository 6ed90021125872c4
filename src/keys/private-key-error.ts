import { type DkimctlErrorOptions, OperationError } from "../errors.ts";

/** Why a file is no private key we can use. */
export type PrivateKeyFault =
  /** Needs a passphrase: see `decryptPrivateKey`. */
  | "encrypted"
  /** A key, yet not one that DKIM signs with, or in a form we do not read. */
  | "unsupported"
  | "not-a-key"
  /** Meant to be a private key and damaged: cut off, bad base64, numbers that do not belong together. */
  | "broken"
  | "public-key"
  | "certificate"
  | "several-keys";

/** A file or text that is not one usable private key. The message names what it is and holds no key text. */
export class PrivateKeyError extends OperationError {
  override readonly code = "DKIM_PRIVATE_KEY";
  readonly kind: PrivateKeyFault;
  constructor(kind: PrivateKeyFault, message: string, options: DkimctlErrorOptions = {}) {
    super(message, options);
    this.kind = kind;
  }
}
