import { describeAlgorithm } from "./key-algorithm.ts";
import type { KeyBytes } from "./key-bytes.ts";
import type { PemBlock } from "./pem.ts";
import { PrivateKeyError } from "./private-key-error.ts";

/** Every refusal of a file that is something else than a private key of ours: what it is, and the next command. */

const NEW_KEY = "make a new key: dkimctl keygen";

/** `what` is a noun with its article: `an EC key`. */
export function unsupportedKeyError(what: string): PrivateKeyError {
  return new PrivateKeyError("unsupported", `is ${what}; DKIM signs with RSA or Ed25519 only`, { hint: NEW_KEY });
}

/** That the file wants a passphrase, and there is none. */
export function encryptedKeyError(): PrivateKeyError {
  return new PrivateKeyError("encrypted", "is an encrypted private key", {
    hint: "give its passphrase, or decrypt a copy: openssl pkey -in FILE -out COPY",
  });
}

function publicKeyError(): PrivateKeyError {
  return new PrivateKeyError("public-key", "is a public key; the private key is needed", {
    hint: "look for the file that was made together with it",
  });
}

function certificateError(): PrivateKeyError {
  return new PrivateKeyError("certificate", "is a certificate; DKIM needs the private key alone", {
    hint: "look for the .key file that was made together with it",
  });
}

function notAKeyError(what: string, hint: string): PrivateKeyError {
  return new PrivateKeyError("not-a-key", `is ${what}, not a private key`, { hint });
}

function openSshError(): PrivateKeyError {
  return new PrivateKeyError("unsupported", "is an OpenSSH private key, a format that no DKIM signer reads", {
    hint: "convert a copy: ssh-keygen -p -m PKCS8 -f COPY",
  });
}

/** For a file with PEM blocks of which none is a private key of ours. */
export function otherBlockError(blocks: readonly Pick<PemBlock, "label">[]): PrivateKeyError {
  const labels = blocks.map(({ label }) => label);
  const has = (pattern: RegExp) => labels.some((label) => pattern.test(label));
  if (has(/^OPENSSH PRIVATE KEY$/)) return openSshError();
  if (has(/^EC PRIVATE KEY$/)) return unsupportedKeyError("an EC key");
  if (has(/^DSA PRIVATE KEY$/)) return unsupportedKeyError("a DSA key");
  if (has(/^PGP /)) return notAKeyError("an OpenPGP file", NEW_KEY);
  if (has(/PRIVATE KEY$/)) return unsupportedKeyError("a private key of a kind unknown here");
  if (has(/PUBLIC KEY$/)) return publicKeyError();
  if (has(/CERTIFICATE REQUEST$/)) return notAKeyError("a certificate request", "look for the .key file made with it");
  if (has(/CERTIFICATE$/)) return certificateError();
  if (has(/PARAMETERS$/)) return notAKeyError("a file of key parameters", NEW_KEY);
  return notAKeyError(`a PEM file of another kind (${JSON.stringify((labels[0] ?? "").slice(0, 40))})`, NEW_KEY);
}

/** For octets that are not a private key we can use. */
export function otherBytesError(what: KeyBytes): PrivateKeyError {
  switch (what.kind) {
    case "spki":
      return what.algorithm === "rsa" || what.algorithm === "ed25519"
        ? publicKeyError()
        : new PrivateKeyError("public-key", `is the public half of ${describeAlgorithm(what.algorithm, what.oid)}`, {
            hint: `DKIM signs with RSA or Ed25519 only: ${NEW_KEY}`,
          });
    case "rsa-public-key":
      return publicKeyError();
    case "certificate":
      return certificateError();
    case "certificate-request":
      return notAKeyError("a certificate request", "look for the .key file made with it");
    case "pkcs12":
      return new PrivateKeyError("unsupported", "is a PKCS#12 file", {
        hint: "take the key out: openssl pkcs12 -in FILE -nocerts -nodes -out NEW",
      });
    case "private-key":
      if (what.form === "encrypted-pkcs8") return encryptedKeyError();
      if (what.form === "octet-string") {
        return new PrivateKeyError("unsupported", "is an Ed25519 seed in a bare OCTET STRING, which no signer reads", {
          hint: "store the whole PKCS#8 key, or the base64 of the 32 octets of the seed",
        });
      }
      return unsupportedKeyError(describeAlgorithm(what.algorithm ?? "other"));
    case "empty":
      return new PrivateKeyError("not-a-key", "is empty");
    case "raw-32":
    case "raw-64":
    case "unknown":
      return new PrivateKeyError("not-a-key", "is not a private key in any format known here", { hint: NEW_KEY });
  }
}

/** For text without a PEM block that is no base64 of a key. */
export function otherTextError(text: string): PrivateKeyError {
  const start = text.slice(0, 4096);
  if (/^\s*\{/.test(start) && /"kty"/.test(text)) {
    return notAKeyError("a JSON web key (JWK)", "store the key as PKCS#8 PEM");
  }
  if (/(^|[\s"(;])v\s*=\s*DKIM1\b/i.test(text) || /(^|[\s"(;])p\s*=\s*MI[A-Za-z0-9+/]{30}/.test(text)) {
    return notAKeyError("the text of a DNS record, which holds the public key", "give the file of the private key");
  }
  if (/^PuTTY-User-Key-File-/.test(start)) {
    return new PrivateKeyError("unsupported", "is a PuTTY key, a format that no DKIM signer reads", {
      hint: "convert it: puttygen FILE -O private-openssh -o COPY; ssh-keygen -p -m PKCS8 -f COPY",
    });
  }
  if (/^(ssh|ecdsa|sk)-[a-z0-9@.-]+ AAAA/.test(start)) {
    return new PrivateKeyError("public-key", "is an OpenSSH public key", { hint: NEW_KEY });
  }
  if (/^\s*[0-9a-fA-F]{64}\s*$/.test(text)) {
    return notAKeyError("64 hexadecimal digits", "an Ed25519 seed is stored as base64: xxd -r -p FILE | base64 > NEW");
  }
  if (/-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----/.test(text)) {
    return new PrivateKeyError("broken", "has the END line of a private key and no BEGIN line", {
      hint: "copy the file again from where it was made",
    });
  }
  return new PrivateKeyError("not-a-key", "is text without a private key", { hint: NEW_KEY });
}

/** A file that Windows tools saved as "Unicode". */
export function utf16Error(): PrivateKeyError {
  return new PrivateKeyError("broken", "is UTF-16 text", {
    hint: "convert a copy: iconv -f UTF-16 -t ASCII FILE > COPY",
  });
}
