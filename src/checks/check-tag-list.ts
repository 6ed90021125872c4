import type { TagListFault, TagListScan } from "../dns/tag-list.ts";
import { type FindingList, quotePart } from "./finding-list.ts";

/** OpenDKIM's buffer has room for 1024 octets with the final NUL. */
const MAX_RECORD_OCTETS = 1023;

const MEANT_TAGS = /^[VKHSTNPG]$/;

/** RFC 6376 §3.2: what is wrong with the record as a list of tags, each fault with its place. */
export function checkTagList(text: string, { tags, faults }: TagListScan, findings: FindingList): void {
  if (/^[ \t\r\n]*$/.test(text)) {
    findings.add("TL-NONE", {});
    return;
  }
  const bomLength = byteOrderMarkLength(text);
  if (bomLength > 0) findings.add("TL-BOM", {}, { position: { offset: 0, length: bomLength } });
  checkPastedZoneText(text, findings);
  const brokenParts = faults.filter(({ kind }) => kind === "no-equals" || kind === "bad-name");
  const isInBrokenPart = makeRangeTest(brokenParts);
  for (const fault of faults) {
    // Within a part that is no tag the character is told there; a byte order mark always makes one.
    if (fault.kind !== "bad-character" || !isInBrokenPart(fault.offset)) {
      addFault(text, fault, findings);
    }
  }
  for (const { name, nameOffset } of tags) {
    if (MEANT_TAGS.test(name)) {
      findings.add("TL-UPPER", { name }, { position: { offset: nameOffset, length: 1 }, tag: name });
    }
  }
  const octets = countOctets(text);
  if (octets > MAX_RECORD_OCTETS) findings.add("REC-LONG", { octets });
  if (tags.length === 0) findings.add("TL-NONE", {});
}

function addFault(text: string, { kind, offset, length }: TagListFault, findings: FindingList): void {
  const position = { offset, length };
  const part = text.slice(offset, offset + length);
  switch (kind) {
    case "no-equals":
      findings.add("TL-SYNTAX", { part: quotePart(part), reason: `it has no "="${oddCharacter(part)}` }, { position });
      return;
    case "bad-name":
      findings.add(
        "TL-SYNTAX",
        {
          part: quotePart(`${part}=`),
          reason: `its name is not letters, digits and "_" after a letter${oddCharacter(part)}`,
        },
        { position },
      );
      return;
    case "duplicate": {
      const name = /^[A-Za-z0-9_]+/.exec(part)?.[0] ?? "";
      findings.add("TL-DUP", { name }, { position, tag: name });
      return;
    }
    case "empty-spec":
      findings.add("TL-EMPTY-SPEC", {}, { position });
      return;
    case "bad-newline":
      findings.add("TL-CRLF", {}, { position });
      return;
    case "bad-character":
      findings.add("TL-8BIT", { part: quotePart(part) }, { position });
      return;
    case "trailing-space":
      findings.add("TL-TRAIL-WSP", {}, { position });
      return;
  }
}

function checkPastedZoneText(text: string, findings: FindingList): void {
  const gap = /"[ \t\r\n]+"/.exec(text);
  const around = /^[ \t\r\n]*"[\s\S]*"[ \t\r\n]*$/.test(text);
  if (gap !== null) findings.add("TL-QUOTED", {}, { position: { offset: gap.index, length: gap[0].length } });
  else if (around) findings.add("TL-QUOTED", {}, { position: { offset: text.indexOf('"'), length: 1 } });
  const backslash = /\\[;"]/.exec(text);
  if (backslash !== null) findings.add("TL-BACKSLASH", {}, { position: { offset: backslash.index, length: 1 } });
}

/** What an eye does not see, by name. */
function oddCharacter(part: string): string {
  const odd = /[^\x20-\x7e\t\r\n]/u.exec(part)?.[0];
  if (odd === undefined) return "";
  const code = `U+${(odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  return `; it holds the character ${code}${odd === "\xa0" ? " (no-break space)" : odd === "\ufeff" ? " (byte order mark)" : ""}`;
}

/** U+FEFF as a character, or as the three octets that it has in UTF-8. */
function byteOrderMarkLength(text: string): number {
  return text.startsWith("\ufeff") ? 1 : text.startsWith("\xef\xbb\xbf") ? 3 : 0;
}

/** Text of octets counts as it is; text with any other character was not read from DNS and goes there as UTF-8. */
function countOctets(text: string): number {
  return /[^\x00-\xff]/.test(text) ? Buffer.byteLength(text) : text.length;
}

/** The ranges come in order of place and do not overlap; questions come in order, too. */
function makeRangeTest(ranges: readonly { readonly offset: number; readonly length: number }[]) {
  let index = 0;
  return (offset: number): boolean => {
    for (; index < ranges.length; index++) {
      const range = ranges[index];
      if (range === undefined || offset < range.offset + range.length) break;
    }
    const range = ranges[index];
    return range !== undefined && offset >= range.offset && offset < range.offset + range.length;
  };
}
