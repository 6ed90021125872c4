import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ["default", "./test/helpers/skipped-reporter.ts"],
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/interop/**", "test/corpus/**"] },
      },
      { extends: true, test: { name: "interop", include: ["test/interop/**/*.test.ts"] } },
      { extends: true, test: { name: "corpus", include: ["test/corpus/**/*.test.ts"] } },
    ],
  },
});
