import { DNS_FINDINGS } from "../../src/checks/catalogue/dns-findings.ts";
import type { FindingKind } from "../../src/checks/catalogue/finding-kind.ts";
import { KEY_DATA_FINDINGS } from "../../src/checks/catalogue/key-data-findings.ts";
import { KEY_STRENGTH_FINDINGS } from "../../src/checks/catalogue/key-strength-findings.ts";
import { PRIVATE_KEY_FINDINGS } from "../../src/checks/catalogue/private-key-findings.ts";
import { PUBLICATION_FINDINGS } from "../../src/checks/catalogue/publication-findings.ts";
import { RECORD_TAG_FINDINGS } from "../../src/checks/catalogue/record-tag-findings.ts";
import { STORE_FINDINGS } from "../../src/checks/catalogue/store-findings.ts";
import { TAG_LIST_FINDINGS } from "../../src/checks/catalogue/tag-list-findings.ts";

type Family = Readonly<Record<string, Pick<FindingKind<never>, "severity" | "summary" | "explanation" | "fix">>>;

const FAMILIES: readonly (readonly [title: string, findings: Family])[] = [
  ["THE LIST OF TAGS", TAG_LIST_FINDINGS],
  ["THE TAGS OF A RECORD", RECORD_TAG_FINDINGS],
  ["THE PUBLISHED KEY", KEY_DATA_FINDINGS],
  ["THE STRENGTH OF A KEY", KEY_STRENGTH_FINDINGS],
  ["FILES OF PRIVATE KEYS", PRIVATE_KEY_FINDINGS],
  ["KEYS BESIDE EACH OTHER", STORE_FINDINGS],
  ["THE DNS", { ...DNS_FINDINGS, ...PUBLICATION_FINDINGS }],
];

/** The codes that the page tells of; the catalogue must hold no other. */
export const FINDINGS_PAGE_CODES: readonly string[] = FAMILIES.flatMap(([, findings]) => Object.keys(findings));

/** `man/dkimctl-findings.7`: the catalogue of findings as mdoc. */
export function renderFindingsPage(): string {
  return `${[HEAD, ...FAMILIES.map(renderFamily), FOOT].join("\n")}\n`;
}

const HEAD = `.\\" Made from src/checks/catalogue: npx vitest run test/man.test.ts -u
.Dd November 21, 2026
.Dt DKIMCTL-FINDINGS 7
.Os
.Sh NAME
.Nm dkimctl-findings
.Nd what dkimctl says of keys and records, and what to do about it
.Sh DESCRIPTION
.Xr dkimctl-verify-key 1
and
.Xr dkimctl-testkeys 1
say what is wrong in findings.
Each has a code, a severity, a sentence about the case, and a next step.
This page lists them all, with what they mean.
Codes are for scripts, too: they are never renamed.
.Pp
The severities; a case may be better or worse than its sort, and is then told
so:
.Bl -tag -width "warning" -compact
.It Cm error
a conforming receiver must refuse the record, or a tested one does
.It Cm warning
it works somewhere, but some receivers may refuse or misread it
.It Cm info
advice
.El
.Pp
What is said of receivers was seen with Mail::DKIM
.Pq amavis, SpamAssassin ,
dkimpy, OpenDKIM, rspamd and mailauth.`;

const FOOT = `.Sh SEE ALSO
.Xr dkimctl 1 ,
.Xr dkimctl-testkeys 1 ,
.Xr dkimctl-verify-key 1
.Sh STANDARDS
RFC 6376 (DKIM), RFC 8301 (lengths of keys), RFC 8463 (Ed25519), RFC 1035
(zone text).`;

function renderFamily([title, findings]: (typeof FAMILIES)[number]): string {
  const items = Object.entries(findings).map(
    ([code, { severity, summary, explanation, fix }]) =>
      `.It Cm ${code} Pq ${severity}\n${lines(summary)}\n.Pp\n${lines(explanation)}\n.Pp\n.Em To do :\n${lines(fix)}`,
  );
  return `.Sh ${title}\n.Bl -tag -width Ds\n${items.join("\n")}\n.El`;
}

const LONGEST_LINE = 80;

/** Prose as input lines of mdoc: each sentence starts one, and none is longer than 80 characters. */
function lines(prose: string): string {
  return prose
    .split(/(?<=[.!?]) (?=[A-Z])/)
    .map(fold)
    .join("\n");
}

function fold(sentence: string): string {
  const folded: string[] = [];
  let line = "";
  for (const word of sentence.split(" ").map(escapeWord)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && longer.length > LONGEST_LINE) {
      folded.push(line);
      line = word;
    } else line = longer;
  }
  // A point or an apostrophe at the start of a line would make it a request.
  return [...folded, line].map((text) => text.replace(/^[.']/, "\\&$&")).join("\n");
}

/** What roff would take for markup, or print as another character than the one that is to be typed. */
function escapeWord(word: string): string {
  const named: Readonly<Record<string, string>> = { "^": "\\(ha", "~": "\\(ti", "`": "\\(ga", "§": "\\(sc" };
  return word
    .replaceAll("\\", "\\e")
    .replace(/[\^~`§]/g, (character) => named[character] ?? character)
    .replace(/^-/, "\\-");
}
