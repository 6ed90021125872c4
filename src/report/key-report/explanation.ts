import type { FindingCode, FindingKind } from "../../checks/catalogue.ts";
import { readVerdicts, VERIFIER_MATRIX, VERIFIERS } from "../../checks/verifier-matrix.ts";
import type { Style } from "../../terminal/style.ts";

type Explained = Pick<FindingKind<never>, "severity" | "summary" | "explanation" | "fix"> & {
  readonly code: FindingCode;
};

/** What there is to know about one sort of finding, for a person at a terminal. */
export function renderExplanation(
  { code, severity, summary, explanation, fix }: Explained,
  { style, columns }: { readonly style: Style; readonly columns: number },
): string {
  const wrap = (text: string) => wrapText(text, columns).join("\n");
  const verifiers = rowsOf(code).map(({ when, accepting, refusing }) => {
    const parts = [
      ...(accepting.length > 0 ? [`accepted by ${accepting.join(", ")}`] : []),
      ...(refusing.length > 0 ? [`refused by ${refusing.join(", ")}`] : []),
    ];
    return `${wrap(`Verifiers${when === undefined ? "" : ` (${when})`}: ${parts.join("; ")}.`)}\n`;
  });
  return [
    `${style.strong(code)} (${severity}): ${summary}\n`,
    `${wrap(explanation)}\n`,
    ...verifiers,
    `${wrap(`What to do: ${fix}.`)}\n`,
  ].join("\n");
}

/** One document, of the same shape for every code. */
export function renderJsonExplanation({ code, severity, summary, explanation, fix }: Explained): string {
  const verifiers = rowsOf(code).map(({ when, accepting, refusing }) => ({ when: when ?? null, accepting, refusing }));
  const document = { schema: "dkimctl/finding/1", code, severity, summary, explanation, fix, verifiers };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function rowsOf(code: FindingCode) {
  return VERIFIER_MATRIX.filter((row) => row.code === code).map(({ when, verdicts }) => {
    const names = (wanted: string) =>
      readVerdicts(verdicts).flatMap((verdict, column) => (verdict === wanted ? [VERIFIERS[column]?.name ?? ""] : []));
    return { when, accepting: names("accepts"), refusing: names("refuses") };
  });
}

function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > Math.max(20, columns)) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
