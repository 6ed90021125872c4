import { scanBase64 } from "../dns/base64-value.ts";
import { type Tag, trimFws } from "../dns/tag-list.ts";
import { describeAlgorithm } from "../keys/key-algorithm.ts";
import { classifyKeyBytes, type KeyBytes } from "../keys/key-bytes.ts";
import type { PublicKey } from "../keys/public-key.ts";
import { place } from "./check-record-tags.ts";
import { type FindingList, quotePart } from "./finding-list.ts";
import { describeSecret, findPublishedSecret, findSecretOctets } from "./published-secret.ts";

/** What p= holds, as far as it could be read. */
export interface KeyData {
  /** The octets of p=, when it is base64. */
  readonly octets: Uint8Array | undefined;
  /** The key in them, when k= and octets agree on one; it may still be wrong in other ways. */
  readonly publicKey: PublicKey | undefined;
}

const NO_KEY: KeyData = { octets: undefined, publicKey: undefined };

/**
 * p= by the key type that k= names: RFC 6376 §3.6.1 with erratum 3017, RFC 8463 §4.2. Strength is another check's.
 * @param keyType the value of k=, `rsa` when absent
 */
export function checkKeyData(tag: Tag, keyType: string, findings: FindingList): KeyData {
  const value = trimFws(tag.value);
  if (value === "") {
    findings.add("P-EMPTY", {}, place(tag));
    return NO_KEY;
  }
  if (value.includes("-----BEGIN")) {
    const secret = findPublishedSecret(value);
    findings.add("P-PEM", {}, place(tag));
    if (secret !== undefined) findings.add("P-PRIVATE", { form: secret }, { ...place(tag), critical: true });
    return NO_KEY;
  }
  const octets = checkBase64(tag, findings);
  if (octets === undefined) {
    const secret = findPublishedSecret(value);
    if (secret !== undefined) findings.add("P-PRIVATE", { form: secret }, { ...place(tag), critical: true });
    return NO_KEY;
  }
  const what = classifyKeyBytes(octets);
  const secret = findSecretOctets(octets, what);
  if (keyType === "rsa") return { octets, publicKey: checkRsaData(tag, what, secret, findings) };
  if (keyType === "ed25519") return { octets, publicKey: checkEd25519Data(tag, octets, what, secret, findings) };
  if (secret !== undefined) findings.add("P-PRIVATE", { form: secret }, { ...place(tag), critical: true });
  return { octets, publicKey: undefined };
}

function checkBase64(tag: Tag, findings: FindingList): Uint8Array | undefined {
  const { octets, fault, isPaddingMissing, hasPadBits, hasInnerSpace } = scanBase64(tag.value);
  if (hasInnerSpace) findings.add("P-WSP", {}, place(tag));
  if (isPaddingMissing) findings.add("P-PAD", {}, place(tag));
  if (hasPadBits) findings.add("P-PADBITS", {}, place(tag));
  if (fault?.kind === "alphabet") {
    const { character } = fault;
    const position = { offset: tag.valueOffset + fault.offset, length: character.length };
    findings.add(
      "P-B64",
      { reason: `it holds ${quotePart(character)}${guessOrigin(character)}` },
      { position, tag: "p" },
    );
  } else if (fault?.kind === "length") {
    const reason = `${fault.length} characters leave one over; some were cut off or inserted`;
    findings.add("P-B64", { reason }, place(tag));
  } else if (fault?.kind === "padding") {
    const position = { offset: tag.valueOffset + fault.offset, length: 1 };
    findings.add("P-B64", { reason: "the number of = signs at the end does not fit" }, { position, tag: "p" });
  }
  return octets;
}

function guessOrigin(character: string): string {
  switch (character) {
    case "-":
    case "_":
      return ", of the URL alphabet";
    case "%":
      return ", as if URL-encoded";
    case "=":
      return " before the end";
    case '"':
      return ", a quote of a zone file";
    default:
      return "";
  }
}

function checkRsaData(
  tag: Tag,
  what: KeyBytes,
  secret: string | undefined,
  findings: FindingList,
): PublicKey | undefined {
  const reject = (reason: string) => {
    findings.add("P-DER", { reason }, place(tag));
    return undefined;
  };
  if (secret !== undefined) {
    findings.add("P-PRIVATE", { form: secret }, { ...place(tag), critical: true });
    return undefined;
  }
  switch (what.kind) {
    case "spki":
      if (what.algorithm !== "rsa") return rejectAlgorithm(tag, what, "rsa", findings);
      if (what.fault !== undefined || what.publicKey === undefined) return reject(what.fault ?? "it has no numbers");
      if (what.nullMissing) return reject("the algorithm lacks its NULL parameters (RFC 3279 §2.3.1)");
      break;
    case "rsa-public-key":
      if (what.fault !== undefined) return reject(what.fault);
      findings.add("P-PKCS1", {}, place(tag));
      break;
    case "certificate":
      findings.add("P-CERT", {}, place(tag));
      return undefined;
    case "certificate-request":
      return reject("it is a certificate request");
    case "raw-32":
      return reject("it has 32 octets, as an Ed25519 key has");
    case "raw-64":
      return reject("it has 64 octets");
    case "unknown":
      return reject(what.reason);
    default:
      return reject("it is empty");
  }
  if (what.trailing > 0) findings.add("P-TRAILING", { octets: what.trailing }, place(tag));
  return what.publicKey;
}

function checkEd25519Data(
  tag: Tag,
  octets: Uint8Array,
  what: KeyBytes,
  secret: string | undefined,
  findings: FindingList,
): PublicKey | undefined {
  if (what.kind === "raw-32") return { type: "ed25519", bytes: octets };
  if (what.kind === "raw-64") {
    const { isSecretKey } = what;
    findings.add("P-ED-LEN", { octets: 64, isSecretKey }, { ...place(tag), ...(isSecretKey && { critical: true }) });
  } else if (secret !== undefined || describeSecret(what) !== undefined) {
    findings.add("P-PRIVATE", { form: secret ?? "a PRIVATE key" }, { ...place(tag), critical: true });
  } else if (what.kind === "certificate") {
    findings.add("P-CERT", {}, place(tag));
  } else if (what.kind === "spki" && what.algorithm !== "ed25519") {
    return rejectAlgorithm(tag, what, "ed25519", findings);
  } else if (what.kind === "rsa-public-key") {
    findings.add("P-ALG", { algorithm: "an RSA key", keyType: "ed25519" }, place(tag));
  } else if (what.kind === "spki" && what.fault === undefined && what.trailing === 0) {
    findings.add("P-ED-SPKI", {}, place(tag));
  } else {
    findings.add("P-ED-LEN", { octets: octets.length, isSecretKey: false }, place(tag));
  }
  return undefined;
}

function rejectAlgorithm(
  tag: Tag,
  { algorithm, oid }: Extract<KeyBytes, { kind: "spki" }>,
  keyType: string,
  findings: FindingList,
): undefined {
  findings.add("P-ALG", { algorithm: describeAlgorithm(algorithm, oid), keyType }, place(tag));
}
