import { createPrivateKey } from "node:crypto";
import { decryptForeignKey } from "./foreign-key-file.ts";
import { encodePem } from "./pem.ts";
import { type ParsedPrivateKey, PrivateKeyError, parsePrivateKey } from "./private-key.ts";

/** PBES2 (RFC 8018 §6.2), DER: what OpenSSL does itself, whatever the cipher. */
const PBES2_OID = Buffer.from([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d]);

/**
 * The private key in an encrypted file: PKCS#8 (PBES2 with PBKDF2 or scrypt, PBES1) or OpenSSL's traditional PEM. A file
 * that is not encrypted is read as it is. What was inside is held to the same rules as an open file.
 * @throws {PrivateKeyError} kind `encrypted`: the passphrase does not open it; else as `parsePrivateKey`
 */
export async function decryptPrivateKey(bytes: Uint8Array, passphrase: string): Promise<ParsedPrivateKey> {
  try {
    return parsePrivateKey(bytes);
  } catch (error) {
    if (!(error instanceof PrivateKeyError) || error.kind !== "encrypted") throw error;
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isDer = buffer[0] === 0x30 && !buffer.includes("-----BEGIN ");
  const pem = isDer ? encodePem("ENCRYPTED PRIVATE KEY", bytes) : encryptedBlock(buffer.toString("latin1"));
  const decrypted = decryptWithOpenSsl(pem, passphrase) ?? (await decryptOtherwise(pem, passphrase));
  if (decrypted === undefined) {
    throw new PrivateKeyError("encrypted", "is an encrypted private key that this passphrase does not open", {
      hint: "try by hand: openssl pkey -in FILE -noout",
    });
  }
  const { privateKey, format } = parsePrivateKey(decrypted);
  return { privateKey, format, encoding: isDer ? "der" : "pem", notes: ["the file was encrypted"] };
}

/** The private-key block alone: OpenSSL looks at the first block of a file only. `text` has passed `parsePem`. */
function encryptedBlock(text: string): string {
  const start = text.search(/-----BEGIN [A-Z ]*PRIVATE KEY-----/);
  const end = text.indexOf("\n", text.indexOf("-----END ", start));
  return end < 0 ? `${text.slice(start)}\n` : text.slice(start, end + 1);
}

function decryptWithOpenSsl(pem: string, passphrase: string): Uint8Array | undefined {
  try {
    const key = createPrivateKey({ key: pem, format: "pem", passphrase });
    const type = pem.startsWith("-----BEGIN RSA PRIVATE KEY-----") ? "pkcs1" : "pkcs8";
    return new Uint8Array(key.export({ format: "der", type }));
  } catch {
    return undefined;
  }
}

async function decryptOtherwise(pem: string, passphrase: string): Promise<Uint8Array | undefined> {
  const body = Buffer.from(pem.replace(/-----[^\n]*/g, ""), "base64");
  // A wrong passphrase, then: forge would only take seconds to say the same.
  if (body.includes(PBES2_OID)) return undefined;
  return decryptForeignKey(pem, passphrase);
}
