import { FINDING_CATALOGUE, findFindingKind } from "../checks/catalogue.ts";
import { UsageError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import { nearestName } from "../nearest-name.ts";
import { renderExplanation, renderJsonExplanation } from "../report/key-report/explanation.ts";
import type { Style } from "../terminal/style.ts";

export interface ExplainOptions {
  readonly format: string;
  readonly style: Style;
  readonly columns: number;
}

/** The long text of a finding. @throws {UsageError} there is no such code */
export function explainFinding(code: string, { format, style, columns }: ExplainOptions): string {
  const found = findFindingKind(code);
  if (found === undefined) {
    const codes = Object.keys(FINDING_CATALOGUE).map((known) => known.toLowerCase());
    const nearest = nearestName(code, codes)?.toUpperCase();
    throw new UsageError(`there is no finding ${quoteName(code)}`, {
      hint: nearest === undefined ? "give a code as a report has it, such as P-DER" : `did you mean ${nearest}?`,
    });
  }
  return format === "json" ? renderJsonExplanation(found) : renderExplanation(found, { style, columns });
}
