import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const ROW =
  /^\| (?<rule>.+) \| `(?<source>[a-z-]+\.ts)` `(?<name>#?\w+)` \| `(?<tests>[a-z-]+\.test\.ts)` "(?<title>.+)" \| .+ \|$/;
const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const [, ...rows] = text("RULES.md")
  .split("\n")
  .filter((line) => line.startsWith("| "));

test.each(rows)("is where it is said to be: %s", (row) => {
  const { source, name, tests, title } = ROW.exec(row)?.groups ?? {};
  expect(text(`../../src/rotation/${source}`)).toContain(name);
  expect(text(tests ?? "")).toMatch(new RegExp(`describe\\(\\s*"${title}"`));
});
