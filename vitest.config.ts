import { defineConfig } from "vitest/config";

const source = { conditions: ["source", "node"] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A busy machine in CI may be late; what fails three times is broken.
    retry: process.env["CI"] === undefined ? 0 : 2,
    // Suites start servers of their own; two cores do not carry more side by side.
    maxWorkers: 2,
    setupFiles: process.env["HELIX_COVERAGE"] === undefined ? [] : ["./scripts/cover-children.mjs"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "packages/*/test/**/*.test.ts",
            "plugins/*/src/**/*.test.ts",
            "plugins/*/test/**/*.test.ts",
          ],
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts", "test/architecture/**/*.test.ts", "test/guardrails/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          // After the others: it wants the machine to itself.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["packages/core/src/**", "packages/sdk/src/**"],
      exclude: ["**/*.test.ts"],
    },
  },
});
