import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { useSoftwareAdapter } from "./core/src/backends/webgpu/software-adapter.js";

const root = fileURLToPath(new URL("./", import.meta.url));

// The Vulkan loader reads the environment of the process, which the worker threads cannot change.
useSoftwareAdapter();

/** Tests run on the sources: each public entry point is an alias, so no build stands between an edit and its test. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@hessia\/(core|autodiff)\/(extend|native|testing)$/, replacement: `${root}$1/src/$2.ts` },
      { find: /^@hessia\/(core|autodiff|linalg|nn|optim)$/, replacement: `${root}$1/src/index.ts` },
    ],
  },
  test: {
    include: ["*/src/**/*.test.ts", "property-tests/**/*.test.ts", "examples/**/*.test.ts", "docs/**/*.test.ts", ".ci/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    // Core keeps module state (registries, the default float type, the trace stack): every file gets a fresh copy of it.
    // That costs some 0.1 s a file; sharing workers would let one file's leak be another file's failure.
    pool: "threads",
    isolate: true,
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    setupFiles: [".ci/vitest-setup.ts"],
    reporters: ["default", ".ci/vitest-reporter.ts"],
  },
});
