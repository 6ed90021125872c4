import { splitColonList } from "../dns/key-record.ts";
import { findQpFault } from "../dns/qp-section.ts";
import { isHyphenatedWord } from "../dns/record-tags.ts";
import { type Tag, trimFws } from "../dns/tag-list.ts";
import type { FindingOverrides } from "./catalogue.ts";
import { type FindingList, quotePart } from "./finding-list.ts";

/** RFC 6376 §3.6.1: every tag save p=. Of a tag that stands twice the first counts. */
export function checkRecordTags(tags: readonly Tag[], findings: FindingList): void {
  const byName = new Map<string, Tag>();
  for (const tag of tags) if (!byName.has(tag.name)) byName.set(tag.name, tag);
  checkVersion(byName.get("v"), tags[0], findings);
  checkKeyType(byName.get("k"), findings);
  checkHashAlgorithms(byName.get("h"), findings);
  checkServiceTypes(byName.get("s"), findings);
  checkFlags(byName.get("t"), findings);
  const granularity = byName.get("g");
  if (granularity !== undefined) {
    const value = trimFws(granularity.value);
    const severity = value === "*" ? "info" : "warning";
    findings.add("G-HISTORIC", { part: quotePart(value) }, { ...place(granularity), severity });
  }
  const note = byName.get("n");
  const fault = note === undefined ? -1 : findQpFault(note.value);
  if (note !== undefined && fault >= 0) {
    const part = note.value.slice(fault, fault + 3);
    const position = { offset: note.valueOffset + fault, length: part.length };
    findings.add("N-QP", { part: quotePart(part) }, { position, tag: "n" });
  }
}

/** The tag's value without the white space around it, as a place in the text. */
export function place({ name, nameOffset, value, valueOffset }: Tag): FindingOverrides {
  const trimmed = trimFws(value);
  const position =
    trimmed === ""
      ? { offset: nameOffset, length: valueOffset - nameOffset }
      : { offset: valueOffset + value.indexOf(trimmed), length: trimmed.length };
  return { position, tag: name };
}

function checkVersion(version: Tag | undefined, firstTag: Tag | undefined, findings: FindingList): void {
  if (version === undefined) {
    findings.add("V-MISSING", {}, { tag: "v" });
    return;
  }
  if (firstTag !== version) findings.add("V-FIRST", {}, place(version));
  const value = trimFws(version.value);
  if (value !== "DKIM1") findings.add("V-VALUE", { part: quotePart(value) }, place(version));
}

function checkKeyType(keyType: Tag | undefined, findings: FindingList): void {
  if (keyType === undefined) return;
  const value = trimFws(keyType.value);
  if (value === "") findings.add("K-EMPTY", {}, place(keyType));
  else if (value !== "rsa" && value !== "ed25519")
    findings.add("K-UNKNOWN", { part: quotePart(value) }, place(keyType));
}

function checkHashAlgorithms(tag: Tag | undefined, findings: FindingList): void {
  if (tag === undefined) return;
  const algorithms = splitColonList(tag.value);
  checkColonSpace(tag, findings);
  const badWord = algorithms.find((word) => !isHyphenatedWord(word));
  if (badWord !== undefined) findings.add("H-SYNTAX", { part: quotePart(badWord) }, place(tag));
  if (!algorithms.includes("sha256")) findings.add("H-NOSHA256", { part: quotePart(trimFws(tag.value)) }, place(tag));
  if (algorithms.includes("sha1")) findings.add("H-SHA1", {}, place(tag));
  const unknown = algorithms.find((word) => isHyphenatedWord(word) && word !== "sha1" && word !== "sha256");
  if (unknown !== undefined) findings.add("H-UNKNOWN", { part: quotePart(unknown) }, place(tag));
}

function checkServiceTypes(tag: Tag | undefined, findings: FindingList): void {
  if (tag === undefined) return;
  const services = splitColonList(tag.value);
  checkColonSpace(tag, findings);
  const badWord = services.find((word) => word !== "*" && !isHyphenatedWord(word));
  if (badWord !== undefined) findings.add("S-SYNTAX", { part: quotePart(badWord) }, place(tag));
  const isForMail = services.includes("*") || services.includes("email");
  if (!isForMail) findings.add("S-NOTEMAIL", { part: quotePart(trimFws(tag.value)) }, place(tag));
  if (services.length > 1) findings.add("S-LIST", {}, place(tag));
  const unknown = services.find((word) => isHyphenatedWord(word) && word !== "email");
  if (isForMail && unknown !== undefined) findings.add("S-UNKNOWN", { part: quotePart(unknown) }, place(tag));
}

function checkFlags(tag: Tag | undefined, findings: FindingList): void {
  if (tag === undefined) return;
  const flags = splitColonList(tag.value);
  const badWord = flags.find((word) => !isHyphenatedWord(word));
  if (badWord !== undefined) findings.add("T-SYNTAX", { part: quotePart(badWord) }, place(tag));
  if (flags.includes("y")) findings.add("T-TESTING", {}, place(tag));
  const unknown = flags.find((word) => isHyphenatedWord(word) && word !== "y" && word !== "s");
  if (unknown !== undefined) findings.add("T-UNKNOWN", { part: quotePart(unknown) }, place(tag));
}

/** In t= nobody was seen to stumble over it. */
function checkColonSpace(tag: Tag, findings: FindingList): void {
  if (/[ \t\r\n]:|:[ \t\r\n]/.test(trimFws(tag.value))) findings.add("COLON-WSP", { name: tag.name }, place(tag));
}
