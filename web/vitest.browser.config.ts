import { defineConfig } from "vitest/config";

/** The suite that drives a real Chromium against a running server; see README.md for what it needs. */
export default defineConfig({
  test: {
    include: ["tests/browser/**/*.test.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
