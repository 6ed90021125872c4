import { OperationError } from "../errors.ts";
import { describeAlgorithm } from "./key-algorithm.ts";
import { classifyKeyBytes, type KeyBytes } from "./key-bytes.ts";
import { PemError, parsePem } from "./pem.ts";
import type { PublicKey } from "./public-key.ts";

/** Why a file is no public key of ours. */
export type PublicKeyFileFault =
  | "unsupported"
  | "not-a-key"
  | "broken"
  | "private-key"
  | "certificate"
  | "several-keys";

/** A file that is not one usable public key. The message names what it is and holds no key text. */
export class PublicKeyFileError extends OperationError {
  override readonly code = "DKIM_PUBLIC_KEY_FILE";
  readonly kind: PublicKeyFileFault;
  constructor(kind: PublicKeyFileFault, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** A public key and the form it was read from. */
export interface ParsedPublicKey {
  readonly publicKey: PublicKey;
  readonly format: "spki" | "pkcs1";
  readonly encoding: "pem" | "der";
  /** What was tolerated and other software may not tolerate, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * The one public key in a file's octets: SubjectPublicKeyInfo or RSAPublicKey, PEM or DER.
 * @throws {PublicKeyFileError}
 */
export function parsePublicKeyFile(bytes: Uint8Array): ParsedPublicKey {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const { blocks, notes } = readPem(text);
  if (blocks.length === 0) return { ...fromKeyBytes(classifyKeyBytes(bytes)), encoding: "der", notes };
  if (blocks.some(({ label }) => label.endsWith("PRIVATE KEY"))) {
    throw new PublicKeyFileError("private-key", "holds a private key; the public key is wanted");
  }
  const [block, second] = blocks.filter(({ label }) => !label.endsWith("PARAMETERS"));
  if (second !== undefined) throw new PublicKeyFileError("several-keys", "holds more than one PEM block");
  return { ...fromKeyBytes(classifyKeyBytes(block?.bytes ?? new Uint8Array())), encoding: "pem", notes };
}

function readPem(text: string): ReturnType<typeof parsePem> {
  try {
    return parsePem(text);
  } catch (error) {
    if (error instanceof PemError)
      throw new PublicKeyFileError("broken", error.message, { hint: error.hint, cause: error });
    throw error;
  }
}

function fromKeyBytes(what: KeyBytes): Pick<ParsedPublicKey, "publicKey" | "format"> {
  switch (what.kind) {
    case "spki": {
      if (what.algorithm !== "rsa" && what.algorithm !== "ed25519") {
        const name = describeAlgorithm(what.algorithm, what.oid);
        throw new PublicKeyFileError("unsupported", `is ${name}; DKIM has RSA and Ed25519 only`);
      }
      const fault = what.fault ?? (what.nullMissing ? "the NULL of rsaEncryption is missing" : undefined);
      return { publicKey: assertSound(what.publicKey, fault, what.trailing), format: "spki" };
    }
    case "rsa-public-key":
      return { publicKey: assertSound(what.publicKey, what.fault, what.trailing), format: "pkcs1" };
    case "private-key":
      throw new PublicKeyFileError("private-key", "holds a private key; the public key is wanted");
    case "certificate":
      throw new PublicKeyFileError("certificate", "is a certificate, not a public key", {
        hint: "take the key out: openssl x509 -in FILE -noout -pubkey > NEW",
      });
    case "certificate-request":
      throw new PublicKeyFileError("not-a-key", "is a certificate request, not a public key", {
        hint: "take the key out: openssl req -in FILE -noout -pubkey > NEW",
      });
    case "pkcs12":
    case "empty":
    case "raw-32":
    case "raw-64":
    case "unknown":
      throw new PublicKeyFileError("not-a-key", "is not a public key in any format known here");
  }
}

function assertSound(key: PublicKey | undefined, fault: string | undefined, trailing: number): PublicKey {
  if (trailing > 0) throw new PublicKeyFileError("broken", `has ${trailing} octets after the key`);
  if (key === undefined || fault !== undefined) {
    throw new PublicKeyFileError("broken", `is a damaged public key: ${fault ?? "its numbers are missing"}`, {
      hint: "copy the file again from where it was made",
    });
  }
  return key;
}
