import type { Reporter, TestModule, TestSuite } from "vitest/node";

/** Says at the end, by name, what was not run: a suite as one line, with its reason in its title. */
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => skipped(module).map((title) => `  ${module.relativeModuleId}: ${title}`));
    if (lines.length > 0) console.log(`Not run:\n${lines.join("\n")}\n`);
  }
}

function skipped(parent: TestModule | TestSuite): string[] {
  return [...parent.children].flatMap((child) => {
    if (child.type === "test") return child.result().state === "skipped" ? [child.name.trim()] : [];
    const tests = [...child.children.allTests()];
    return tests.length > 0 && tests.every((test) => test.result().state === "skipped")
      ? [`${child.name.trim()} (${tests.length} tests)`]
      : skipped(child).map((title) => `${child.name.trim()} > ${title}`);
  });
}
