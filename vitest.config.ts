import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Tests run on the sources: each public entry point is an alias, so no build stands between an edit and its test. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@hessia\/(core|autodiff)\/(extend|testing)$/, replacement: `${source("./")}$1/src/$2.ts` },
      { find: /^@hessia\/(core|autodiff|linalg|nn|optim)$/, replacement: `${source("./")}$1/src/index.ts` },
    ],
  },
  test: { include: ["*/src/**/*.test.ts", "property-tests/**/*.test.ts", "examples/**/*.test.ts", "docs/**/*.test.ts"], pool: "threads", testTimeout: 60000 },
});
