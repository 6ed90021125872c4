import { VERIFIERS, type Verdict, verdictsOfEd25519, verdictsOfFinding } from "../../checks/verifier-matrix.ts";
import type { Style } from "../../terminal/style.ts";
import { renderTable } from "../../terminal/table.ts";
import type { KeyReport } from "./key-report.ts";

/** What the verifiers that people run do with one thing that was found. */
export interface VerifierVerdicts {
  /** The code of a finding; `Ed25519` for the algorithm; `all` for everything that was found together. */
  readonly about: string;
  /** The case of that finding, where verifiers tell cases apart. */
  readonly when: string | null;
  readonly verdicts: readonly {
    readonly verifier: string;
    readonly version: string | null;
    readonly verdict: Verdict;
  }[];
}

/** What is said of files, names and zones is no matter for those who read a record. */
const NOT_OF_RECORDS = /^(?:KEY-(?!MISMATCH)|NAME-|ZONE-|DNS-(?!MULTI)|ED25519-)/;

/** One row for each code that was found, and at the end one for all together; none when there is no record to judge. */
export function verdictsOf({ kind, findings, publicKey }: KeyReport): VerifierVerdicts[] {
  if (kind === "nothing" || kind === "zone" || kind === "alias") return [];
  const rows = new Map<string, { about: string; when: string | null; verdicts: Verdict[] }>();
  if (publicKey?.type === "ed25519")
    rows.set("Ed25519", { about: "Ed25519", when: null, verdicts: verdictsOfEd25519() });
  for (const finding of findings) {
    if (NOT_OF_RECORDS.test(finding.code)) continue;
    const { when = null, verdicts } = verdictsOfFinding(finding);
    rows.set(`${finding.code}: ${when}`, { about: finding.code, when, verdicts });
  }
  const each = [...rows.values()];
  const all = VERIFIERS.map((_, column) => worst(each.map(({ verdicts }) => verdicts[column] ?? "unknown")));
  return [...each, { about: "all", when: null, verdicts: all }].map(({ about, when, verdicts }) => ({
    ...{ about, when },
    verdicts: VERIFIERS.map(({ name, version }, column) => ({
      ...{ verifier: name, version: version ?? null, verdict: verdicts[column] ?? "unknown" },
    })),
  }));
}

function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.includes("refuses") ? "refuses" : verdicts.includes("unknown") ? "unknown" : "accepts";
}

/** A table: who takes a record with this finding. */
export function renderVerdicts(report: KeyReport, style: Style): string[] {
  const rows = verdictsOf(report);
  if (rows.length === 0) return [];
  const words = { accepts: style.good("yes"), refuses: style.bad("no"), unknown: style.dim("?") };
  const table = renderTable(
    ["accepted by", ...VERIFIERS.map(({ name }) => name)],
    rows.map(({ about, verdicts }) => [about, ...verdicts.map(({ verdict }) => words[verdict])]),
  );
  const cases = rows.flatMap(({ about, when }) => (when === null ? [] : [`  ${about}: measured with ${when}`]));
  const versions = VERIFIERS.flatMap(({ name, version }) => (version === undefined ? [] : [`${name} ${version}`]));
  return [...table.trimEnd().split("\n"), ...cases, style.dim(`  measured: ${versions.join(", ")}; ?: not measured`)];
}
