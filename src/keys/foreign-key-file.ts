import { X509Certificate } from "node:crypto";
import { quoteName } from "./domain-name.ts";
import { classifyKeyBytes } from "./key-bytes.ts";
import { PemError, parsePem } from "./pem.ts";

/**
 * What node:crypto and our own reader do not open, by way of node-forge, which is loaded when such a file comes along
 * and not before. Forge takes RSA-PSS and three-prime keys for plain RSA and answers a wrong password with null: so
 * nothing it decrypts is used but through `parsePrivateKey`, and it verifies nothing.
 */
async function loadForge() {
  const { default: forge } = await import("node-forge");
  return forge;
}

/** Forge decodes recursively: longer files are not shown to it. */
const MAX_FOREIGN_OCTETS = 65_536;

/**
 * What a file is that holds no key of ours, as a noun for "FILE is ...": a certificate with its subject, a PKCS#12
 * bundle, an OpenPGP file. `undefined` when nothing can be said. Never throws, and holds no key text.
 */
export async function describeForeignFile(bytes: Uint8Array): Promise<string | undefined> {
  if (bytes.length > MAX_FOREIGN_OCTETS) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const block = firstBlock(text);
  if (block !== undefined) return describeBlock(block.label, block.bytes);
  const what = classifyKeyBytes(bytes);
  if (what.kind === "certificate") return describeCertificate(bytes);
  if (what.kind === "certificate-request") return describeRequest(bytes);
  if (what.kind === "pkcs12") return describePkcs12(bytes);
  return describeText(text, bytes);
}

function firstBlock(text: string): { label: string; bytes: Uint8Array } | undefined {
  // OpenPGP armor has headers and a checksum of its own: the label is all that is needed.
  const pgp = /(?:^|\n)-----BEGIN (PGP [A-Z ]+)-----/.exec(text)?.[1];
  if (pgp !== undefined) return { label: pgp, bytes: new Uint8Array() };
  try {
    return parsePem(text).blocks[0];
  } catch (error) {
    if (error instanceof PemError) return undefined;
    throw error;
  }
}

function describeBlock(label: string, bytes: Uint8Array): Promise<string | undefined> | string | undefined {
  if (/^(X509 |TRUSTED )?CERTIFICATE$/.test(label)) return describeCertificate(bytes);
  if (/CERTIFICATE REQUEST$/.test(label)) return describeRequest(bytes);
  if (label === "OPENSSH PRIVATE KEY") return "an OpenSSH private key";
  if (label.startsWith("PGP ")) return `an OpenPGP file (${label.slice(4).toLowerCase()})`;
  if (label === "X509 CRL") return "a certificate revocation list";
  if (label === "PKCS7" || label === "CMS") return "a PKCS#7 message";
  return label.endsWith("PARAMETERS") ? "a file of key parameters" : undefined;
}

function describeCertificate(der: Uint8Array): string {
  try {
    const { subject, publicKey } = new X509Certificate(der);
    const bits = publicKey.asymmetricKeyDetails?.modulusLength;
    const size = bits === undefined ? (publicKey.asymmetricKeyType ?? "unknown") : `RSA ${bits} bits`;
    return `a certificate of ${quoteName(subject.replaceAll("\n", ", "))} (${size})`;
  } catch {
    return "a certificate";
  }
}

async function describeRequest(der: Uint8Array): Promise<string> {
  try {
    const forge = await loadForge();
    const request = forge.pki.certificationRequestFromAsn1(forge.asn1.fromDer(binaryString(der)));
    const subject = request.subject.attributes.map(({ shortName, value }) => `${shortName}=${value}`).join(", ");
    return `a certificate request for ${quoteName(subject)}`;
  } catch {
    // Not RSA, or damaged.
    return "a certificate request";
  }
}

async function describePkcs12(der: Uint8Array): Promise<string> {
  try {
    const forge = await loadForge();
    const { safeContents } = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(binaryString(der)), "");
    const count = safeContents.reduce((sum, { safeBags }) => sum + safeBags.length, 0);
    return `a PKCS#12 file without password, of ${count} ${count === 1 ? "entry" : "entries"}`;
  } catch {
    return "a PKCS#12 file with a password";
  }
}

function describeText(text: string, bytes: Uint8Array): string | undefined {
  if (/^\s*\{/.test(text) && /"kty"\s*:/.test(text)) return "a JSON web key (JWK)";
  if (/(^|[\s"(;])v\s*=\s*DKIM1\b/i.test(text)) return "the text of a DKIM DNS record";
  if (text.startsWith("PuTTY-User-Key-File-")) return "a PuTTY private key";
  if (/^(ssh|ecdsa|sk)-[a-z0-9@.-]+ AAAA/.test(text)) return "an OpenSSH public key";
  // OpenPGP packets of a public or secret key (RFC 9580 §4.2): tags 5 and 6, old and new form.
  const isPgp = [0x94, 0x95, 0x98, 0x99, 0xc5, 0xc6].includes(bytes[0] ?? 0) && [3, 4, 6].includes(bytes[3] ?? 0);
  return isPgp ? "a binary OpenPGP key" : undefined;
}

/**
 * Decrypts what OpenSSL 3's default provider does not: PKCS#8 under RC2, traditional PEM under single DES or RC2.
 * @param pem one block, `ENCRYPTED PRIVATE KEY` or `RSA PRIVATE KEY` with DEK-Info
 * @returns DER PKCS#8 or PKCS#1, not yet looked at; `undefined` when the passphrase is wrong or the cipher unknown
 */
export async function decryptForeignKey(pem: string, passphrase: string): Promise<Uint8Array | undefined> {
  const forge = await loadForge();
  // Forge takes the octets of the passphrase as characters.
  const password = Buffer.from(passphrase, "utf8").toString("latin1");
  try {
    if (pem.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----")) {
      const info = forge.pki.decryptPrivateKeyInfo(forge.pki.encryptedPrivateKeyFromPem(pem), password);
      return info === null ? undefined : octets(forge.asn1.toDer(info).getBytes());
    }
    const key = forge.pki.decryptRsaPrivateKey(pem, password);
    return key === null ? undefined : octets(forge.asn1.toDer(forge.pki.privateKeyToAsn1(key)).getBytes());
  } catch {
    return undefined;
  }
}

function binaryString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function octets(binary: string): Uint8Array {
  return new Uint8Array(Buffer.from(binary, "latin1"));
}
