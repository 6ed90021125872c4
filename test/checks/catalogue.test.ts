import { describe, expect, test } from "vitest";
import { FINDING_CATALOGUE, findFindingKind, makeFinding, worstSeverity } from "../../src/checks/catalogue.ts";

describe("the catalogue", () => {
  test.each(Object.entries(FINDING_CATALOGUE))(
    "%s is told in full",
    (code, { severity, summary, explanation, fix }) => {
      expect(code).toMatch(/^[A-Z0-9]+(?:-[A-Z0-9]+)+$/);
      expect(["error", "warning", "info"]).toContain(severity);
      expect(summary).not.toMatch(/\.$/);
      expect(explanation).toMatch(/^\S.{50,}\.$/s);
      expect(fix).not.toMatch(/\.$/);
      expect(`${summary}${explanation}${fix}`).not.toMatch(/ {2}|\n/);
    },
  );

  test("codes are found in any case", () => {
    expect(findFindingKind("p-private")).toMatchObject({ code: "P-PRIVATE", severity: "error" });
    expect(findFindingKind("toString")).toBeUndefined();
  });

  test("a case may be better or worse than its sort", () => {
    expect(makeFinding("G-HISTORIC", { part: `"*"` }, { severity: "info" })).toMatchObject({
      severity: "info",
      message: `g= is "*"; RFC 6376 has no such tag`,
      fix: "remove g=",
    });
  });

  test("the worst severity", () => {
    expect(worstSeverity([])).toBe("ok");
    expect(worstSeverity([{ severity: "info" }, { severity: "error" }, { severity: "warning" }])).toBe("error");
  });
});
